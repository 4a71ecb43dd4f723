import type { Logger } from '#kernel';
import pg from 'pg';

/** What may be said of a database error: never its message or detail, which can quote values (ruling 31). */
export function problemOf(error: unknown): string {
  const cause = databaseError(error);
  if (cause) return `SQLSTATE ${cause.code}`;
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.name;
  return 'unknown';
}

function databaseError(error: unknown): pg.DatabaseError | null {
  if (error instanceof pg.DatabaseError) return error;
  // TypeORM wraps what the driver threw.
  const inner = error instanceof Error ? (error as { driverError?: unknown }).driverError : undefined;
  return inner instanceof pg.DatabaseError ? inner : null;
}

/**
 * SQLSTATE of a statement that fails whoever repeats it: a value the column cannot take (22), a violated
 * constraint (23), a row or index entry too large (54). Null for everything that may pass (PostgreSQL,
 * appendix A).
 */
export function refusalOf(error: unknown): string | null {
  const code = databaseError(error)?.code ?? '';
  return /^(22|23|54)/.test(code) ? code : null;
}

export function openPool(options: {
  readonly url: string;
  readonly size: number;
  readonly application: string;
  /** What the connections lead to, for people. */
  readonly to: string;
  readonly logger: Logger;
}): pg.Pool {
  const pool = new pg.Pool({ ...sessionConfig(options.url, options.application), max: options.size });
  // While a connection is lent out its loss fails the borrower's query; without a listener it would end the process too.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) =>
    options.logger.warn({ problem: problemOf(error) }, `an idle connection to ${options.to} was lost`),
  );
  return pool;
}

/** Instants come and go in UTC. Batches of a catch-up and hashes over a view may take their time. */
export function sessionConfig(url: string, application: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: application,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    lock_timeout: 15_000,
    idle_in_transaction_session_timeout: 60_000,
    options: '-c TimeZone=UTC -c jit=off',
  };
}

/** A connection of its own for a session lock; tells when it is lost. */
export async function openSession(
  url: string,
  application: string,
): Promise<{
  readonly client: pg.Client;
  readonly lost: AbortSignal;
}> {
  const client = new pg.Client({ ...sessionConfig(url, application), lock_timeout: 0 });
  const lost = new AbortController();
  client.on('error', () => lost.abort());
  client.on('end', () => lost.abort());
  await client.connect();
  return { client, lost: lost.signal };
}
