import type { Logger } from '#kernel';
import pg from 'pg';

export interface SessionOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly application?: string;
  /** Bounds of one statement, of the wait for a lock, and of the answer's way back. */
  readonly timeouts?: Partial<Timeouts>;
  readonly logger: Logger;
}

export interface Timeouts {
  readonly connectMs: number;
  readonly lockMs: number;
  readonly statementMs: number;
  /** After which a connection that gave no answer is given up: more than `statementMs`. */
  readonly answerMs: number;
}

const TIMEOUTS: Timeouts = { connectMs: 5_000, lockMs: 5_000, statementMs: 10_000, answerMs: 15_000 };

export const timeoutsOf = (options: SessionOptions): Timeouts => ({ ...TIMEOUTS, ...options.timeouts });

/**
 * Every session of the log's. Plans are made once, by indexes alone: a plan made while the log was empty
 * would scan the table for as long as the session lives.
 */
export function sessionConfig(options: SessionOptions): pg.ClientConfig {
  const { connectMs, lockMs, statementMs } = timeoutsOf(options);
  return {
    connectionString: options.url,
    application_name: options.application ?? 'covenant log',
    connectionTimeoutMillis: connectMs,
    lock_timeout: lockMs,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: statementMs,
    keepAlive: true,
    options: [
      'synchronous_commit=on',
      'plan_cache_mode=force_generic_plan',
      'enable_seqscan=off',
      'enable_hashjoin=off',
      'enable_mergejoin=off',
      'jit=off',
    ]
      .map((setting) => `-c ${setting}`)
      .join(' '),
  };
}

export function openPool(options: SessionOptions & { readonly size: number }): pg.Pool {
  const pool = new pg.Pool({
    ...sessionConfig(options),
    max: options.size,
    query_timeout: timeoutsOf(options).answerMs,
    allowExitOnIdle: false,
  });
  // While a connection is lent out its loss fails the borrower's query; without a listener it would end the process too.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) =>
    options.logger.warn({ problem: problemOf(error) }, 'an idle database connection was lost'),
  );
  return pool;
}

/**
 * - `lost`: the connection broke, or never stood. What was asked may have happened.
 * - `unable`: surely rolled back; this server cannot do it now, whoever asks (locks, disk, shutdown, timeout).
 * - `refused`: surely rolled back for what was asked.
 */
export type Failure = 'lost' | 'unable' | 'refused';

export function failureOf(error: unknown): Failure {
  if (!(error instanceof pg.DatabaseError)) return 'lost';
  const code = error.code ?? '';
  // Shutdown and crash end the session (PostgreSQL, appendix A): the answer may have been on its way.
  if (code.startsWith('57P') || code.startsWith('08') || error.severity === 'FATAL') return 'lost';
  if (/^(25|40|53|55|57|58)/.test(code)) return 'unable';
  return 'refused';
}

/** What may be said of a database error: never its message or detail, which can quote values (ruling 31). */
export function problemOf(error: unknown): string {
  if (error instanceof pg.DatabaseError)
    return `SQLSTATE ${error.code}${error.constraint === undefined ? '' : ` (${error.constraint})`}`;
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.message;
  return 'unknown';
}
