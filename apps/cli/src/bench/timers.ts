import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { openPostgresLog, type PostgresLog } from '#adapters/log-postgres';
import { openViews, type ViewsDatabase } from '#adapters/views-postgres';
import { pause } from '#edge';
import {
  silent,
  toOrdinal,
  toSeconds,
  type EpochSeconds,
  type Instant,
  type Micros,
  type Position,
} from '#kernel';
import { percentile, type BenchContext } from './bench.js';
import { answering, freePort, peakOf, stop } from './programs.js';
import { openDesk, openUnanswered } from './unanswered.js';

export interface TimersSizes {
  /** Tickets due at one instant. */
  readonly atOnce: number;
  /** Then so many a second … */
  readonly pace: number;
  /** … for so many seconds. */
  readonly seconds: number;
}

const SIZES: TimersSizes = { atOnce: 100_000, pace: 1_000, seconds: 30 };
/** Written and projected first, to know how long the rest of the set-up will take. */
const TRIAL = 4_000;
/** Part of the time that the trial says, for a machine that is not always equally fast; and seconds more. */
const ALLOWANCE = 1.3;
const SPARE_S = 8;

const PAGE = 2_000;
const LOOK_MS = 500;
const BREACHED = 'sla.clock-breached.v1';

const PROGRAMS = {
  projector: '../../../projector/src/main.js',
  timekeeper: '../../../timekeeper/src/main.js',
} as const;

const BARS = {
  all: '100,000 due at one instant, all recorded',
  late: 'lateness p99 at 1,000 due a second',
} as const;

const nowOf = async (log: PostgresLog): Promise<EpochSeconds> => (await log.now()) / 1e6;

/**
 * The timekeeper and the projector, each in a process of its own, beside PostgreSQL on one machine. The
 * timekeeper starts when the tickets stand in the read model: it has seen none of them. Everything is read off
 * the log afterwards: when each fact was recorded, by the server's clock, and that there is one for each due.
 */
export function timers(bench: BenchContext): Promise<void> {
  return timersOf(bench, SIZES);
}

export async function timersOf(bench: BenchContext, sizes: TimersSizes): Promise<void> {
  const url = await bench.database();
  const masterKey = randomBytes(32);
  const log = await openPostgresLog({ url });
  const views = await openViews({ url, logger: silent });
  const children: ChildProcess[] = [];
  const start = async (program: keyof typeof PROGRAMS): Promise<ChildProcess> => {
    const port = await freePort();
    // The options of this process, but for the young generation that `npm run start:timekeeper` has no need of.
    const options = process.execArgv.filter(
      (option) => program !== 'timekeeper' || !option.startsWith('--max-semi-space-size'),
    );
    const child = spawn(
      process.execPath,
      [...options, fileURLToPath(new URL(PROGRAMS[program], import.meta.url))],
      {
        env: {
          PATH: process.env.PATH,
          DATABASE_URL: url,
          DATA_DIR: bench.folder,
          PORT: String(port),
          NODE_ENV: 'production',
          LOG_LEVEL: 'warn',
          MASTER_KEY: masterKey.toString('base64'),
          AUTH_SECRET: randomBytes(32).toString('base64'),
          IDENTITY_SECRET: randomBytes(32).toString('base64'),
        },
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    children.push(child);
    await answering(child, program, `http://127.0.0.1:${port}/health/ready`);
    return child;
  };
  try {
    const desk = await openDesk(log, masterKey);
    await start('projector');
    const setUp = async (dues: readonly EpochSeconds[]): Promise<void> => {
      await openUnanswered(desk, dues);
      await projected(bench, log, views);
    };

    const began = performance.now();
    const trialDue = (await nowOf(log)) + 86_400;
    await setUp(Array.from({ length: TRIAL }, () => Math.floor(trialDue)));
    const perTicket = (performance.now() - began) / 1000 / TRIAL;
    /** When a set-up of so many tickets will surely be over. */
    const after = async (tickets: number): Promise<EpochSeconds> =>
      Math.ceil((await nowOf(log)) + tickets * perTicket * ALLOWANCE + SPARE_S);

    bench.progress(`opening ${sizes.atOnce} tickets`);
    const one = await after(sizes.atOnce);
    await setUp(Array.from({ length: sizes.atOnce }, () => one));
    await log.pool.query('ANALYZE');
    const timekeeper = await start('timekeeper');
    const from = Math.max(one + 1, await nowOf(log));
    bench.progress(`they are due in ${Math.round(one - (await nowOf(log)))} s`);
    const behind = (await log.head()).position;
    await untilTime(bench, log, one);
    const first = await breaches(bench, log, behind, { count: sizes.atOnce, seconds: 120 });
    const last = Math.max(...first.map(({ recordedAt }) => recordedAt)) / 1e6;
    bench.figure('all recorded after', last - from, 's');
    bench.figure('recorded a second', sizes.atOnce / (last - from), 'facts/s');
    bench.bar(BARS.all, last - from);
    await projected(bench, log, views);

    const paced = sizes.pace * sizes.seconds;
    bench.progress(`opening ${paced} tickets, then due at ${sizes.pace} a second`);
    const firstDue = await after(paced);
    const dues = Array.from({ length: paced }, (_, i) => firstDue + Math.floor(i / sizes.pace));
    const opened = (await log.head()).position;
    await setUp(dues);
    const early = (await nowOf(log)) < firstDue;
    await untilTime(bench, log, dues.at(-1)!);
    const second = await breaches(bench, log, opened, { count: paced, seconds: 90 });
    const late = second.map(({ due, recordedAt }) => recordedAt / 1e6 - toSeconds(due) - 1);
    const p99 = percentile(late, 0.99);
    bench.figure('lateness p50', percentile(late, 0.5), 's');
    bench.figure('lateness p99', p99, 's');
    bench.figure('lateness at most', Math.max(...late), 's');
    const peak = await peakOf(timekeeper.pid!);
    if (peak !== null) bench.figure('peak memory of the timekeeper', peak, 'MB');
    bench.bar(BARS.late, p99, early ? undefined : 'some were due before all were opened');
  } finally {
    await Promise.all(children.map(stop));
    await views.close();
    await log.close();
  }
}

/** Waits until the read models hold what the log holds now. */
async function projected(bench: BenchContext, log: PostgresLog, views: ViewsDatabase): Promise<void> {
  const { position } = await log.head();
  while ((await views.passed()) < position) {
    if (bench.signal.aborted) throw new Error('the read models did not get there in time');
    await pause(50, bench.signal);
  }
}

async function untilTime(bench: BenchContext, log: PostgresLog, time: EpochSeconds): Promise<void> {
  for (let left = time - (await nowOf(log)); left > 0; left = time - (await nowOf(log))) {
    if (bench.signal.aborted) throw new Error('the time is over');
    await pause(left * 1000, bench.signal);
  }
}

interface Recorded {
  readonly due: Instant;
  readonly recordedAt: Micros;
}

/**
 * What was recorded as overdue behind a position, once it is so many and no more come; each stream has one such
 * fact, and each says its due instant as when it occurred.
 */
async function breaches(
  bench: BenchContext,
  log: PostgresLog,
  after: Position,
  { count, seconds }: { readonly count: number; readonly seconds: number },
): Promise<readonly Recorded[]> {
  const present = async (): Promise<number> => {
    const { rows } = await log.pool.query<{ count: string }>(
      'SELECT count(*) FROM log.events WHERE ordinal > $1 AND type = $2',
      [toOrdinal(after), BREACHED],
    );
    return Number(rows[0]!.count);
  };
  const end = performance.now() + seconds * 1000;
  for (let before = 0, now = 0; now < count || now > before;) {
    if (bench.signal.aborted || performance.now() > end)
      throw new Error(`${now} of ${count} were recorded within ${Math.round(seconds)} s`);
    await pause(LOOK_MS, bench.signal);
    before = now;
    now = await present();
  }
  const found: Recorded[] = [];
  const streams = new Set<string>();
  for (let page = await log.readAll(after, PAGE); page.length > 0;) {
    for (const { type, stream, body, recordedAt } of page) {
      if (type !== BREACHED) continue;
      const { at, data } = JSON.parse(body) as { at: Instant; data: { due: Instant } };
      if (at !== data.due) throw new Error(`${stream}: due ${data.due}, but it occurred at ${at}`);
      if (streams.has(stream)) throw new Error(`${stream}: recorded twice`);
      streams.add(stream);
      found.push({ due: data.due, recordedAt });
    }
    page = await log.readAll(page.at(-1)!.position, PAGE);
  }
  if (found.length !== count) throw new Error(`${found.length} facts for ${count} dues`);
  return found;
}
