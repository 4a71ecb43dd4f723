import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openPostgresLog, type PostgresLog } from '#adapters/log-postgres';
import { openViews, type ViewsDatabase } from '#adapters/views-postgres';
import { silent, START, toInstant, toSeconds, type Instant } from '#kernel';
import { openDesk, openUnanswered, type Desk } from '../../../apps/cli/src/bench/unanswered.js';
import { DeskProcess, SECRETS } from '../../e2e/edge/desk-process.js';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { killAgainAndAgain } from '../../support/kills.js';
import { seeded } from '../support/chance.js';

const DUES = 10_000;
/** They pass one second after the other, for so many. */
const SECONDS = 10;
/** For opening the tickets and folding them into the read model. */
const AHEAD_S = 12;
const KILLS = 4;

jest.setTimeout(180_000);

const chance = seeded();
let database: FreshDatabase;
let log: PostgresLog;
let views: ViewsDatabase;
let desk: Desk;
const processes: DeskProcess[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  log = await openPostgresLog({ url: database.url });
  views = await openViews({ url: database.url, logger: silent });
  desk = await openDesk(log, Buffer.from(SECRETS.MASTER_KEY, 'hex'));
  await start('projector').address();
});

afterAll(async () => {
  for (const process of processes) await process.stop();
  await views?.close();
  await log?.close();
  await database?.drop();
});

const options = (app: 'projector' | 'timekeeper') => ({
  app,
  env: { ...SECRETS, DATABASE_URL: database.url, LOG_LEVEL: 'info' },
});

function start(app: 'projector' | 'timekeeper'): DeskProcess {
  const process = DeskProcess.start(options(app));
  processes.push(process);
  return process;
}

/** Seconds since 1970 by the server's clock. */
const now = async (): Promise<number> => (await log.now()) / 1e6;

const recorded = async (): Promise<number> => {
  const { rows } = await log.pool.query<{ count: string }>(
    'SELECT count(*) FROM log.events WHERE type = $1',
    ['sla.clock-breached.v1'],
  );
  return Number(rows[0]!.count);
};

/** Tickets whose first responses will be due in a while, all of them in the read model. */
async function opens(): Promise<{ readonly first: number; readonly last: number }> {
  const first = Math.ceil(await now()) + AHEAD_S;
  await openUnanswered(
    desk,
    Array.from({ length: DUES }, (_, i) => first + Math.floor((i * SECONDS) / DUES)),
  );
  const { position } = await log.head();
  await eventually(async () => (await views.passed()) >= position, {
    within: 60_000,
    what: 'the tickets stand in the read model',
  });
  return { first, last: first + SECONDS - 1 };
}

const passed = (at: number) =>
  eventually(async () => (await now()) > at + 1, {
    within: 60_000,
    every: 100,
    what: 'the dues have passed',
  });

interface Breach {
  readonly stream: string;
  readonly due: Instant;
  readonly occurredAt: Instant;
  readonly recordedAt: number;
}

/** Of dues in that time. */
async function breaches(first: number, last: number): Promise<readonly Breach[]> {
  const found: Breach[] = [];
  for (let page = await log.readAll(START, 5_000); page.length > 0;) {
    for (const { type, stream, body, recordedAt } of page) {
      if (type !== 'sla.clock-breached.v1') continue;
      const { at, data } = JSON.parse(body) as { at: Instant; data: { due: Instant } };
      found.push({ stream, due: data.due, occurredAt: at, recordedAt: recordedAt / 1e6 });
    }
    page = await log.readAll(page.at(-1)!.position, 5_000);
  }
  return found.filter(({ due }) => toSeconds(due) >= first && toSeconds(due) <= last);
}

function expectOnceEach(found: readonly Breach[], first: number): void {
  expect(found).toHaveLength(DUES);
  expect(new Set(found.map(({ stream }) => stream)).size).toBe(DUES);
  const bySecond = new Map<Instant, number>();
  for (const { due, occurredAt, recordedAt } of found) {
    expect(occurredAt).toBe(due);
    expect(recordedAt).toBeGreaterThanOrEqual(toSeconds(due) + 1);
    bySecond.set(due, (bySecond.get(due) ?? 0) + 1);
  }
  expect([...bySecond].sort()).toEqual(
    Array.from({ length: SECONDS }, (_, i) => [toInstant(first + i), DUES / SECONDS]),
  );
}

const allOf = (count: number) =>
  eventually(async () => (await recorded()) >= count, {
    within: 60_000,
    every: 200,
    what: `${count} facts are recorded`,
  });

describe('Ten thousand due instants', () => {
  it('that pass while the timekeeper is killed are each recorded once, in due order, with the due as when it occurred', async () => {
    const { first, last } = await opens();
    const victim = start('timekeeper');
    await eventually(async () => (await recorded()) > DUES / 20, {
      within: 60_000,
      what: 'the first of them are recorded',
    });
    victim.signal('SIGKILL');
    await victim.ended;
    const before = await recorded();
    expect(before).toBeLessThan(DUES);
    await passed(last);
    expect(await recorded()).toBe(before);
    processes.push(
      await killAgainAndAgain({
        kills: KILLS,
        process: options('timekeeper'),
        sign: 'the desk is open',
        after: () => chance.int(300),
      }),
    );
    await allOf(DUES);
    const found = await breaches(first, last);
    expectOnceEach(found, first);
    // In due order: what is recorded together spans two seconds at most.
    let latest = 0;
    for (const { due } of found) {
      latest = Math.max(latest, toSeconds(due));
      expect(toSeconds(due)).toBeGreaterThanOrEqual(latest - 1);
    }
  });

  it('are each recorded once by two timekeepers that race, though one of them is killed', async () => {
    const rival = start('timekeeper');
    await rival.address();
    const { first, last } = await opens();
    await eventually(async () => (await recorded()) > DUES + DUES / 3, {
      within: 60_000,
      what: 'some of them are recorded',
    });
    rival.signal('SIGKILL');
    await rival.ended;
    start('timekeeper');
    await passed(last);
    await allOf(2 * DUES);
    expectOnceEach(await breaches(first, last), first);
  });
});
