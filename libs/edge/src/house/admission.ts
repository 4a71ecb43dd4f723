import { OlderThanLog, type Transactor } from '#engine/store';
import type { Event, Instant, Refusal } from '#kernel';
import { Problem } from '../problem/problem.js';

/** Bytes of free disk below which the embedded desk takes no commands (ruling 52). */
export const LEAST_FREE = 512 * 1024 * 1024;

/** Whether commands may be decided here at all. */
export interface Admission {
  /** The event type met that this program does not know; it stays so until the program is replaced (ruling 48). */
  readonly olderThan: string | null;
  readonly storageLow: boolean;
  /** @throws OlderThanLog, Problem `storage-low` */
  demand(): void;
  /** To be told of every error a fold, a view or a flow ends with. */
  met(error: unknown): void;
  /** Calls once with the event type that no program like this one knows, when it is met. */
  onOlder(tell: (eventType: string) => void): void;
  free(bytes: number): void;
}

export function admission(): Admission {
  let olderThan: OlderThanLog | null = null;
  let storageLow = false;
  const waiting: ((eventType: string) => void)[] = [];
  return {
    get olderThan() {
      return olderThan?.eventType ?? null;
    },
    get storageLow() {
      return storageLow;
    },
    demand: () => {
      if (olderThan) throw new OlderThanLog(olderThan.eventType);
      if (storageLow)
        throw Problem.of('storage-low', 'The disk of the desk is nearly full; nothing is recorded.', {
          retryAfter: 60,
        });
    },
    met: (error) => {
      if (!(error instanceof OlderThanLog) || olderThan) return;
      olderThan = error;
      for (const tell of waiting) tell(error.eventType);
    },
    onOlder: (tell) => {
      waiting.push(tell);
      if (olderThan) tell(olderThan.eventType);
    },
    free: (bytes) => {
      storageLow = bytes < LEAST_FREE;
    },
  };
}

/** A transactor that decides nothing while commands may not be decided. */
export function admitted<S, C extends { readonly occurredAt: Instant }, E extends Event, R extends Refusal>(
  gate: Admission,
  { transact, load }: Transactor<S, C, E, R>,
): Transactor<S, C, E, R> {
  const noticing = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      gate.met(error);
      throw error;
    }
  };
  return {
    transact: async (request, command) => {
      gate.demand();
      return noticing(transact(request, command));
    },
    load: (stream) => noticing(load(stream)),
  };
}
