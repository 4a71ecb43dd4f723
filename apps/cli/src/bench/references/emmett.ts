import { STREAM_DOES_NOT_EXIST } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';

/** What a bench asks of an event store: one event to a new stream, acknowledged when durable. */
export interface Appender {
  append(stream: string, body: object): Promise<void>;
  close(): Promise<void>;
}

/**
 * Emmett 0.42 as its authors show it, with one exception in its favour: the pool is given, and sized where it
 * did best on 2 cores.
 */
export async function emmett(url: string, callers: number): Promise<Appender> {
  const pool = new pg.Pool({ connectionString: url, max: Math.min(callers, 16) });
  pool.on('error', () => {});
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
  await store.schema.migrate();
  return {
    append: async (stream, data) => {
      await store.appendToStream(stream, [{ type: 'ticket-opened', data: { ...data } }], {
        expectedStreamVersion: STREAM_DOES_NOT_EXIST,
      });
    },
    close: async () => {
      await store.close();
      if (!pool.ended && !pool.ending) await pool.end();
    },
  };
}
