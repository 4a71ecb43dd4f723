import type { Logger } from '#kernel';
import { pause } from '#adapters/timers';
import { openSession, problemOf } from './session.js';

/** How often one who stands by looks whether the leader is gone. */
const STAND_BY_MS = 250;

export interface Lead {
  /** Aborts when the session that leads is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Waits until no other session holds an advisory lock, and holds it; rejects when the signal aborts first.
 *
 * @param lock its key or keys, in SQL
 */
export async function lead(
  session: { readonly url: string; readonly application: string; readonly logger: Logger },
  lock: string,
  signal: AbortSignal,
): Promise<Lead> {
  const { client, lost } = await openSession(session.url, session.application);
  const release = async (): Promise<void> => {
    await client
      .end()
      .catch((error: unknown) => session.logger.warn({ problem: problemOf(error) }, 'a leader left'));
  };
  try {
    for (;;) {
      signal.throwIfAborted();
      const { rows } = await client.query<{ led: boolean }>(`SELECT pg_try_advisory_lock(${lock}) AS led`);
      if (rows[0]!.led) return { lost, release };
      await pause(STAND_BY_MS, AbortSignal.any([signal, lost]));
    }
  } catch (error) {
    await release();
    throw error;
  }
}
