import { setMaxListeners } from 'node:events';
import { START, silent, toOrdinal, toPosition, type Logger, type Position, type Uuid } from '#kernel';
import { LogUnavailable, checkAppend, type Batch, type EventStore, type StoredEvent } from '#engine/store';
import { pause } from '#adapters/timers';
import pg from 'pg';
import { GroupCommit } from './group-commit.js';
import { logMigrations } from './log-schema.js';
import { migrate } from './migrate.js';
import { News } from './news.js';
import { Tail } from './tail.js';
import { failureOf, openPool, problemOf, type SessionOptions, type Timeouts } from './session.js';

export interface PostgresLogOptions {
  /** `postgres://…`; PostgreSQL 15 or later, encoding UTF8. */
  readonly url: string;
  /** Name of the process in pg_stat_activity. */
  readonly application?: string;
  /** Connections for reading, 4 unless given. Appending takes `lanes` more, listening one. */
  readonly poolSize?: number;
  /** Groups of appends under way at once. */
  readonly lanes?: number;
  readonly timeouts?: Partial<Timeouts>;
  readonly logger?: Logger;
}

export interface PostgresLog extends EventStore {
  /** For the vault and the numbers of the same database; ends with the log. */
  readonly pool: pg.Pool;
}

const COLUMNS = 'ordinal, recorded_at, id, revision, stream, type, body';
type Row = readonly [string, string, Uuid, string, string, string, string];
const BATCH = 1_000;
const BACK_OFF_MS = { first: 50, most: 2_000 } as const;

/** Numbers stay texts until they are put where they belong. */
const asText = { getTypeParser: () => (text: string) => text };

const toEvent = ([ordinal, recordedAt, id, revision, stream, type, body]: Row): StoredEvent => ({
  id,
  type,
  body,
  stream,
  revision: Number(revision),
  position: ordinal.padStart(START.length, '0') as Position,
  recordedAt: Number(recordedAt),
});

/** Opens the log in schema `log`, which it makes or brings up to date first. Errors: LogUnavailable. */
export async function openPostgresLog(options: PostgresLogOptions): Promise<PostgresLog> {
  const session: SessionOptions & { logger: Logger } = { logger: silent, ...options };
  const pool = openPool({ ...session, size: options.poolSize ?? 4 });
  let identity: Uuid;
  try {
    identity = await prepare(pool, session.logger);
  } catch (error) {
    await pool.end();
    throw error instanceof LogUnavailable
      ? error
      : new LogUnavailable(`the log cannot be opened: ${problemOf(error)}`, { cause: error });
  }
  const news = new News(session, pool);
  const group = new GroupCommit({
    ...session,
    lanes: options.lanes ?? 2,
    committed: () => news.committed(),
  });
  const closed = new AbortController();
  // Each subscription listens to it, and there are as many as people who follow the desk.
  setMaxListeners(0, closed.signal);

  const query = async <R extends readonly unknown[]>(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<R[]> => {
    const ask = { name, text, values: [...values], rowMode: 'array' as const, types: asText };
    for (let repeat = 0; ; repeat++) {
      if (closed.signal.aborted) throw new LogUnavailable('this log was closed');
      try {
        return (await pool.query<R[]>(ask)).rows as unknown as R[];
      } catch (error) {
        // A connection that had died while idle is noticed only now; a fresh one may do.
        if (repeat < 1 && failureOf(error) === 'lost') continue;
        throw new LogUnavailable(`the log cannot be read: ${problemOf(error)}`);
      }
    }
  };

  const readAll = async (after: Position, limit: number): Promise<StoredEvent[]> =>
    (
      await query<Row>(
        'read-all',
        `SELECT ${COLUMNS} FROM log.events WHERE ordinal > $1 ORDER BY ordinal LIMIT $2`,
        [toOrdinal(after), limit],
      )
    ).map(toEvent);

  const tail = new Tail(readAll);

  async function* subscribe(
    after: Position,
    { signal, limit = BATCH }: Parameters<EventStore['subscribe']>[1],
  ): AsyncGenerator<Batch> {
    const signals = [signal, closed.signal];
    let position = after;
    let caughtUp = false;
    let backOff: number = BACK_OFF_MS.first;
    while (!signal.aborted && !closed.signal.aborted) {
      const heard = news.soFar();
      let events: readonly StoredEvent[];
      try {
        events = await tail.after(position, limit);
        backOff = BACK_OFF_MS.first;
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        if (closed.signal.aborted) return;
        session.logger.warn({ problem: error.message, position }, 'a subscription waits for the log');
        await pause(backOff, AbortSignal.any(signals));
        backOff = Math.min(backOff * 2, BACK_OFF_MS.most);
        continue;
      }
      if (events.length === 0 && caughtUp) {
        await news.past(heard, signals);
        continue;
      }
      position = events.at(-1)?.position ?? position;
      caughtUp = events.length < limit;
      yield { events, position, caughtUp };
    }
  }

  return {
    pool,
    append: async (append) => {
      checkAppend(append);
      return group.append(append);
    },
    readStream: async (stream, from = 0) =>
      (
        await query<Row>(
          'read-stream',
          `SELECT ${COLUMNS} FROM log.events WHERE stream = $1 AND revision >= $2 ORDER BY revision`,
          [stream, from],
        )
      ).map(toEvent),
    readStreams: async (streams) => {
      const read = new Map<string, StoredEvent[]>(streams.map((stream) => [stream, []]));
      if (read.size === 0) return read;
      const rows = await query<Row>(
        'read-streams',
        `SELECT ${COLUMNS} FROM log.events WHERE stream = ANY($1) ORDER BY stream, revision`,
        [[...read.keys()]],
      );
      for (const row of rows) read.get(row[4])!.push(toEvent(row));
      return read;
    },
    readAll,
    subscribe,
    head: async () => {
      const [last] = await query<[string, Uuid]>(
        'head',
        'SELECT ordinal, id FROM log.events ORDER BY ordinal DESC LIMIT 1',
        [],
      );
      return last ? { position: toPosition(Number(last[0])), id: last[1] } : { position: START, id: null };
    },
    at: async (position) => {
      const [row] = await query<Row>('at', `SELECT ${COLUMNS} FROM log.events WHERE ordinal = $1`, [
        toOrdinal(position),
      ]);
      return row ? toEvent(row) : null;
    },
    identity: async () => identity,
    now: async () => Number((await query<[string]>('now', 'SELECT log.now()', []))[0]![0]),
    close: async () => {
      if (closed.signal.aborted) return;
      closed.abort();
      await group.close();
      await news.close();
      await pool.end();
    },
  };
}

async function prepare(pool: pg.Pool, logger: Logger): Promise<Uuid> {
  const client = await pool.connect();
  try {
    const { rows: about } = await client.query<{ encoding: string; version: number }>(
      `SELECT current_setting('server_encoding') AS encoding,
              current_setting('server_version_num')::integer AS version`,
    );
    const { encoding, version } = about[0]!;
    if (encoding !== 'UTF8')
      throw new LogUnavailable(`the database’s encoding is ${encoding}; the log needs UTF8`);
    if (version < 150_000)
      throw new LogUnavailable(
        `the server is PostgreSQL ${Math.floor(version / 10_000)}; the log needs 15 or later`,
      );
    await migrate(client, 'log', logMigrations, logger);
    const { rows } = await client.query<{ identity: Uuid }>('SELECT identity FROM log.head');
    return rows[0]!.identity;
  } finally {
    client.release();
  }
}
