import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface FreshDatabase {
  /** `postgres://…` with password and database. */
  readonly url: string;
  /** Ends whoever is still connected, and removes it. */
  drop(): Promise<void>;
}

/** An empty database of its own, on the PostgreSQL that postgres.global.mjs started for this run. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = serverUrl();
  const name = `t_${randomBytes(8).toString('hex')}`;
  await asOwner(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asOwner(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

function serverUrl(): string {
  const url = process.env.COVENANT_TEST_POSTGRES;
  if (url === undefined)
    throw new Error('no PostgreSQL: specs that need one belong into test/e2e or test/long');
  return url;
}

async function asOwner(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
