import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { eventually } from '../../support/eventually.js';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { mintToken, type TokenClaims } from '#edge';
import { DeskProcess, SECRETS } from '../edge/desk-process.js';
import { runCovenant } from '../cli/command-line.js';

jest.setTimeout(60_000);

/** Half a day from UTC: most instants lie on another day there. */
const ZONE = 'Pacific/Auckland';

let database: FreshDatabase;
let desk: DeskProcess;
let address: string;
let env: Record<string, string>;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  env = { ...SECRETS, DATABASE_URL: database.url, DESK_ZONE: ZONE };
  desk = DeskProcess.start({ env });
  address = await desk.address();
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
});
afterAll(async () => {
  await pool.end();
  await desk.stop();
  await database.drop();
});

interface Answer {
  readonly status: number;
  readonly body: any;
  readonly position: string | null;
}

async function ask(
  claims: TokenClaims,
  method: string,
  path: string,
  body?: object,
  at = address,
): Promise<Answer> {
  const token = await mintToken(Buffer.from(SECRETS.AUTH_SECRET), claims);
  const answer = await fetch(at + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    body: (await answer.json()) as unknown,
    position: answer.headers.get('covenant-position'),
  };
}

const GATEWAY: TokenClaims = { role: 'integration', name: 'gateway' };
const SAM: TokenClaims = { role: 'supervisor', name: 'sam' };
const gateway = (path: string, body: object) => ask(GATEWAY, 'POST', path, body);
const sam = (path: string, at = address) => ask(SAM, 'GET', path, undefined, at);

/** Two o'clock in the afternoon in UTC, so many days ago: already the next day in Auckland. */
const ago = (days: number): { readonly instant: string; readonly day: string } => {
  const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000 - days * 86_400_000;
  return {
    instant: new Date(midnight + 14 * 3_600_000).toISOString(),
    day: new Date(midnight + 86_400_000).toISOString().slice(0, 10),
  };
};

async function opened(more: object = {}): Promise<{ id: string; position: string }> {
  const { status, body } = await gateway('/v1/tickets', {
    subject: 'Printer prints blank pages',
    text: 'Since this morning.',
    channel: 'phone',
    ...more,
  });
  expect(status).toBe(201);
  return body as { id: string; position: string };
}
async function does(id: string, what: string, body: object = {}): Promise<string> {
  const { status, position, body: answer } = await gateway(`/v1/tickets/${id}/${what}`, body);
  expect([what, status, answer.code]).toEqual([what, what === 'messages' ? 201 : 200, undefined]);
  return position!;
}

describe('Who reads what consumers made of their own writes', () => {
  it('sees tickets counted on the days on which things happened, in the desk’s zone', async () => {
    const [then, later] = [ago(9), ago(7)];
    const { id } = await opened({ occurredAt: then.instant, tier: 'vip', channel: 'chat' });
    await does(id, 'messages', { kind: 'sent', text: 'Done.', channel: 'chat', occurredAt: then.instant });
    const position = await does(id, 'resolve', { resolution: 'solved', occurredAt: later.instant });
    const {
      status,
      body,
      position: at,
    } = await sam(
      `/v1/analytics/tickets?from=${then.day}&to=${later.day}&by=day,tier,channel&after=${position}`,
    );
    expect(status).toBe(200);
    expect(at! >= position).toBe(true);
    const nothing = {
      opened: 0,
      answered: 0,
      resolved: 0,
      reopened: 0,
      merged: 0,
      breached: 0,
      firstResponseBreached: 0,
      resolutionBreached: 0,
    };
    const line = { tier: 'vip', channel: 'chat' };
    expect(body).toEqual({
      from: then.day,
      to: later.day,
      zone: ZONE,
      by: ['day', 'tier', 'channel'],
      items: [
        { day: then.day, ...line, ...nothing, opened: 1, answered: 1 },
        { day: later.day, ...line, ...nothing, resolved: 1 },
      ],
      total: { ...nothing, opened: 1, answered: 1, resolved: 1 },
    });
  });

  it('sees a promise broken, and taken back once it turns out to have been kept', async () => {
    const then = ago(20);
    const { id, position } = await opened({ occurredAt: then.instant, priority: 1, tier: 'standard' });
    const figures = async (after: string) =>
      (
        await sam(`/v1/analytics/tickets?from=${ago(21).day}&to=${ago(10).day}&by=tier&after=${after}`)
      ).body.items.find(({ tier }: { tier: string }) => tier === 'standard');
    await eventually(async () => (await figures(position)).breached === 2, {
      what: 'both promises were broken',
    });
    const kept = await does(id, 'messages', {
      kind: 'sent',
      text: 'At once.',
      channel: 'phone',
      occurredAt: then.instant,
    });
    // What is still true is recorded once more by the timekeeper.
    await eventually(async () => {
      expect(await figures(kept)).toMatchObject({
        opened: 1,
        answered: 1,
        breached: 1,
        firstResponseBreached: 0,
        resolutionBreached: 1,
      });
      return true;
    });
  });

  it('sees candidates by category come, be withdrawn, come back, and go with a merge', async () => {
    const { id } = await opened();
    await does(id, 'classify', { category: 'Building', subcategory: 'Access' });
    const { id: bare } = await opened();
    await does(bare, 'resolve', { resolution: 'workaround' });
    const { id: dull } = await opened();
    await does(dull, 'classify', { category: 'Building' });
    await does(dull, 'resolve', { resolution: 'withdrawn' });
    const candidates = async (after: string, category: string): Promise<any[]> =>
      (await sam(`/v1/knowledge/candidates?category=${category}&after=${after}`)).body.items;
    const counts = async (after: string): Promise<any[]> =>
      (await sam(`/v1/knowledge/categories?after=${after}`)).body.items;

    const resolved = await does(id, 'resolve', { resolution: 'solved' });
    const [candidate, ...others] = await candidates(resolved, 'building');
    expect(others).toEqual([]);
    expect(candidate).toEqual({
      ticket: id,
      number: expect.stringMatching(/^T-\d+$/),
      category: { id: expect.any(String), name: 'building' },
      subcategory: { id: expect.any(String), name: null },
      resolution: 'solved',
      resolvedAt: expect.stringMatching(/Z$/),
    });
    const byId = await candidates(resolved, candidate.category.id);
    expect(byId).toEqual([{ ...candidate, category: { ...candidate.category, name: null } }]);
    expect((await candidates(resolved, 'none')).map(({ ticket }) => ticket)).toContain(bare);
    expect(await counts(resolved)).toContainEqual({
      category: { id: candidate.category.id, name: null },
      candidates: 1,
    });

    expect(await candidates(await does(id, 'reopen', { reason: 'Again.' }), 'Building')).toEqual([]);
    const again = await does(id, 'resolve', { resolution: 'workaround' });
    expect(await candidates(again, 'Building')).toEqual([expect.objectContaining({ ticket: id })]);

    const { id: survivor } = await opened();
    const merged = await does(survivor, 'merge', { duplicate: id });
    await eventually(async () => (await candidates(merged, 'Building')).length === 0);
    expect(await counts(merged)).not.toContainEqual(
      expect.objectContaining({ category: expect.objectContaining({ id: candidate.category.id }) }),
    );
  });

  it('pages through candidates, each once, the latest resolved first', async () => {
    let last = '';
    for (let n = 0; n < 5; n++) {
      const { id } = await opened();
      await does(id, 'classify', { category: 'Paging' });
      last = await does(id, 'resolve', { resolution: 'solved' });
    }
    const found: { ticket: string; resolvedAt: string }[] = [];
    let query = `category=Paging&limit=2&after=${last}`;
    for (;;) {
      const { body } = await sam(`/v1/knowledge/candidates?${query}`);
      found.push(...body.items);
      if (body.next === null) break;
      query = `category=Paging&limit=2&cursor=${body.next}`;
    }
    expect(new Set(found.map(({ ticket }) => ticket)).size).toBe(5);
    expect(found).toHaveLength(5);
    const instants = found.map(({ resolvedAt }) => resolvedAt);
    expect(instants).toEqual([...instants].sort().reverse());
  });

  it('waits for what consumers have nothing to do with as well', async () => {
    const { id } = await opened();
    const noted = await does(id, 'messages', { kind: 'note', text: 'For us.' });
    const { status, position } = await sam(`/v1/analytics/tickets?after=${noted}`);
    expect(status).toBe(200);
    expect(position! >= noted).toBe(true);
  });

  it.each([
    ['/v1/analytics/tickets?after=9000000000000000', 'unknown-position', null],
    ['/v1/analytics/tickets?from=2026-02-30', 'bad-input', 'from'],
    ['/v1/analytics/tickets?from=2026-03-02&to=2026-03-01', 'bad-input', 'from'],
    ['/v1/analytics/tickets?from=2025-01-01&to=2026-03-01', 'bad-input', 'from'],
    ['/v1/analytics/tickets?by=colour', 'bad-input', 'by'],
    ['/v1/analytics/tickets?colour=red', 'bad-input', 'colour'],
    ['/v1/knowledge/candidates?limit=201', 'bad-input', 'limit'],
    ['/v1/knowledge/candidates?cursor=bm9uZQ', 'bad-input', 'cursor'],
    ['/v1/knowledge/categories?limit=3', 'bad-input', 'limit'],
  ])('is told what is wrong with %s', async (path, code, field) => {
    const { status, body } = await sam(path);
    expect([status, body.code]).toEqual([400, code]);
    if (field !== null) expect(body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  });
});

describe('A consumer in a process of its own', () => {
  it('shares the work with nobody: the one that leads goes, the other goes on', async () => {
    const own = DeskProcess.start({ env, app: 'knowledge-base' });
    const at = await own.address();
    const { id } = await opened();
    await does(id, 'classify', { category: 'Apart' });
    const position = await does(id, 'resolve', { resolution: 'solved' });
    const { body } = await sam(`/v1/knowledge/candidates?category=Apart&after=${position}`, at);
    expect(body.items).toEqual([expect.objectContaining({ ticket: id })]);
    const ready = await fetch(`${at}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
    expect((await fetch(`${at}/v1/tickets`)).status).toBe(404);
    const { paths } = (await (await fetch(`${at}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(paths).filter((path) => path.startsWith('/v1/'))).toEqual([
      '/v1/knowledge/candidates',
      '/v1/knowledge/categories',
    ]);
    expect(await own.stop()).toBe(0);
  });

  it('asks for no key that opens a text, and says what it does need', async () => {
    const { MASTER_KEY: _, ...without } = env;
    const own = DeskProcess.start({ env: without, app: 'analytics' });
    const figures = await fetch(`${await own.address()}/metrics`);
    expect(figures.status).toBe(200);
    await own.stop();
    const { DATABASE_URL: __, AUTH_SECRET: ___, ...nothing } = env;
    const refused = DeskProcess.start({ env: nothing, app: 'analytics' });
    expect(await refused.ended).toBe(1);
    expect(refused.err).toContain('DATABASE_URL must be given');
  });

  it('says in one line that its database is not there', async () => {
    const own = DeskProcess.start({
      env: { ...env, DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/none' },
      app: 'analytics',
    });
    expect(await own.ended).toBe(1);
    expect(own.err).toMatch(/^covenant analytics: .*ECONNREFUSED/);
    expect(own.err.trim().split('\n')).toHaveLength(1);
  });
});

describe('The figures of a process with consumers', () => {
  it('tell of each how far it is behind, what it has taken in, and what lies buried', async () => {
    await eventually(async () => {
      const figures = await (await fetch(`${address}/metrics`)).text();
      for (const consumer of ['analytics', 'knowledge']) {
        expect(figures).toMatch(
          new RegExp(`covenant_consumer_messages_total\\{consumer="${consumer}",outcome="digested"\\} [1-9]`),
        );
        expect(figures).toContain(`covenant_consumer_lag_records{consumer="${consumer}"} 0`);
        expect(figures).toContain(`covenant_consumer_dead_letters{consumer="${consumer}"} 0`);
        expect(figures).toContain(`covenant_consumer_lag_seconds{consumer="${consumer}"} 0`);
      }
      return true;
    });
  });
});

describe('The command line', () => {
  const covenant = (...args: string[]) => runCovenant(['consumers', ...args], env);

  it('lists consumers, rebuilds their tables beside a running desk, and finds them the same', async () => {
    const listed = await covenant('list');
    expect(listed.code).toBe(0);
    expect(listed.out).toMatch(/^analytics +[1-9]\d* digested, \d+ repeats, 0 dead letters of 0 keys$/m);
    expect(listed.out).toMatch(/^knowledge: local covenant\.tickets\.v1\/0 goes on at \d{16} /m);
    const rebuilt = await covenant('rebuild');
    expect(rebuilt).toMatchObject({ code: 0, err: '' });
    expect(rebuilt.out).toMatch(
      /^analytics: rebuilt from [1-9]\d* messages: [1-9]\d* rows, equal to the ones before$/m,
    );
    expect(rebuilt.out).toMatch(
      /^knowledge: rebuilt from [1-9]\d* messages: [1-9]\d* rows, equal to the ones before$/m,
    );
    const { position } = await opened();
    expect((await sam(`/v1/analytics/tickets?after=${position}`)).status).toBe(200);
  });

  it('counts anew in another zone where it is asked to, and the running consumer goes on in that', async () => {
    const { out } = await covenant('rebuild', 'analytics', '--zone', 'Europe/Berlin');
    expect(out).toMatch(/^analytics: rebuilt from [1-9]\d* messages: there was nothing to compare it with$/m);
    const then = ago(9);
    const { position } = await opened({ occurredAt: then.instant, channel: 'web' });
    const { body } = await sam(`/v1/analytics/tickets?by=day,channel&after=${position}`);
    expect(body.zone).toBe('Europe/Berlin');
    expect(body.items).toContainEqual(
      expect.objectContaining({ day: then.instant.slice(0, 10), channel: 'web', opened: 1 }),
    );
  });

  it('says where rebuilt tables differ from the ones that somebody changed', async () => {
    const { id, position } = await opened();
    await sam(`/v1/analytics/tickets?after=${position}`);
    await pool.query(`UPDATE analytics.tickets SET tier = 'vip' WHERE ticket = $1`, [id]);
    const rebuilt = await covenant('rebuild', 'analytics');
    expect(rebuilt.code).toBe(1);
    expect(rebuilt.out).toMatch(/DIFFERENT/);
    expect(rebuilt.out).toContain(`  ${id}`);
    expect((await covenant('rebuild', 'analytics')).code).toBe(0);
  });

  it('shows dead letters by their reasons, takes them up again, and gives up those that never will be digested', async () => {
    const { id, position: before } = await opened();
    await sam(`/v1/knowledge/categories?after=${before}`);
    await pool.query(
      `INSERT INTO knowledge.dead_letters (feed, topic, partition, "offset", key, value, reason)
       VALUES ('local', 'covenant.tickets.v1', 0, 'x', $1, 'SENTINEL', 'not-json: the value is no JSON')`,
      [Buffer.from(id)],
    );
    const position = await does(id, 'resolve', { resolution: 'solved' });
    await sam(`/v1/knowledge/categories?after=${position}`);
    const listed = await covenant('list');
    expect(listed.out).toMatch(/^knowledge +\d+ digested, \d+ repeats, 2 dead letters of 1 keys$/m);
    expect(listed.out).toMatch(
      /^knowledge: letter \d+ of covenant.tickets.v1\/0 at .*: behind: an earlier message/m,
    );
    expect(listed.out + (await covenant('list', '--json')).out).not.toContain('SENTINEL');
    expect(await covenant('retry', 'knowledge')).toMatchObject({
      code: 1,
      out: 'knowledge: 0 dead letters digested, 2 lie on\n',
    });
    const number = /^knowledge: letter (\d+) .* not-json/m.exec(listed.out)![1]!;
    expect((await covenant('skip', 'knowledge', '999999')).code).toBe(1);
    expect((await covenant('skip', 'knowledge', number)).out).toBe(
      `knowledge: letter ${number} is given up\n`,
    );
    expect(await covenant('retry', 'knowledge')).toMatchObject({
      code: 0,
      out: 'knowledge: 1 dead letters digested, 0 lie on\n',
    });
    const { body } = await sam('/v1/knowledge/candidates?category=none');
    expect(body.items.map(({ ticket }: { ticket: string }) => ticket)).toContain(id);
    expect((await covenant('rebuild', 'knowledge')).out).toContain('equal to the ones before');
  });

  it.each([
    [['rebuild', 'nobody'], /there is no consumer nobody; there are analytics, knowledge/],
    [['rebuild', 'knowledge', '--zone', 'UTC'], /--zone is for rebuild analytics/],
    [['skip', 'knowledge'], /the consumer and the number of a letter are needed/],
    [['forget'], /one of list, retry, skip, rebuild is needed/],
  ])('answers %j with the usage', async (args, says) => {
    const { code, err } = await covenant(...args);
    expect(code).toBe(2);
    expect(err).toMatch(says);
  });

  it('knows no other zones than there are', async () => {
    const { code, err } = await covenant('rebuild', 'analytics', '--zone', 'Mars/Olympus');
    expect([code, err]).toEqual([1, expect.stringContaining('there is no time zone "Mars/Olympus"')]);
  });
});

describe('What consumers cannot go on with', () => {
  /** An event in the log that no program of today knows. */
  const tooNew = (type: string) =>
    pool.query(
      `UPDATE log.events SET type = $1 WHERE ordinal = (SELECT max(ordinal) FROM log.events) RETURNING ordinal`,
      [type],
    );

  it('an event of a later release stops them at its place; the process is not ready and the tables are as they were', async () => {
    const own = DeskProcess.start({ env, app: 'analytics' });
    const at = await own.address();
    await desk.stop();
    const before = await pool.query('SELECT * FROM analytics.days ORDER BY day, tier, channel, measure');
    await pool.query(
      `INSERT INTO log.events SELECT (jsonb_populate_record(e, jsonb_build_object(
         'ordinal', h.ordinal + 1, 'id', gen_random_uuid(), 'revision', e.revision + 1))).*
       FROM log.events e, (SELECT max(ordinal) AS ordinal FROM log.events) h WHERE e.ordinal = h.ordinal`,
    );
    await tooNew('desk.ticket-closed.v99');
    await pool.query(`NOTIFY covenant_log`);
    await eventually(
      async () => {
        const { status, body } = await readiness(at);
        expect([status, body.errors]).toEqual([503, [{ field: 'analytics', problem: 'older-than-log' }]]);
        return true;
      },
      { within: 30_000 },
    );
    expect(await eventually(() => own.line('a consumer stopped'))).toMatchObject({
      consumer: 'analytics',
      problem: 'OlderThanLog',
      reason: expect.stringContaining('desk.ticket-closed.v99'),
    });
    const after = await pool.query('SELECT * FROM analytics.days ORDER BY day, tier, channel, measure');
    expect(after.rows).toEqual(before.rows);
    expect((await sam('/v1/analytics/tickets', at)).status).toBe(200);
    await own.stop();
  });

  const readiness = async (at: string): Promise<{ status: number; body: any }> => {
    const answer = await fetch(`${at}/health/ready`);
    return { status: answer.status, body: await answer.json() };
  };

  it('another log under their tables stops them, and the process says which command helps', async () => {
    await pool.query(`UPDATE knowledge.state SET source = '/covenant/logs/another'`);
    await pool.query(`DELETE FROM log.events WHERE type = 'desk.ticket-closed.v99'`);
    await pool.query(`DELETE FROM knowledge.positions`);
    const own = DeskProcess.start({ env, app: 'knowledge-base' });
    const at = await own.address();
    await eventually(async () => {
      const { body } = await readiness(at);
      expect(body.errors).toEqual([{ field: 'knowledge', problem: 'other-log' }]);
      return true;
    });
    expect(String((await eventually(() => own.line('a consumer stopped'))).reason)).toContain(
      'npm run covenant -- consumers rebuild knowledge',
    );
    await own.stop();
    const { out } = await runCovenant(['consumers', 'rebuild', 'knowledge'], env);
    expect(out).toMatch(/^knowledge: rebuilt from [1-9]\d* messages: the tables were of another log$/m);
    const again = DeskProcess.start({ env, app: 'knowledge-base' });
    const renewed = await again.address();
    await eventually(async () => (await readiness(renewed)).status === 200);
    await again.stop();
  });
});
