import { START, type Position, type Uuid } from '#kernel';

/** An event that a flow has gone past without having done its steps. */
export interface Held {
  readonly position: Position;
  /** Stream that it waits for: its case is still being taken in (ruling 17). Null: its steps failed, for `problem`. */
  readonly stream: string | null;
  /** Name of an error, for people; null where it only waits. */
  readonly problem: string | null;
}

/** How far a flow has come, in which log (ruling 45), and under whose token it moves (ruling 50). */
export interface FlowCheckpoint {
  readonly flow: string;
  /** Rises with every start: who holds an older one moves nothing any more. */
  readonly token: number;
  readonly log: Uuid;
  readonly position: Position;
  /** Id of the event at `position`; null before the first. */
  readonly event: Uuid | null;
  readonly held: readonly Held[];
}

/** Another runner took a newer token: nothing was written. */
export class FlowFenced extends Error {
  override readonly name = 'FlowFenced';
  constructor(flow: string) {
    super(`flow ${flow} is run by another process`);
  }
}

/** The right to run a flow; of all runners one has it, the others stand by. */
export interface FlowLead {
  /** Aborts when it is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Every adapter holds the contract suite in testing/. */
export interface FlowCheckpoints {
  /** Waits until no other runner leads this flow; rejects when the signal aborts first. */
  lead(flow: string, signal: AbortSignal): Promise<FlowLead>;
  /** Takes a new token; a flow met for the first time begins before the first event of `log`. */
  start(flow: string, log: Uuid): Promise<FlowCheckpoint>;
  /** Every flow ever started, by name; no new token is taken. */
  stand(): Promise<readonly FlowCheckpoint[]>;
  /** The flow begins anew before the first event of whatever log it meets next; who runs it now is fenced. */
  forget(flow: string): Promise<void>;
  /** Moves from exactly the token and position given, or throws FlowFenced. */
  move(
    from: FlowCheckpoint,
    to: Pick<FlowCheckpoint, 'position' | 'event' | 'held'>,
  ): Promise<FlowCheckpoint>;
}

/** The twin of a real one. */
export function memoryCheckpoints(): FlowCheckpoints {
  const stored = new Map<string, FlowCheckpoint>();
  const leaders = new Map<string, Promise<void>>();
  return {
    lead: async (flow, signal) => {
      const aborted = new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => resolve(), { once: true }),
      );
      while (!signal.aborted && leaders.has(flow)) await Promise.race([leaders.get(flow), aborted]);
      signal.throwIfAborted();
      let release = (): void => {};
      leaders.set(flow, new Promise((resolve) => (release = resolve)));
      return {
        lost: new AbortController().signal,
        release: async () => {
          leaders.delete(flow);
          release();
        },
      };
    },
    start: async (flow, log) => {
      const known = stored.get(flow) ?? { flow, token: 0, log, position: START, event: null, held: [] };
      const started = { ...known, token: known.token + 1 };
      stored.set(flow, started);
      return started;
    },
    stand: async () => [...stored.values()].sort((a, b) => (a.flow < b.flow ? -1 : 1)),
    forget: async (flow) => void stored.delete(flow),
    move: async (from, to) => {
      const present = stored.get(from.flow);
      if (present?.token !== from.token || present.position !== from.position)
        throw new FlowFenced(from.flow);
      const moved = { ...from, ...to };
      stored.set(from.flow, moved);
      return moved;
    },
  };
}
