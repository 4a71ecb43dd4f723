import type { DataSource, MixedList } from 'typeorm';
import { openDataSource, openPool } from '#adapters/postgres';
import type { ConsumerStore } from '#engine/feed';
import type { Logger } from '#kernel';
import type { OwnTables } from './own-tables.js';
import { postgresConsumerStore } from './postgres-consumer-store.js';
import { told } from './failure.js';

export interface ConsumerTablesOptions {
  readonly url: string;
  /** Connections for queries; the consumer takes a few more of its own. */
  readonly poolSize?: number;
  readonly logger: Logger;
}

/** A consumer's tables in a schema of its name: what the runtime writes and the consumer's routes ask. */
export interface ConsumerTables<Row extends object> {
  readonly store: ConsumerStore<Row>;
  /** Reachable, at the needed schema (ruling 52)? Rejects where not. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

interface Declared extends OwnTables {
  readonly consumer: string;
  readonly entities: MixedList<new () => object>;
  readonly migrations: MixedList<new () => object>;
}

/** Partitions that one process digests at once; more wait their turn. */
const WRITERS = 4;

/** Connects and brings the schema up to date; whoever comes meanwhile waits, at most a minute (ruling 48). */
export async function openTables<Row extends object>(
  declared: Declared,
  options: ConsumerTablesOptions,
): Promise<ConsumerTables<Row> & { readonly dataSource: DataSource }> {
  const { url, poolSize = 3, logger } = options;
  const { consumer, entities, migrations } = declared;
  const to = 'a consumer’s tables';
  const application = `covenant ${consumer}`;
  const dataSource = await openDataSource(
    {
      url,
      schema: consumer,
      entities,
      migrations,
      poolSize,
      application: `${application} queries`,
      to,
      logger,
    },
    told,
  );
  const pool = openPool({ url, size: WRITERS, application, to, logger });
  return {
    dataSource,
    store: postgresConsumerStore<Row>({ consumer, url, pool, dataSource, tables: declared, logger }),
    ready: async () => {
      await dataSource.query(`SELECT 1 FROM ${consumer}.state LIMIT 1`);
    },
    close: async () => {
      await dataSource.destroy();
      await pool.end();
    },
  };
}
