import { randomBytes } from 'node:crypto';
import { openEventStoreDbLog } from '#adapters/log-eventstoredb';
import { openPostgresLog, openPostgresSeal, openPostgresVault } from '#adapters/log-postgres';
import { openViews } from '#adapters/views-postgres';
import { ENGINE } from '#domain/sla';
import { pause } from '#edge';
import { categories, everyEvent, upcasters } from '#engine/catalogue';
import { policyBook, recordBuiltIn } from '#engine/policies';
import {
  codec,
  sealing,
  type Codec,
  type EventStore,
  type Means,
  type Seal,
  type SealHead,
} from '#engine/store';
import { everyView, project } from '#engine/views';
import { silent } from '#kernel';
import pg from 'pg';
import type { BenchContext } from './bench.js';
import { doubleIn } from './eventstoredb.js';
import { writeHistories } from './histories.js';
import { bareClient } from './references/bare-client.js';
import { BulkWrite } from './references/bulk-write.js';
import { pages } from './replay.js';

const TICKETS = 20_000;
const AT_ONCE = 512;
const PAGE = 2_000;

/** Rows by table in the order in which the log has them. */
const TABLES = {
  tickets: 'opened',
  timeline: 'position',
  queue_items: 'opened',
  queues: 'id',
  people: 'id',
  pending_dues: 'ticket',
  attainment: 'ticket',
};

/** A log to project, and what it takes to read it with nothing in between. */
interface Projected {
  readonly log: EventStore;
  /** Of the PostgreSQL that the vault lies in. */
  readonly pool: pg.Pool;
  /** Of a log that needs one. */
  readonly seal?: Seal;
  /** Behind the names of figures: ` over EventStoreDB`. */
  readonly over: string;
  readonly bare: () => AsyncIterable<{ readonly length: number }>;
  close(): Promise<void>;
}

export async function projecting(bench: BenchContext): Promise<void> {
  if (bench.log !== 'eventstoredb') await measured(bench, await inPostgres(bench));
  if (bench.log !== 'postgres') await measured(bench, await inEventStoreDb(bench));
}

async function inPostgres(bench: BenchContext): Promise<Projected> {
  const log = await openPostgresLog({ url: await bench.database() });
  return { log, pool: log.pool, over: '', bare: () => pages(log, PAGE), close: () => log.close() };
}

async function inEventStoreDb(bench: BenchContext): Promise<Projected> {
  const double = bench.eventStoreUrl === undefined ? await doubleIn(bench.folder) : null;
  const url = bench.eventStoreUrl ?? double!.url;
  const seal = await openPostgresSeal({ url: await bench.database() });
  const log = await openEventStoreDbLog({ url, categories, seal });
  const client = bareClient(url);
  return {
    log,
    pool: seal.pool,
    seal,
    over: ' over EventStoreDB',
    bare: () => client.pages(PAGE),
    close: async () => {
      await client.close();
      await log.close();
      await seal.close();
      await double?.stop();
    },
  };
}

async function measured(bench: BenchContext, projected: Projected): Promise<void> {
  const { log, pool, seal, over, bare } = projected;
  try {
    const vault = await openPostgresVault({ pool, masterKey: randomBytes(32) });
    const chance = { bytes: (count: number) => randomBytes(count) };
    const codecs = codec({ catalogue: everyEvent, vault, chance, upcasters });
    const means: Means = { store: log, codec: codecs, chance, clock: Date, engine: ENGINE };
    await recordBuiltIn(means, 'default', 'UTC');
    const policies = (await policyBook(log, codecs, ['default'])).current();
    bench.progress(`writing the histories of ${TICKETS} tickets${over}`);
    await writeHistories(means, policies, {
      tickets: TICKETS,
      atOnce: AT_ONCE,
      progress: (text) => bench.progress(text),
    });
    await pool.query('ANALYZE');

    const first = await bench.database();
    const events = await catchUp(first, log, codecs).then((run) => run.events);
    bench.figure(`events of the log${over}`, events, 'events');
    if (seal) {
      bench.figure('sealing', (events * 1000) / (await sealed(log, seal)), 'events/s');
      bench.figure('the seal on disk', (await bytesOf(pool, 'seal')) / events, 'bytes/event');
    } else {
      bench.figure('the log on disk', (await bytesOf(pool, 'log')) / events, 'bytes/event');
      const views = new pg.Pool({ connectionString: first, max: 1 });
      const [timeline, all] = await Promise.all([
        bytesOf(views, 'views', 'timeline'),
        bytesOf(views, 'views'),
      ]);
      await views.end();
      bench.figure('the timelines on disk', timeline / events, 'bytes/event');
      bench.figure('the other views on disk', (all - timeline) / TICKETS, 'bytes/ticket');
    }
    const reference = await BulkWrite.of(first, TABLES, Math.ceil(events / PAGE));
    try {
      await bench.compare({
        name: `catch-up of all views${over}`,
        unit: 'events/s',
        ours: async () => (await catchUp(await bench.database(), log, codecs)).rate,
        reference: async () => {
          await reference.empty();
          const began = performance.now();
          const read = await reference.run(bare());
          return (read * 1000) / (performance.now() - began);
        },
        bar: `catch-up against bulk writing${over}`,
      });
    } finally {
      await reference.close();
    }
  } finally {
    await projected.close();
  }
}

/** Milliseconds in which the sealer numbers the whole log. */
async function sealed(store: EventStore, seal: Seal): Promise<number> {
  const { position: head } = await store.head();
  const done = new AbortController();
  const began = performance.now();
  const numbered = ({ position }: SealHead): void => {
    if (position >= head) done.abort();
  };
  await sealing({ store, seal, logger: silent, pause, sealed: numbered }, done.signal);
  return performance.now() - began;
}

/** A schema's tables, or one of them, with their indexes. */
async function bytesOf(pool: pg.Pool, schema: string, table?: string): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `SELECT sum(pg_total_relation_size(c.oid)) AS bytes
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind = 'r' AND ($2::text IS NULL OR c.relname = $2)`,
    [schema, table ?? null],
  );
  return Number(rows[0]!.bytes);
}

/** All views from the beginning of the log to its end, into an empty database. */
async function catchUp(
  url: string,
  log: EventStore,
  { decode }: Codec,
): Promise<{ readonly events: number; readonly rate: number }> {
  const views = await openViews({ url, logger: silent });
  try {
    const { position: head } = await log.head();
    const done = new AbortController();
    let events = 0;
    const began = performance.now();
    await project(
      {
        store: log,
        decode,
        views: everyView,
        into: views.store,
        logger: silent,
        pause,
        watch: {
          batch: (batch) => {
            events += batch.events;
            if (batch.position >= head) done.abort();
          },
        },
      },
      done.signal,
    );
    return { events, rate: (events * 1000) / (performance.now() - began) };
  } finally {
    await views.close();
  }
}
