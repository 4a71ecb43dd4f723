import 'reflect-metadata';
import pg from 'pg';
import { DataSource, type MixedList } from 'typeorm';
import type { ConsumerStore } from '#engine/feed';
import type { Logger } from '#kernel';
import type { OwnTables } from './own-tables.js';
import { postgresConsumerStore } from './postgres-consumer-store.js';
import { failureOf, openPool, problemOf, sessionConfig } from './session.js';

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

/** Every process that migrates any of the desk's schemas holds it meanwhile; the other adapters know it too. */
const MIGRATION_LOCK = 5_279_846_163;
const PATIENCE_MS = 60_000;
/** Partitions that one process digests at once; more wait their turn. */
const WRITERS = 4;

/** Connects and brings the schema up to date; whoever comes meanwhile waits, at most a minute (ruling 48). */
export async function openTables<Row extends object>(
  declared: Declared,
  options: ConsumerTablesOptions,
): Promise<ConsumerTables<Row> & { readonly dataSource: DataSource }> {
  const { url, poolSize = 3, logger } = options;
  const { consumer } = declared;
  await migrate(declared, options);
  const dataSource = await dataSourceOf(declared, { ...options, poolSize }).initialize();
  const pool = openPool({ url, size: WRITERS, application: `covenant ${consumer}`, logger });
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

function dataSourceOf(
  { consumer, entities, migrations }: Declared,
  { url, poolSize = 1, logger }: ConsumerTablesOptions,
): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    schema: consumer,
    entities,
    migrations,
    migrationsTableName: 'migrations',
    poolSize,
    logging: false,
    installExtensions: false,
    poolErrorHandler: (error: unknown) =>
      logger.warn({ problem: problemOf(error) }, 'an idle connection to a consumer’s tables was lost'),
    extra: sessionConfig(url, `covenant ${consumer} queries`),
  });
}

async function migrate(declared: Declared, { url, logger }: ConsumerTablesOptions): Promise<void> {
  const { consumer } = declared;
  const guard = new pg.Client({ ...sessionConfig(url, 'covenant migration'), lock_timeout: PATIENCE_MS });
  guard.on('error', (error) => logger.warn({ problem: problemOf(error) }, 'the migrating session was lost'));
  try {
    await guard.connect();
  } catch (error) {
    throw failureOf(error);
  }
  try {
    await guard.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    await guard.query(`CREATE SCHEMA IF NOT EXISTS ${consumer}`);
    const dataSource = await dataSourceOf(declared, { url, poolSize: 1, logger }).initialize();
    try {
      for (const { name } of await dataSource.runMigrations({ transaction: 'each' }))
        logger.info({ schema: consumer, migration: name }, 'schema migrated');
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await guard.end();
  }
}
