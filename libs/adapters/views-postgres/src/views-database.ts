import type pg from 'pg';
import { openDataSource, openPool, problemOf } from '#adapters/postgres';
import type { ViewStore } from '#engine/views';
import type { Logger, Position } from '#kernel';
import { entities, LIVE } from './entities.js';
import { migrations } from './migrations.js';
import { postgresViewStore } from './postgres-view-store.js';
import { viewQueries, type ViewQueries } from './queries.js';
import { CHANNEL, Waiting, type Wait, type Waited } from './waiting.js';

export interface ViewsDatabaseOptions {
  readonly url: string;
  /** Connections for queries; the projector takes a few more of its own. */
  readonly poolSize?: number;
  readonly logger: Logger;
}

/** The read models: what the projector writes and the api asks. */
export interface ViewsDatabase extends ViewQueries {
  readonly store: ViewStore;
  /** Waits, bounded, until views have passed a position of the log (read your own writes; ruling 12). */
  waitFor(position: Position, wait: Wait): Promise<Waited>;
  /** Reachable, at the needed schema (ruling 52)? Rejects where not. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

const WRITERS = 3;

/** Connects and brings the schema up to date; whoever comes meanwhile waits, at most a minute (ruling 48). */
export async function openViews(options: ViewsDatabaseOptions): Promise<ViewsDatabase> {
  const { url, poolSize = 5, logger } = options;
  const to = 'the views';
  const dataSource = await openDataSource({
    ...{ url, schema: LIVE, entities, migrations, poolSize },
    ...{ application: 'covenant queries', to, logger },
  });
  const pool = openPool({ url, size: WRITERS, application: 'covenant views', to, logger });
  const waiting = new Waiting({ url, pool, logger });

  const notify = news(pool, logger);
  const store = postgresViewStore({
    url,
    pool,
    dataSource,
    logger,
    moved: (positions) => {
      waiting.moved(positions);
      notify();
    },
  });
  return {
    ...viewQueries(dataSource),
    store,
    waitFor: (position, wait) => waiting.waitFor(position, wait),
    ready: async () => {
      await dataSource.query(`SELECT 1 FROM ${LIVE}.checkpoints LIMIT 1`);
    },
    close: async () => {
      await waiting.close();
      await notify.settled();
      await dataSource.destroy();
      await pool.end();
    },
  };
}

/**
 * Tells other processes that views have moved. After the commit and in a statement of its own: inside the
 * transaction the notice would make its commit and every notifying append wait for each other. One at a time:
 * what moves meanwhile is told by the next.
 */
function news(pool: pg.Pool, logger: Logger): { (): void; settled(): Promise<void> } {
  let running: Promise<void> | null = null;
  let again = false;
  const run = async (): Promise<void> => {
    do {
      again = false;
      try {
        await pool.query(`NOTIFY ${CHANNEL}`);
      } catch (error) {
        logger.warn({ problem: problemOf(error) }, 'other processes look at the views by themselves');
      }
    } while (again);
    running = null;
  };
  const notify = (): void => {
    if (running) again = true;
    else running = run();
  };
  return Object.assign(notify, { settled: async () => (await running) ?? undefined });
}
