import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openPostgresLog, type PostgresLog } from '#adapters/log-postgres';
import { mintToken } from '#edge';
import { START, toInstant } from '#kernel';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { recordSharpPolicy } from '../../support/sharp-policy.js';
import { DeskProcess, SECRETS } from '../edge/desk-process.js';

jest.setTimeout(90_000);

let database: FreshDatabase;
let log: PostgresLog;
let desks: DeskProcess[];

beforeAll(async () => {
  desks = [];
  database = await freshDatabase();
  log = await openPostgresLog({ url: database.url });
  await recordSharpPolicy(log, { 1: [2, 4], 2: [3600, 7200], 3: [3600, 7200], 4: [3600, 7200] });
});
afterAll(async () => {
  for (const desk of desks) await desk.stop();
  await log.close();
  await database.drop();
});

function start(options: Omit<Parameters<typeof DeskProcess.start>[0], 'env'> = {}): DeskProcess {
  const desk = DeskProcess.start({ env: { ...SECRETS, DATABASE_URL: database.url }, ...options });
  desks.push(desk);
  return desk;
}

const events = () => log.readAll(START, 10_000);
const ofType = async (type: string) => (await events()).filter((event) => event.type === type);

async function asks(
  address: string,
  path: string,
  body: object,
  role: 'agent' | 'integration' = 'agent',
): Promise<Response> {
  const token = await mintToken(Buffer.from(SECRETS.AUTH_SECRET), { role, name: 'alice' });
  return fetch(address + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function opens(address: string, priority: number): Promise<string> {
  const opened = await asks(address, '/v1/tickets', {
    subject: 'Printer',
    text: 'It burns.',
    channel: 'phone',
    priority,
  });
  expect(opened.status).toBe(201);
  return ((await opened.json()) as { id: string }).id;
}

describe('The timekeeper beside other processes on one database', () => {
  it('records what falls due within a second of its time, and nothing while a clock is a year ahead', async () => {
    // Neither of these two records anything that time brings: one has no timekeeper, the other no right clock.
    const api = start({ app: 'api' });
    const projector = start({ app: 'projector' });
    const ahead = start({ app: 'timekeeper', preload: ['./year-ahead.mjs'] });
    await Promise.all([projector.address(), ahead.address()]);
    const ticket = await opens(await api.address(), 1);
    await eventually(async () => (await log.now()) / 1e6 > (await dueOf(ticket)) + 3, { within: 20_000 });
    expect(await ofType('sla.clock-breached.v1')).toEqual([]);
    expect(ahead.line('the timekeeper waits')).toMatchObject({ problem: 'ClockUntrusted' });
    const oldest = async (of: DeskProcess) =>
      figure(await metricsOf(await of.address()), 'covenant_timer_oldest_due_seconds');
    expect(await oldest(ahead)).toBeGreaterThan(1);

    const timekeeper = start({ app: 'timekeeper' });
    await timekeeper.address();
    const later = await opens(await api.address(), 1);
    await eventually(async () => (await ofType('sla.clock-breached.v1')).length === 4, { within: 20_000 });
    const breaches = (await ofType('sla.clock-breached.v1')).map(({ stream, body, recordedAt }) => {
      const { at, data } = JSON.parse(body) as { at: string; data: { clock: string; due: string } };
      return {
        ticket: stream.slice('ticket-'.length),
        at,
        ...data,
        late: recordedAt / 1e6 - Date.parse(at) / 1e3 - 1,
      };
    });
    for (const { at, due, late } of breaches) {
      expect(at).toBe(due);
      expect(late).toBeGreaterThanOrEqual(0);
    }
    const punctual = breaches.filter((breach) => breach.ticket === later);
    expect(punctual.map(({ clock }) => clock)).toEqual(['first-response', 'resolution']);
    // Half a second between looks, and a machine that does other things as well.
    for (const { late } of punctual) expect(late).toBeLessThan(2);

    await eventually(async () => (await oldest(timekeeper)) === 0, { within: 20_000, what: 'none waits' });
    const { count, sum } = await lateness(await timekeeper.address());
    expect(count).toBe(4);
    expect(sum).toBeCloseTo(
      breaches.reduce((all, { late }) => all + late, 0),
      3,
    );
  });

  it('counts the pauses that somebody forgot', async () => {
    const [address, timekeeper] = [await desks[0]!.address(), await desks.at(-1)!.address()];
    const forgotten = async () => figure(await metricsOf(timekeeper), 'covenant_forgotten_pauses');
    expect(await forgotten()).toBe(0);
    const daysAgo = (days: number) => toInstant(Date.now() / 1000 - days * 86_400);
    const opened = await asks(
      address,
      '/v1/tickets',
      { subject: 'Printer', text: 'It burns.', channel: 'phone', priority: 3, occurredAt: daysAgo(15.1) },
      'integration',
    );
    const { id } = (await opened.json()) as { id: string };
    const hold = { reason: 'requester', occurredAt: daysAgo(15.09) };
    expect((await asks(address, `/v1/tickets/${id}/hold`, hold, 'integration')).status).toBe(200);
    await eventually(async () => (await forgotten()) === 1, { within: 20_000, what: 'it is counted' });

    const another = start({ app: 'timekeeper' });
    await eventually(() => another.line('pauses were forgotten') !== undefined, {
      within: 20_000,
      what: 'the log says so',
    });
    expect(another.line('pauses were forgotten')).toMatchObject({ tickets: 1, limitDays: 14 });
  });

  it('completes a merge that an api process began, and mirrors a link', async () => {
    const address = await desks[0]!.address();
    const [survivor, duplicate] = [await opens(address, 3), await opens(address, 3)];
    expect((await asks(address, `/v1/tickets/${survivor}/merge`, { duplicate })).status).toBe(200);
    await eventually(async () => (await ofType('desk.merge-completed.v1')).length === 1, { within: 20_000 });
    expect((await ofType('desk.ticket-merged.v1')).map(({ stream }) => stream)).toEqual([
      `ticket-${duplicate}`,
    ]);
    const other = await opens(address, 3);
    expect((await asks(address, `/v1/tickets/${survivor}/link`, { other, kind: 'causes' })).status).toBe(200);
    await eventually(async () => (await ofType('desk.tickets-linked.v1')).length === 2, { within: 20_000 });
    const [, mirror] = await ofType('desk.tickets-linked.v1');
    expect(mirror!.stream).toBe(`ticket-${other}`);
    expect(JSON.parse(mirror!.body)).toMatchObject({ data: { other: survivor, kind: 'caused-by' } });
  });
});

const metricsOf = async (address: string): Promise<string> => (await fetch(`${address}/metrics`)).text();

function figure(text: string, name: string): number {
  const found = text.split('\n').find((line) => line.startsWith(`${name} `));
  return Number(found?.slice(name.length + 1));
}

/** Of all facts that this process recorded, in seconds. */
async function lateness(address: string): Promise<{ readonly count: number; readonly sum: number }> {
  const text = await metricsOf(address);
  return {
    count: figure(text, 'covenant_timer_lateness_seconds_count'),
    sum: figure(text, 'covenant_timer_lateness_seconds_sum'),
  };
}

/** Seconds since 1970 at which the first response to a ticket is due. */
async function dueOf(ticket: string): Promise<number> {
  const [opened] = await log.readStream(`ticket-${ticket}`);
  const { data } = JSON.parse(opened!.body) as { data: { clocks: { clock: string; due: string }[] } };
  return Date.parse(data.clocks[0]!.due) / 1000;
}
