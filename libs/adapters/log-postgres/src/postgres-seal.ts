import {
  LogUnavailable,
  SealFenced,
  UNSEALED,
  type Irregularity,
  type Seal,
  type SealEntry,
  type SealHead,
  type SealLead,
} from '#engine/store';
import { silent, toOrdinal, toPosition, type Logger, type Uuid } from '#kernel';
import { pause } from '#adapters/timers';
import pg from 'pg';
import { migrate, type Migration } from './migrate.js';
import { openPool, problemOf, sessionConfig } from './session.js';

export interface PostgresSealOptions {
  readonly url: string;
  /** Connections, 2 unless given. */
  readonly poolSize?: number;
  readonly logger?: Logger;
}

export interface PostgresSeal extends Seal {
  /** For the vault and the numbers of the same database; ends with the seal. */
  readonly pool: pg.Pool;
  /** Ends a lead that is still held. */
  close(): Promise<void>;
}

/**
 * `seal.record` writes one batch, all in one statement of the client's: the head moves from exactly the token and
 * ordinal given, or nothing happens and `written` is false. `irregular` is JSON: `[ordinal, first ordinal of its id,
 * or null where the revision before it is missing]…`.
 */
const migrations: readonly Migration[] = [
  {
    name: '001-seal',
    sql: `
      CREATE TABLE seal.head (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        log uuid,
        token bigint NOT NULL DEFAULT 0,
        ordinal bigint NOT NULL DEFAULT 0
      );
      INSERT INTO seal.head DEFAULT VALUES;

      CREATE TABLE seal.events (
        ordinal bigint PRIMARY KEY,
        position bigint NOT NULL UNIQUE,
        recorded_at bigint NOT NULL,
        id uuid NOT NULL,
        revision integer NOT NULL,
        stream text COLLATE "C" NOT NULL,
        UNIQUE (stream, revision)
      );
      CREATE INDEX events_id ON seal.events (id);

      CREATE TABLE seal.steps (position bigint PRIMARY KEY, recorded_at bigint NOT NULL);

      CREATE TABLE seal.irregularities (
        ordinal bigint NOT NULL REFERENCES seal.events,
        first bigint,
        noticed_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE FUNCTION seal.now() RETURNS bigint LANGUAGE sql VOLATILE
        RETURN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;

      CREATE FUNCTION seal.record(
        my_token bigint, before bigint,
        positions bigint[], times bigint[], ids uuid[], revisions integer[], streams text,
        OUT written boolean, OUT irregular text
      ) LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE seal.head SET ordinal = before + cardinality(positions)
          WHERE token = my_token AND ordinal = before;
        written := FOUND;
        IF NOT written THEN RETURN; END IF;

        INSERT INTO seal.events (ordinal, position, recorded_at, id, revision, stream)
        SELECT before + n, position, recorded_at, id, revision, stream
        FROM unnest(positions, times, ids, revisions, string_to_array(streams, E'\\n'))
             WITH ORDINALITY AS e(position, recorded_at, id, revision, stream, n);

        WITH noticed AS (
          INSERT INTO seal.irregularities (ordinal, first)
          SELECT e.ordinal, (SELECT min(o.ordinal) FROM seal.events o WHERE o.id = e.id)
          FROM seal.events e
          WHERE e.ordinal > before
            AND EXISTS (SELECT FROM seal.events o WHERE o.id = e.id AND o.ordinal < e.ordinal)
          UNION ALL
          SELECT e.ordinal, NULL
          FROM seal.events e
          WHERE e.ordinal > before AND e.revision > 0
            AND NOT EXISTS
              (SELECT FROM seal.events o WHERE o.stream = e.stream AND o.revision = e.revision - 1)
          RETURNING ordinal, first
        )
        SELECT json_agg(json_build_array(ordinal, first) ORDER BY ordinal) INTO irregular FROM noticed;
      END $$;
    `,
  },
];

/** Of the session that leads. Arbitrary, but for ever the same. */
const LEAD_LOCK = 5_279_846_164;
/** How often one who stands by looks whether the leader is gone. */
const STAND_BY_MS = 500;
const HEAD = 'ordinal, position, recorded_at, id';

type HeadRow = { ordinal: string; position: string; recorded_at: string; id: Uuid };

const headOf = (row: HeadRow): SealHead => ({
  ordinal: Number(row.ordinal),
  position: toPosition(Number(row.position)),
  recordedAt: Number(row.recorded_at),
  id: row.id,
});

/** Opens the seal in schema `seal`, which it makes or brings up to date first. Errors: LogUnavailable. */
export async function openPostgresSeal(options: PostgresSealOptions): Promise<PostgresSeal> {
  const { logger = silent } = options;
  const session = { ...options, application: 'covenant seal', logger };
  const pool = openPool({ ...session, size: options.poolSize ?? 2 });
  const leads = new Set<pg.Client>();
  const reachable = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw new LogUnavailable(`the seal cannot be reached: ${problemOf(error)}`, { cause: error });
    });
  const query = async <R extends pg.QueryResultRow>(name: string, text: string, values: unknown[] = []) =>
    (await reachable(pool.query<R>({ name, text, values }))).rows;

  try {
    const client = await reachable(pool.connect());
    await reachable(migrate(client, 'seal', migrations, logger)).finally(() => client.release());
  } catch (error) {
    await pool.end();
    throw error;
  }

  const lead = async (signal: AbortSignal): Promise<SealLead> => {
    signal.throwIfAborted();
    const client = new pg.Client(sessionConfig(session));
    const lost = new AbortController();
    client.on('error', () => lost.abort());
    client.on('end', () => lost.abort());
    const release = async (): Promise<void> => {
      leads.delete(client);
      await client
        .end()
        .catch((error: unknown) =>
          logger.warn({ problem: problemOf(error) }, 'the lead of the seal was left'),
        );
    };
    try {
      await reachable(client.connect());
      leads.add(client);
      const until = AbortSignal.any([signal, lost.signal]);
      for (;;) {
        const { rows } = await reachable(
          client.query<{ mine: boolean }>(`SELECT pg_try_advisory_lock(${LEAD_LOCK}) AS mine`),
        );
        until.throwIfAborted();
        if (rows[0]!.mine) break;
        await pause(STAND_BY_MS, until);
        until.throwIfAborted();
      }
      const { rows } = await reachable(
        client.query<{ token: string }>('UPDATE seal.head SET token = token + 1 RETURNING token'),
      );
      const token = rows[0]!.token;
      const [last] = (
        await reachable(
          client.query<HeadRow>(`SELECT ${HEAD} FROM seal.events ORDER BY ordinal DESC LIMIT 1`),
        )
      ).rows;
      return {
        head: last ? headOf(last) : UNSEALED,
        lost: lost.signal,
        release,
        record: async (entries) => {
          const before = entries[0]!.ordinal - 1;
          const [answer] = (
            await reachable(
              client.query<{ written: boolean; irregular: string | null }>({
                name: 'seal-record',
                text: 'SELECT written, irregular FROM seal.record($1, $2, $3, $4, $5, $6, $7)',
                values: [
                  ...[token, before, entries.map(({ position }) => toOrdinal(position))],
                  ...[entries.map((entry) => entry.recordedAt), entries.map(({ id }) => id)],
                  ...[
                    entries.map(({ revision }) => revision),
                    entries.map(({ stream }) => stream).join('\n'),
                  ],
                ],
              }),
            )
          ).rows;
          if (!answer!.written) throw new SealFenced();
          const found = JSON.parse(answer!.irregular ?? '[]') as [number, number | null][];
          return found.map(([ordinal, first]): Irregularity => {
            const entry = entries[ordinal - before - 1]!;
            return first === null ? { is: 'revision-missing', entry } : { is: 'id-repeated', entry, first };
          });
        },
      };
    } catch (error) {
      await release();
      throw error;
    }
  };

  return {
    pool,
    log: async () => (await query<{ log: Uuid | null }>('seal-log', 'SELECT log FROM seal.head'))[0]!.log,
    claim: async (log) =>
      (
        await query<{ log: Uuid }>(
          'seal-claim',
          'UPDATE seal.head SET log = coalesce(log, $1) RETURNING log',
          [log],
        )
      )[0]!.log,
    head: async () => {
      const [last] = await query<HeadRow>(
        'seal-head',
        `SELECT ${HEAD} FROM seal.events ORDER BY ordinal DESC LIMIT 1`,
      );
      return last ? headOf(last) : UNSEALED;
    },
    upTo: async (position) => {
      const [last] = await query<HeadRow>(
        'seal-up-to',
        `SELECT ${HEAD} FROM seal.events WHERE position <= $1 ORDER BY position DESC LIMIT 1`,
        [toOrdinal(position)],
      );
      return last ? headOf(last) : UNSEALED;
    },
    at: async (ordinal) => {
      const [row] = await query<HeadRow & { stream: string; revision: number }>(
        'seal-at',
        `SELECT ${HEAD}, stream, revision FROM seal.events WHERE ordinal = $1`,
        [ordinal],
      );
      return row ? ({ ...headOf(row), stream: row.stream, revision: row.revision } as SealEntry) : null;
    },
    steps: async () =>
      (
        await query<{ position: string; recorded_at: string }>(
          'seal-steps',
          'SELECT position, recorded_at FROM seal.steps ORDER BY position',
        )
      ).map((row) => ({ position: toPosition(Number(row.position)), recordedAt: Number(row.recorded_at) })),
    step: async ({ position, recordedAt }) => {
      await query(
        'seal-step',
        'INSERT INTO seal.steps (position, recorded_at) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        [toOrdinal(position), recordedAt],
      );
    },
    lead,
    now: async () => Number((await query<{ now: string }>('seal-now', 'SELECT seal.now() AS now'))[0]!.now),
    close: async () => {
      await Promise.all([...leads].map((client) => client.end()));
      await pool.end();
    },
  };
}
