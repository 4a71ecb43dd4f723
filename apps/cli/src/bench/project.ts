import { randomBytes } from 'node:crypto';
import { openPostgresLog, openPostgresVault, type PostgresLog } from '#adapters/log-postgres';
import { openViews } from '#adapters/views-postgres';
import { ENGINE } from '#domain/sla';
import { pause } from '#edge';
import { everyEvent, upcasters } from '#engine/catalogue';
import { policyBook, recordBuiltIn } from '#engine/policies';
import { codec, type Codec, type Means } from '#engine/store';
import { everyView, project } from '#engine/views';
import { silent } from '#kernel';
import type { BenchContext } from './bench.js';
import { writeHistories } from './histories.js';
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
};

export async function projecting(bench: BenchContext): Promise<void> {
  const url = await bench.database();
  const log = await openPostgresLog({ url });
  const vault = await openPostgresVault({ pool: log.pool, masterKey: randomBytes(32) });
  try {
    const chance = { bytes: (count: number) => randomBytes(count) };
    const codecs = codec({ catalogue: everyEvent, vault, chance, upcasters });
    const means: Means = { store: log, codec: codecs, chance, clock: Date, engine: ENGINE };
    await recordBuiltIn(means, 'default', 'UTC');
    const policies = (await policyBook(log, codecs, ['default'])).current();
    bench.progress(`writing the histories of ${TICKETS} tickets`);
    await writeHistories(means, policies, {
      tickets: TICKETS,
      atOnce: AT_ONCE,
      progress: (text) => bench.progress(text),
    });
    await log.pool.query('ANALYZE log.events');

    const first = await bench.database();
    const events = await catchUp(first, log, codecs).then((run) => run.events);
    bench.figure('events of the log', events, 'events');
    const reference = await BulkWrite.of(first, TABLES, Math.ceil(events / PAGE));
    try {
      await bench.compare({
        name: 'catch-up of all views',
        unit: 'events/s',
        ours: async () => (await catchUp(await bench.database(), log, codecs)).rate,
        reference: async () => {
          await reference.empty();
          const began = performance.now();
          const read = await reference.run(pages(log, PAGE));
          return (read * 1000) / (performance.now() - began);
        },
        bar: 'catch-up against bulk writing',
      });
    } finally {
      await reference.close();
    }
  } finally {
    await log.close();
  }
}

/** All views from the beginning of the log to its end, into an empty database. */
async function catchUp(
  url: string,
  log: PostgresLog,
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
