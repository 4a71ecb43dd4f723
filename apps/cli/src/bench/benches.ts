import type { BarDefinition, BenchBody } from './bench.js';

export interface BenchDefinition {
  /** What is measured against what, for docs/benchmarks.md. */
  readonly about: string;
  /** One for each bar of DESIGN section 10. */
  readonly bars: readonly BarDefinition[];
  /** Loads the body only when it runs: references are development dependencies. */
  readonly load: () => Promise<BenchBody>;
}

const registered = {
  append: {
    about:
      'One event of 1 KB to a new stream, acknowledged when durable, by 1, 64 and 512 callers at once; reference: Emmett 0.42 on the same PostgreSQL, in interleaved rounds. The bar is on the median of the rounds’ ratios. Over EventStoreDB the reference is the bare client on the same server: the test double, with its log in a file, unless EVENTSTORE_URL names a real one.',
    bars: [
      { name: '1 caller', bar: 1.5, unit: '×', log: 'postgres' },
      { name: '64 callers', bar: 7, unit: '×', log: 'postgres' },
      { name: '512 callers', bar: 9, unit: '×', log: 'postgres' },
      { name: '1 caller over EventStoreDB', bar: 0.85, unit: '×', log: 'eventstoredb' },
      { name: '64 callers over EventStoreDB', bar: 0.85, unit: '×', log: 'eventstoredb' },
      { name: '512 callers over EventStoreDB', bar: 0.85, unit: '×', log: 'eventstoredb' },
    ],
    load: async () => (await import('./append.js')).append,
  },
  http: {
    about:
      'Opening a ticket over HTTP on 64 keep-alive connections, with token, validation, idempotency key, promises and log lines; the server in a process of its own, the client a few bare sockets. Reference: a bare route of the same framework that inserts one row and commits. The bars are on the median of the interleaved rounds’ ratios; lag is the time from the last answer to a read that holds it, the worst round.',
    bars: [
      { name: 'api alone', bar: 0.8, unit: '×' },
      { name: 'api alone p99', bar: 40, atMost: true, unit: 'ms' },
      { name: 'with projector and timekeeper', bar: 0.5, unit: '×' },
      { name: 'lag at the end', bar: 2, atMost: true, unit: 's' },
    ],
    load: async () => (await import('./http.js')).http,
  },
  project: {
    about:
      'Catch-up of all views over the log of a desk at work, into an empty database: rows, tallies and checkpoints under fencing tokens, batch by batch. Reference: reading the same log and bulk-writing the same rows, laid out beforehand in their last form, with nothing in between. Over EventStoreDB the reference reads with the bare client on the same server. The bars are on the median of the interleaved rounds’ ratios.',
    bars: [
      { name: 'catch-up against bulk writing', bar: 0.4, unit: '×', log: 'postgres' },
      { name: 'catch-up against bulk writing over EventStoreDB', bar: 0.4, unit: '×', log: 'eventstoredb' },
    ],
    load: async () => (await import('./project.js')).projecting,
  },
  replay: {
    about:
      'Reading the whole log and folding every stream of it; reference: scanning the same log and parsing every body. Recomputing every promise from its facts is reported beside it. Over EventStoreDB: reading the whole log and parsing every body; reference: the bare client on the same server.',
    bars: [
      { name: 'fold against scan', bar: 0.6, unit: '×', log: 'postgres' },
      { name: 'reading over EventStoreDB', bar: 0.85, unit: '×', log: 'eventstoredb' },
    ],
    load: async () => {
      const { replay } = await import('./replay.js');
      const { replayOverEventStoreDb } = await import('./replay-eventstoredb.js');
      return async (bench) => {
        if (bench.log !== 'eventstoredb') await replay(bench);
        if (bench.log !== 'postgres') await replayOverEventStoreDb(bench);
      };
    },
  },
  feed: {
    about:
      'Log → relay → Kafka → consumer: a log that stands there, announced by the relay in a process of its own, over a real Kafka of one broker, and taken in by the analytics consumer, schema check and tables included; from the first message taken in to the last, each round with topics, tables and relay anew, on a broker that one round has warmed. Then openings appended at 1,000 a second: from asking for the append to the commit in the consumer’s tables.',
    bars: [
      { name: 'messages a second from the log to the consumer', bar: 10_000, unit: 'messages/s' },
      { name: 'end to end p99 at 1,000 a second', bar: 500, atMost: true, unit: 'ms' },
    ],
    load: async () => (await import('./feed.js')).feed,
  },
  timers: {
    about:
      'Tickets nobody answers: projector and timekeeper in a process each, PostgreSQL beside them. 100,000 are due at one instant, in streams that the timekeeper, started when they stand in the read model, has never seen; measured from one second after the due instant (a stop within the due second is met) to the recording of the last fact. Then 1,000 are due each second; lateness is from one second after the due to the recording. All read off the log afterwards by the server’s clock: one fact for each due, with the due as when it occurred.',
    bars: [
      { name: '100,000 due at one instant, all recorded', bar: 60, atMost: true, unit: 's' },
      { name: 'lateness p99 at 1,000 due a second', bar: 1, atMost: true, unit: 's' },
    ],
    load: async () => (await import('./timers.js')).timers,
  },
  due: {
    about:
      'Clocks started, each with its due instant as text, over 1,000 calendars in 20 zones with holidays and exceptions; no start is computed twice, and some are checked by counting back. One thread, calendars compiled and two years of them laid out beforehand, both told beside it; the median of seven rounds of 400,000 starts.',
    bars: [{ name: 'due instants a second on one core', bar: 200_000, unit: 'starts/s' }],
    load: async () => (await import('./due.js')).due,
  },
  import: {
    about:
      'The real log of 141,712 rows and 24,918 cases, as a person runs the command on an empty data folder: from starting the program to its end, with making, starting and stopping the embedded database, reading, appending and projecting. Memory is the peak of the program itself (VmHWM), without the database’s processes.',
    bars: [
      { name: 'seconds to appended and projected', bar: 90, atMost: true, unit: 's' },
      { name: 'peak memory of the program', bar: 600, atMost: true, unit: 'MB' },
    ],
    load: async () => (await import('./import.js')).importBench,
  },
} as const satisfies Readonly<Record<string, BenchDefinition>>;

export type BenchName = keyof typeof registered;

export const benches: Readonly<Record<BenchName, BenchDefinition>> = registered;
