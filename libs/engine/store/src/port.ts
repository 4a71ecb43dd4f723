import type { Micros, Position, Uuid } from '#kernel';

/** Expected revision of a stream that does not exist yet. */
export const NO_STREAM = -1;

/** An event as the log takes it: the store never looks into the body, and proofs are over its very bytes. */
export interface NewEvent {
  readonly id: Uuid;
  /** Stored name, `desk.ticket-opened.v1`. */
  readonly type: string;
  /** UTF-8 JSON, at most 256 KiB (ruling 16). */
  readonly body: string;
}

export interface StoredEvent extends NewEvent {
  readonly stream: string;
  /** 0 for the first event of a stream; gapless. */
  readonly revision: number;
  readonly position: Position;
  readonly recordedAt: Micros;
}

export interface Append {
  /** `<category>-<id>`; the category has no `-`; printable ASCII, the id at most 200 characters. */
  readonly stream: string;
  /** Revision of the stream's last event, or NO_STREAM; always explicit. */
  readonly expected: number;
  /** At least one; ids pairwise different; at most 1 MiB of bodies together (ruling 16). */
  readonly events: readonly NewEvent[];
}

export type Appended =
  | {
      readonly outcome: 'appended';
      /** Revision of the last event of this append. */
      readonly revision: number;
      /** Position of the last event of this append. */
      readonly position: Position;
      /** As it is read later; a log that stamps without telling (EventStoreDB) answers when its answer came. */
      readonly recordedAt: Micros;
      /** True where the same ids stood at this revision already: nothing was written now. */
      readonly repeated: boolean;
    }
  | {
      readonly outcome: 'conflict';
      /** The revision the stream really has, NO_STREAM if there is none. */
      readonly actual: number;
    };

export interface Head {
  readonly position: Position;
  /** Of the event at `position`; null for an empty log. */
  readonly id: Uuid | null;
}

export interface Batch {
  /** In log order; may be empty where only `caughtUp` is news. */
  readonly events: readonly StoredEvent[];
  /** The position up to which the subscriber has now seen everything. */
  readonly position: Position;
  /** True where nothing more was stored when this batch was read. */
  readonly caughtUp: boolean;
}

/**
 * The event log. Every adapter holds the same contract suite (testing/src/index.ts):
 *
 * - An append is atomic, at an explicit revision, and exactly once: the same ids at the same expected
 *   revision answer what the first append answered, for ever (`repeated`).
 * - The ids alone make a repeat, in their order and without a gap: a prefix of what was appended together
 *   is one, and so is that with the ids stored next; the answer is about the last of the ids asked for, and
 *   the stored bodies stay. Stored ids with new ones behind them, or in another order, are a conflict.
 * - First the repeat is looked for, then the revision compared, then a stored id refused (ruling 44).
 * - Positions rise strictly; no reader ever sees an event before all earlier ones; revisions are gapless.
 *   Logs that promise it number their events gaplessly from 1 (ruling 12).
 * - `recordedAt` is stamped by the store and never falls from one position to the next (ruling 13).
 *
 * Errors of append: InvalidAppend, DuplicateEventId, NotAppended (surely nothing was written),
 * UnknownOutcome. Errors of everything else: LogUnavailable, and LogReplaced where a position is none of this
 * log's. No error holds a body.
 */
export interface EventStore {
  append(append: Append): Promise<Appended>;
  /** All events of a stream from `from` (0 by default) on; empty for an unknown stream. */
  readStream(stream: string, from?: number): Promise<readonly StoredEvent[]>;
  /** Several streams at once; a key for each stream asked for. */
  readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, readonly StoredEvent[]>>;
  /** At most `limit` events after a position, in log order. */
  readAll(after: Position, limit: number): Promise<readonly StoredEvent[]>;
  /**
   * Catch-up subscription to everything after a position, then live; ends when the signal aborts or this
   * store is closed, and outlives a lost connection. The next batch is read only when the consumer asks for
   * it; when everything has been seen one batch says so, then the next comes with the next event.
   */
  subscribe(
    after: Position,
    options: { readonly signal: AbortSignal; readonly limit?: number },
  ): AsyncIterable<Batch>;
  head(): Promise<Head>;
  /** Event at exactly this position, or null: for comparing a checkpoint with its log (ruling 45). */
  at(position: Position): Promise<StoredEvent | null>;
  /** The log's identity, made at its creation (ruling 45). */
  identity(): Promise<Uuid>;
  /** The clock that `recordedAt` is stamped by (ruling 1). */
  now(): Promise<Micros>;
  close(): Promise<void>;
}
