import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import pg from 'pg';
import { openAnalyticsTables } from '#adapters/consumers-postgres';
import { kafkaFeed, kafkaOutlet, type KafkaOutletOptions } from '#adapters/feed-kafka';
import { openPostgresLog, openPostgresVault, type PostgresLog } from '#adapters/log-postgres';
import { ticket } from '#domain/desk';
import { ENGINE, type Policies } from '#domain/sla';
import { civilDay, NEWEST_ZONE_RULES, pause, schemaCheck } from '#edge';
import { analytics } from '#engine/analytics';
import { announce, OutletUnavailable } from '#engine/announce';
import { everyEvent, upcasters, type HouseEvent } from '#engine/catalogue';
import { consume, type Feed } from '#engine/feed';
import { identities } from '#engine/identity';
import { policyBook, recordBuiltIn } from '#engine/policies';
import { codec, NO_STREAM, type Append, type Codec, type Means } from '#engine/store';
import { decideInTurn, silent, toInstant, uuidV7, type Actor, type Recorded } from '#kernel';
import { median, percentile, type BenchContext } from './bench.js';
import { writeHistories } from './histories.js';
import { kafkaFromMaven, NoKafka, type KafkaServer } from './kafka.js';
import { pages } from './replay.js';

const TICKETS_WRITTEN = 20_000;
const AT_ONCE = 512;
/** Counted; one before them finds the broker cold. */
const ROUNDS = 3;
/** Messages a second, and for how many seconds. */
const PACE = 1_000;
const PACED_S = 20;
/** Of which the first are not counted: a group's first fetches wait for what nobody has written. */
const UNCOUNTED_S = 2;
const START_MS = 30_000;
/** With less time than this no further round is begun. */
const RESERVE_MS = 120_000;

const RELAY = fileURLToPath(new URL('../../../relay/src/main.js', import.meta.url));

const BARS = {
  rate: 'messages a second from the log to the consumer',
  late: 'end to end p99 at 1,000 a second',
} as const;

const freshId = () => uuidV7(Date.now(), randomBytes(10));

/**
 * Log → relay → Kafka → consumer, each message checked against its schema and taken into the consumer's tables:
 * first a log that stands there, as fast as it goes, then appends at a pace. Broker, relay, PostgreSQL and the
 * consumer (in this process) share the machine.
 */
export async function feed(bench: BenchContext): Promise<void> {
  const { secrets, masterKey } = freshSecrets();
  const url = await bench.database();
  const log = await openPostgresLog({ url });
  try {
    const vault = await openPostgresVault({ pool: log.pool, masterKey });
    const chance = { bytes: (count: number) => randomBytes(count) };
    const codecs = codec({ catalogue: everyEvent, vault, chance, upcasters });
    const means: Means = { store: log, codec: codecs, chance, clock: Date, engine: ENGINE };
    await recordBuiltIn(means, 'default', 'UTC');
    const policies = (await policyBook(log, codecs, ['default'])).current();
    bench.progress(`writing the histories of ${TICKETS_WRITTEN} tickets`);
    await writeHistories(means, policies, {
      tickets: TICKETS_WRITTEN,
      atOnce: AT_ONCE,
      progress: (text) => bench.progress(text),
    });
    await log.pool.query('ANALYZE');
    const messages = await weighed(bench, log, codecs);
    const env = { DATABASE_URL: url, ...secrets };

    await onKafka(async (kafka) => {
      bench.progress(`Kafka ${kafka.version}`);
      const rates: number[] = [];
      for (let round = 0; round <= ROUNDS && (round < 2 || bench.left() > RESERVE_MS); round++) {
        const last = round === ROUNDS;
        const way = await openWay(bench, kafka, env);
        try {
          const rate = (messages * 1000) / (await way.digested(messages));
          bench.progress(`  round ${round}: ${Math.round(rate)} messages/s`);
          if (round > 0) rates.push(rate);
          if (last) {
            await way.weigh(messages);
            await paced(bench, way, log, await openings(means, policies));
          }
        } finally {
          await way.close();
        }
        await withoutTopics(kafka);
      }
      const rate = median(rates);
      bench.figure(BARS.rate, rate, 'messages/s');
      bench.bar(BARS.rate, rate);
    });
  } catch (error) {
    if (!(error instanceof NoKafka)) throw error;
    for (const name of Object.values(BARS)) bench.bar(name, 0, `no Kafka: ${error.message}`);
  } finally {
    await log.close();
  }
}

async function onKafka(work: (kafka: KafkaServer) => Promise<void>): Promise<void> {
  const kafka = await kafkaFromMaven();
  try {
    await work(kafka);
  } finally {
    await kafka.stop();
  }
}

function freshSecrets(): { readonly secrets: Record<string, string>; readonly masterKey: Buffer } {
  const masterKey = randomBytes(32);
  return {
    masterKey,
    secrets: {
      MASTER_KEY: masterKey.toString('base64'),
      AUTH_SECRET: randomBytes(32).toString('base64'),
      IDENTITY_SECRET: randomBytes(32).toString('base64'),
    },
  };
}

/** The broker stays, warm, and knows nothing of a desk any more. */
async function withoutTopics({ brokers }: KafkaServer): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((name) => name.startsWith('covenant.'));
    await admin.deleteTopics({ topics });
    while ((await admin.listTopics()).some((name) => topics.includes(name)))
      await new Promise((resolve) => setTimeout(resolve, 100));
  } finally {
    await admin.disconnect();
  }
}

/** How many public messages the log makes, and what they weigh. */
async function weighed(bench: BenchContext, log: PostgresLog, { decode }: Codec): Promise<number> {
  const source = await log.identity();
  let messages = 0;
  let bytes = 0;
  let packed = 0;
  for await (const page of pages(log)) {
    const values = page.flatMap((event) =>
      announce(decode(event) as Recorded<HouseEvent>, source).map(({ message }) => JSON.stringify(message)),
    );
    messages += values.length;
    for (const value of values) bytes += value.length;
    // About what a transaction of the relay brings one partition.
    for (let i = 0; i < values.length; i += 100) packed += gzipSync(values.slice(i, i + 100).join('')).length;
  }
  bench.figure('messages of the log', messages, 'messages');
  bench.figure('a message', bytes / messages, 'bytes');
  bench.figure('a message packed among a hundred', packed / messages, 'bytes');
  return messages;
}

/** Relay and consumer on one Kafka, both with nothing done yet. */
interface Way {
  /** Milliseconds from the first message taken in until so many were. */
  digested(messages: number): Promise<number>;
  /** When a message was committed to the consumer's tables, milliseconds of `performance.now()`. */
  readonly taken: ReadonlyMap<string, number>;
  weigh(messages: number): Promise<void>;
  close(): Promise<void>;
}

async function openWay(
  bench: BenchContext,
  { brokers }: KafkaServer,
  env: Readonly<Record<string, string>>,
): Promise<Way> {
  const address = { brokers: brokers.split(','), logger: silent };
  await makeTopics(address);
  const url = await bench.database();
  const tables = await openAnalyticsTables({ url, logger: silent });
  const source = kafkaFeed(address);
  const taken = new Map<string, number>();
  let began = 0;
  let latest = 0;
  const watched: Feed = {
    kind: source.kind,
    get reachable() {
      return source.reachable;
    },
    follow: (following) =>
      source.follow({
        ...following,
        take: async (deliveries) => {
          await following.take(deliveries);
          const now = performance.now();
          began ||= now;
          latest = now;
          for (const { value } of deliveries.records) taken.set(idOf(value), now);
        },
      }),
    bury: (consumer, letters) => source.bury(consumer, letters),
    close: () => source.close(),
  };
  const stop = new AbortController();
  const consuming = consume(
    {
      consumer: analytics({ zone: 'UTC', tzdb: NEWEST_ZONE_RULES, dayOf: civilDay }),
      store: tables.store,
      feed: watched,
      check: schemaCheck(),
      logger: silent,
      pause,
    },
    stop.signal,
  );
  consuming.catch(() => stop.abort()); // met when the way is closed
  let relay: ChildProcess | undefined;
  const close = async (): Promise<void> => {
    stop.abort();
    if (relay && relay.exitCode === null) {
      relay.kill('SIGTERM');
      await once(relay, 'exit');
    }
    await watched.close();
    await consuming.finally(() => tables.close());
  };
  try {
    await until(() => watched.reachable, START_MS, 'the consumer joined');
    relay = spawn(process.execPath, ['--max-semi-space-size=64', RELAY], {
      env: {
        PATH: process.env.PATH,
        ...env,
        KAFKA_BROKERS: brokers,
        DATA_DIR: bench.folder,
        PORT: '0',
        NODE_ENV: 'production',
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await until(() => taken.size > 0 || relay!.exitCode !== null, START_MS, 'the first message came');
    if (relay.exitCode !== null) throw new Error(`the relay ended with ${relay.exitCode}`);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    taken,
    digested: async (messages) => {
      await until(() => taken.size >= messages, bench.left(), 'every message came');
      if (taken.size > messages) throw new Error(`${taken.size} messages came of ${messages}`);
      return latest - began;
    },
    weigh: async (messages) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query<{ bytes: string }>(
        `SELECT sum(pg_total_relation_size(c.oid)) AS bytes
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'analytics' AND c.relkind = 'r'`,
      );
      await client.end();
      bench.figure('the consumer’s tables on disk', Number(rows[0]!.bytes) / messages, 'bytes/message');
    },
    close,
  };
}

/** So that the consumer can join before the relay has anything to bring; topics just made have no leader at first. */
async function makeTopics(address: KafkaOutletOptions): Promise<void> {
  const outlet = kafkaOutlet(address);
  for (const end = performance.now() + START_MS; ;) {
    try {
      return await (await outlet.hold()).release();
    } catch (error) {
      if (!(error instanceof OutletUnavailable) || performance.now() > end) throw error;
    }
  }
}

const ID = /"id":"([0-9a-f-]{36})"/;
const idOf = (value: string): string => ID.exec(value)![1]!;

/** Openings of tickets, decided and sealed beforehand, so that appending them takes little of this process. */
async function openings(means: Means, policies: Policies): Promise<readonly Append[]> {
  const ids = identities(randomBytes(32));
  const requester = ids.person('bench', 'requester');
  const by: Actor = { id: requester, role: 'agent' };
  const occurredAt = toInstant(Math.floor(Date.now() / 1000));
  const appends: Append[] = [];
  for (let i = 0; i < PACE * PACED_S; i++) {
    const stream = `ticket-${freshId()}`;
    const decided = decideInTurn(
      ticket,
      means.codec.catalogue,
      ticket.initial,
      [
        {
          ...{ type: 'open-ticket', occurredAt, by, policies, number: `T-${900_000 + i}` },
          ...{ channel: 'e-mail', requester, tier: 'base', priority: 3, policy: 'default' },
          ...{ subject: `ticket ${i}`, text: 'x'.repeat(200), importing: false, carriesMessages: true },
        },
      ],
      occurredAt,
      by,
    );
    if ('refused' in decided) throw new Error(decided.refused.code);
    const prepared = await means.codec.prepare(decided.facts, [freshId()], {
      occurredAt,
      actor: by,
      correlation: stream,
      engine: means.engine,
    });
    appends.push({ stream, expected: NO_STREAM, events: prepared.map(({ event }) => event) });
  }
  return appends;
}

/** Appends at a pace; each message's time is from asking for the append to the commit in the consumer's tables. */
async function paced(
  bench: BenchContext,
  { taken }: Way,
  log: PostgresLog,
  appends: readonly Append[],
): Promise<void> {
  bench.progress(`appending ${PACE} a second for ${PACED_S} s`);
  const before = taken.size;
  const asked = new Map<string, number>();
  const answers: Promise<unknown>[] = [];
  const began = performance.now();
  for (const [i, append] of appends.entries()) {
    const due = began + (i * 1000) / PACE;
    if (due > performance.now()) await pause(due - performance.now(), bench.signal);
    asked.set(append.events[0]!.id, performance.now());
    answers.push(log.append(append));
  }
  const took = performance.now() - began;
  await Promise.all(answers);
  await until(() => taken.size >= before + appends.length, 30_000, 'the last message came');
  const times = [...asked].slice(PACE * UNCOUNTED_S).map(([id, at]) => taken.get(id)! - at);
  bench.figure('pace kept', (appends.length * 1000) / took, 'messages/s');
  bench.figure('end to end p50 at 1,000 a second', percentile(times, 0.5), 'ms');
  const p99 = percentile(times, 0.99);
  bench.figure(BARS.late, p99, 'ms');
  const kept = (appends.length * 1000) / took >= 0.98 * PACE;
  bench.bar(BARS.late, p99, kept ? undefined : 'the pace was not kept');
}

async function until(condition: () => boolean, milliseconds: number, what: string): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${Math.round(milliseconds)} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
