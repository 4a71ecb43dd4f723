import 'reflect-metadata';
import pg from 'pg';
import { DataSource, type MixedList } from 'typeorm';
import type { Logger } from '#kernel';
import { problemOf, sessionConfig } from './session.js';

/** Every process that migrates any of the desk's schemas holds it meanwhile. Arbitrary, but for ever the same. */
export const MIGRATION_LOCK = 5_279_846_163;
/** Others wait so long for the one that migrates. */
const PATIENCE_MS = 60_000;

export interface DataSourceOptions {
  readonly url: string;
  readonly schema: string;
  readonly entities: MixedList<new () => object>;
  readonly migrations: MixedList<new () => object>;
  readonly poolSize: number;
  /** Name of its connections in pg_stat_activity. */
  readonly application: string;
  /** What the connections lead to, for people. */
  readonly to: string;
  readonly logger: Logger;
}

/**
 * Connects and brings the schema up to date; whoever comes meanwhile waits, at most a minute (ruling 48).
 *
 * @param connected how a failure of the first connection is told; as it is unless given
 */
export async function openDataSource(
  options: DataSourceOptions,
  connected: (connecting: Promise<unknown>) => Promise<unknown> = (connecting) => connecting,
): Promise<DataSource> {
  const { url, schema, logger } = options;
  const guard = new pg.Client({ ...sessionConfig(url, 'covenant migration'), lock_timeout: PATIENCE_MS });
  guard.on('error', (error) => logger.warn({ problem: problemOf(error) }, 'the migrating session was lost'));
  await connected(guard.connect());
  try {
    await guard.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    await guard.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    const migrating = await dataSourceOf({ ...options, poolSize: 1 }).initialize();
    try {
      for (const { name } of await migrating.runMigrations({ transaction: 'each' }))
        logger.info({ schema, migration: name }, 'schema migrated');
    } finally {
      await migrating.destroy();
    }
  } finally {
    await guard.end();
  }
  return dataSourceOf(options).initialize();
}

function dataSourceOf({ url, schema, entities, migrations, poolSize, ...of }: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    schema,
    entities,
    migrations,
    migrationsTableName: 'migrations',
    poolSize,
    logging: false,
    installExtensions: false,
    poolErrorHandler: (error: unknown) =>
      of.logger.warn({ problem: problemOf(error) }, `an idle connection to ${of.to} was lost`),
    extra: sessionConfig(url, of.application),
  });
}
