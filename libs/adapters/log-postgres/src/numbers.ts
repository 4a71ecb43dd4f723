import { silent, type Logger } from '#kernel';
import { LogUnavailable } from '#engine/store';
import pg from 'pg';
import { NUMBERS_IN_BLOCK, numberMigrations } from './log-schema.js';
import { migrate } from './migrate.js';
import { openPool, problemOf } from './session.js';

export type NumberKind = 'T' | 'C';

/** Numbers people say on the phone, `T-104233`: each given once, rising in one process, with gaps (ruling 15). */
export interface Numbers {
  /** Errors: LogUnavailable. */
  next(kind: NumberKind): Promise<string>;
  close(): Promise<void>;
}

const SEQUENCES: Readonly<Record<NumberKind, string>> = { T: 'numbers.t', C: 'numbers.c' };

export async function openNumbers(
  options: ({ readonly url: string } | { readonly pool: pg.Pool }) & { readonly logger?: Logger },
): Promise<Numbers> {
  const { logger = silent } = options;
  const pool =
    'pool' in options
      ? options.pool
      : openPool({ url: options.url, application: 'covenant numbers', size: 1, logger });
  const close = async (): Promise<void> => {
    if (!('pool' in options)) await pool.end();
  };
  const unavailable = (error: unknown): LogUnavailable =>
    new LogUnavailable(`no number can be taken: ${problemOf(error)}`);
  try {
    const client = await pool.connect();
    await migrate(client, 'numbers', numberMigrations, logger).finally(() => client.release());
  } catch (error) {
    await close();
    throw unavailable(error);
  }

  const block = async (kind: NumberKind): Promise<Iterator<number>> => {
    const { rows } = await pool
      .query<{ first: string }>(`SELECT nextval('${SEQUENCES[kind]}') AS first`)
      .catch((error: unknown) => Promise.reject(unavailable(error)));
    const first = Number(rows[0]!.first);
    return Array.from({ length: NUMBERS_IN_BLOCK }, (_, i) => first + i).values();
  };

  const blocks = new Map<NumberKind, Promise<Iterator<number>>>();
  return {
    next: async (kind) => {
      for (;;) {
        const current = blocks.get(kind) ?? block(kind);
        blocks.set(kind, current);
        try {
          const { value, done } = (await current).next();
          if (!done) return `${kind}-${value}`;
        } catch (error) {
          if (blocks.get(kind) === current) blocks.delete(kind);
          throw error;
        }
        // Whoever finds the block empty first takes the next one, for all who wait.
        if (blocks.get(kind) === current) blocks.delete(kind);
      }
    },
    close,
  };
}
