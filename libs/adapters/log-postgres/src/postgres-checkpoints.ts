import { FlowFenced, type FlowCheckpoint, type FlowCheckpoints, type Held } from '#engine/flows';
import { LogUnavailable } from '#engine/store';
import { silent, START, type Logger, type Position, type Uuid } from '#kernel';
import { pause } from '#adapters/timers';
import pg from 'pg';
import { migrate, type Migration } from './migrate.js';
import { openPool, problemOf, sessionConfig } from './session.js';

export interface PostgresCheckpointsOptions {
  readonly url: string;
  readonly logger?: Logger;
}

export interface PostgresCheckpoints extends FlowCheckpoints {
  /** Ends the leads that are still held. */
  close(): Promise<void>;
}

const migrations: readonly Migration[] = [
  {
    name: '001-checkpoints',
    sql: `
      CREATE TABLE flows.checkpoints (
        flow text COLLATE "C" PRIMARY KEY,
        token bigint NOT NULL,
        log uuid NOT NULL,
        position text COLLATE "C" NOT NULL,
        event uuid,
        held jsonb NOT NULL
      )`,
  },
];

/** First half of the lead's advisory lock, the flow's name hashed is the second. Arbitrary, but for ever the same. */
const LEAD_LOCK = 1_131_376_230;
/** How often one who stands by looks whether the leader is gone. */
const STAND_BY_MS = 250;

interface Row {
  readonly flow: string;
  readonly token: string;
  readonly log: Uuid;
  readonly position: Position;
  readonly event: Uuid | null;
  readonly held: readonly Held[];
}

const checkpointOf = (row: Row): FlowCheckpoint => ({ ...row, token: Number(row.token) });

/**
 * How far each flow has come. Errors: LogUnavailable for a database that cannot be asked now.
 */
export async function openPostgresCheckpoints(
  options: PostgresCheckpointsOptions,
): Promise<PostgresCheckpoints> {
  const { logger = silent } = options;
  const session = { ...options, application: 'covenant flows', logger };
  const pool = openPool({ ...session, size: 1 });
  const leads = new Set<pg.Client>();
  const reachable = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw new LogUnavailable(`a flow's checkpoint cannot be reached: ${problemOf(error)}`, {
        cause: error,
      });
    });

  try {
    const client = await reachable(pool.connect());
    await reachable(migrate(client, 'flows', migrations, logger)).finally(() => client.release());
  } catch (error) {
    await pool.end();
    throw error;
  }

  return {
    lead: async (flow, signal) => {
      signal.throwIfAborted();
      const client = new pg.Client(sessionConfig(session));
      const lost = new AbortController();
      client.on('error', () => lost.abort());
      client.on('end', () => lost.abort());
      const release = async (): Promise<void> => {
        leads.delete(client);
        await client
          .end()
          .catch((error: unknown) => logger.warn({ flow, problem: problemOf(error) }, 'a flow was left'));
      };
      try {
        await reachable(client.connect());
        leads.add(client);
        for (;;) {
          const { rows } = await reachable(
            client.query<{ mine: boolean }>(
              `SELECT pg_try_advisory_lock(${LEAD_LOCK}, hashtext($1)) AS mine`,
              [flow],
            ),
          );
          signal.throwIfAborted();
          if (rows[0]!.mine) return { lost: lost.signal, release };
          await pause(STAND_BY_MS, AbortSignal.any([signal, lost.signal]));
          signal.throwIfAborted();
        }
      } catch (error) {
        await release();
        throw error;
      }
    },

    start: async (flow, log) => {
      const { rows } = await reachable(
        pool.query<Row>(
          `INSERT INTO flows.checkpoints AS c (flow, token, log, position, event, held)
           VALUES ($1, 1, $2, $3, NULL, '[]')
           ON CONFLICT (flow) DO UPDATE SET token = c.token + 1
           RETURNING flow, token, log, position, event, held`,
          [flow, log, START],
        ),
      );
      return checkpointOf(rows[0]!);
    },

    stand: async () => {
      const { rows } = await reachable(
        pool.query<Row>(
          'SELECT flow, token, log, position, event, held FROM flows.checkpoints ORDER BY flow',
        ),
      );
      return rows.map(checkpointOf);
    },

    forget: async (flow) => {
      await reachable(pool.query('DELETE FROM flows.checkpoints WHERE flow = $1', [flow]));
    },

    move: async (from, { position, event, held }) => {
      const { rowCount } = await reachable(
        pool.query(
          `UPDATE flows.checkpoints SET position = $4, event = $5, held = $6
            WHERE flow = $1 AND token = $2 AND position = $3`,
          [from.flow, from.token, from.position, position, event, JSON.stringify(held)],
        ),
      );
      if (rowCount === 0) throw new FlowFenced(from.flow);
      return { ...from, position, event, held };
    },

    close: async () => {
      await Promise.all([...leads].map((client) => client.end()));
      await pool.end();
    },
  };
}
