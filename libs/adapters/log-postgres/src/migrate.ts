import type { Logger } from '#kernel';
import { MIGRATION_LOCK } from '#adapters/postgres';
import type pg from 'pg';

/** One step of a schema; steps only add, are applied once and in order, and never change afterwards (ruling 48). */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Others wait so long for the one that migrates. */
const PATIENCE_MS = 60_000;

/**
 * Brings a schema up to date under the one advisory lock; whoever comes meanwhile waits, at most a minute. A
 * schema with later steps than these is left alone: they only added.
 */
export async function migrate(
  client: pg.ClientBase,
  schema: string,
  migrations: readonly Migration[],
  logger: Logger,
): Promise<void> {
  if (await isUpToDate(client, schema, migrations)) return;
  await client.query(`SET lock_timeout = ${PATIENCE_MS}; SET statement_timeout = ${2 * PATIENCE_MS}`);
  await client.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
  try {
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS ${schema};
      CREATE TABLE IF NOT EXISTS ${schema}.migrations
        (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`);
    const done = await applied(client, schema);
    for (const { name, sql } of migrations) {
      if (done.has(name)) continue;
      // Several statements in one simple query are one transaction.
      await client.query(`${sql}; INSERT INTO ${schema}.migrations (name) VALUES ('${name}')`);
      logger.info({ schema, migration: name }, 'schema migrated');
    }
  } finally {
    await client.query(
      `SELECT pg_advisory_unlock(${MIGRATION_LOCK}); RESET lock_timeout; RESET statement_timeout`,
    );
  }
}

async function isUpToDate(client: pg.ClientBase, schema: string, migrations: readonly Migration[]) {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('${schema}.migrations') IS NOT NULL AS there`,
  );
  if (!rows[0]!.there) return false;
  const done = await applied(client, schema);
  return migrations.every(({ name }) => done.has(name));
}

async function applied(client: pg.ClientBase, schema: string): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${schema}.migrations`);
  return new Set(rows.map((row) => row.name));
}
