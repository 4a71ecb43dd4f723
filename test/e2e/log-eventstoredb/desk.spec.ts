import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { mintToken } from '#edge';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { EventStoreDouble } from '../../support/eventstoredb.js';
import { DeskProcess, SECRETS } from '../edge/desk-process.js';

jest.setTimeout(180_000);

/** A desk whose log lies in EventStoreDB, vault, numbers and views in PostgreSQL. */
describe('A desk on EventStoreDB', () => {
  let double: EventStoreDouble;
  let database: FreshDatabase;
  let desks: DeskProcess[];
  let here: string;
  let there: string;

  const start = (app: 'api' | 'standalone', url = double.url): DeskProcess =>
    DeskProcess.start({ env: { ...SECRETS, DATABASE_URL: database.url, EVENTSTORE_URL: url }, app });

  beforeAll(async () => {
    [double, database] = await Promise.all([EventStoreDouble.start(), freshDatabase()]);
    desks = [start('standalone'), start('api')];
    [here, there] = (await Promise.all(desks.map((desk) => desk.address()))) as [string, string];
  });
  afterAll(async () => {
    await Promise.all(desks.map((desk) => desk.stop()));
    await database.drop();
    await double.remove();
  });

  const ask = async (address: string, path: string, body?: object) => {
    const token = await mintToken(Buffer.from(SECRETS.AUTH_SECRET), { role: 'agent', name: 'alice' });
    const answer = await fetch(address + path, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as any };
  };
  const opening = (address: string) =>
    ask(address, '/v1/tickets', { subject: 'No sound', text: 'At all.', channel: 'phone' });
  const rows = async (text: string): Promise<any[]> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    return client
      .query(text)
      .then(({ rows }) => rows)
      .finally(() => client.end());
  };

  test('takes tickets in one process and shows them in another, at once', async () => {
    const opened = await opening(there);
    expect(opened.status).toBe(201);
    const read = await ask(here, `/v1/tickets/${opened.body.id}?after=${opened.body.position}`);
    expect(read).toMatchObject({ status: 200, body: { number: opened.body.number, subject: 'No sound' } });
    const messages = `/v1/tickets/${opened.body.id}/messages`;
    const replied = await ask(here, messages, { kind: 'sent', channel: 'phone', text: 'Plug it in.' });
    expect(replied.status).toBeLessThan(300);
    const clocks = await ask(there, `/v1/tickets/${opened.body.id}?after=${replied.body.position}`);
    expect(clocks.status).toBe(200);
  });

  test('holds no event in PostgreSQL, and seals them there one by one', async () => {
    const { body } = await opening(here);
    await eventually(async () => {
      const [sealed] = await rows(`SELECT count(*)::int AS events, max(position) AS last FROM seal.events`);
      return Number(sealed.last) >= Number(body.position) && sealed.events > 2;
    });
    expect(await rows(`SELECT to_regclass('log.events') AS events`)).toEqual([{ events: null }]);
    const ordinals = await rows('SELECT ordinal FROM seal.events ORDER BY ordinal');
    expect(ordinals.map(({ ordinal }) => Number(ordinal))).toEqual(ordinals.map((_, i) => i + 1));
    expect(await rows('SELECT * FROM seal.irregularities')).toEqual([]);
  });

  test('reads on without its log, is not ready and takes no command, and goes on when it is back', async () => {
    const { body } = await opening(here);
    expect((await ask(here, `/v1/tickets/${body.id}?after=${body.position}`)).status).toBe(200);
    await double.kill();
    expect(await ask(here, `/v1/tickets/${body.id}`)).toMatchObject({ status: 200 });
    expect(await opening(here)).toMatchObject({ status: 503 });
    const ready = async (): Promise<number> => (await fetch(`${here}/health/ready`)).status;
    expect(await ready()).toBe(503);
    await double.up();
    await eventually(async () => (await ready()) === 200, { within: 30_000 });
    const again = await eventually(
      async () => {
        const answer = await opening(here);
        return answer.status === 201 && answer;
      },
      { within: 30_000 },
    );
    const after = `/v1/tickets/${again.body.id}?after=${again.body.position}`;
    await eventually(async () => (await ask(there, after)).status === 200, { within: 30_000 });
  });

  test('waits for a late answer, and where it comes too late asks again: the ticket is opened once', async () => {
    await double.order({ delay: 1_500 });
    const late = await opening(here);
    expect(late.status).toBe(201);
    const sealed = async (): Promise<number> =>
      (await rows('SELECT count(*)::int AS events FROM seal.events'))[0].events as number;
    await eventually(
      async () =>
        (await rows(`SELECT 1 FROM seal.events WHERE stream = 'ticket-${late.body.id}'`)).length > 0,
    );
    const before = await sealed();
    // Longer than any append is waited for.
    await double.order({ delay: 8_000 });
    const asked = opening(here);
    await eventually(async () => (await sealed()) > before, { what: 'it was stored, and not answered' });
    await double.order({ delay: 0 });
    const opened = await asked;
    expect(opened.status).toBe(201);
    const read = `/v1/tickets/${opened.body.id}`;
    await eventually(async () => (await ask(there, `${read}?after=${opened.body.position}`)).status === 200, {
      within: 30_000,
    });
    const { body } = await ask(there, `${read}/timeline`);
    expect(body.items.map(({ type }: { type: string }) => type)).toEqual(['desk.ticket-opened.v1']);
  });

  test('says in a line why it does not start on a log that is not its own', async () => {
    const other = await EventStoreDouble.start();
    const desk = start('api', other.url);
    expect(await desk.ended).not.toBe(0);
    expect(desk.err + desk.out).toContain('the server holds no log yet');
    expect(desk.err + desk.out).not.toContain('at async');
    await other.remove();
  });
});

/** Settings that are wrong, as whoever starts the desk meets them: one line, and no waiting for what cannot come. */
describe('A desk that cannot have its log in EventStoreDB', () => {
  let tls: EventStoreDouble;
  let plain: EventStoreDouble;
  let database: FreshDatabase;
  beforeAll(async () => {
    [tls, plain, database] = await Promise.all([
      EventStoreDouble.start({ tls: true }),
      EventStoreDouble.start(),
      freshDatabase(),
    ]);
  });
  afterAll(() => Promise.all([tls.remove(), plain.remove(), database.drop()]));

  const ca = `tlsCAFile=${EventStoreDouble.authority}`;

  test.each([
    ['the address is none', () => 'http://localhost:2113', /EVENTSTORE_URL must be/],
    ['the certificate is not trusted', () => `esdb://covenant:secret@localhost:${tls.port}`, /certificate/],
    [
      'the authority’s file is not there',
      () => `esdb://localhost:${tls.port}?tlsCAFile=/nowhere`,
      /file was not found/i,
    ],
    ['the password is wrong', () => `esdb://covenant:wrong@localhost:${tls.port}?${ca}`, /password/],
    ['no user is named', () => `esdb://localhost:${tls.port}?${ca}`, /user/],
    ['the user may not read $all', () => `esdb://covenant:secret@localhost:${tls.port}?${ca}`, /\$all/],
    ['it speaks plain text to TLS', () => `esdb://localhost:${tls.port}?tls=false`, /TLS/],
    ['it speaks TLS to plain text', () => `esdb://localhost:${plain.port}`, /TLS/],
  ])('ends with one line that names the cause where %s', async (_, url, cause) => {
    const desk = DeskProcess.start({
      env: { ...SECRETS, DATABASE_URL: database.url, EVENTSTORE_URL: url() },
      app: 'api',
    });
    expect(await desk.ended).toBe(1);
    expect(desk.err).toMatch(/^covenant api: [^\n]+\n$/);
    expect(desk.err).toMatch(cause);
    expect(desk.err + desk.out).not.toMatch(/secret|wrong@/);
  });
});
