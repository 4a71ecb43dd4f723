import type { Micros, Position, Uuid } from '#kernel';
import type { Folding, View } from './view.js';

/** How far a view has come, in which log, and under whose token it moves. */
export interface Checkpoint {
  readonly view: string;
  /** Version of the view that folded the rows. */
  readonly version: number;
  /** Rises with every start of a projector: who holds an older one moves nothing any more (ruling 50). */
  readonly token: number;
  /** Identity of the log, and id of the event at `position` (ruling 45); null before the first event. */
  readonly log: Uuid;
  readonly position: Position;
  readonly event: Uuid | null;
  /** Of that event; 0 before the first. */
  readonly recordedAt: Micros;
}

/** A stream that a view cannot go on with: everything from `from` to `upTo` waits, in order. */
export interface ParkedStream {
  readonly view: string;
  readonly stream: string;
  /** Revision of the event that could not be digested. */
  readonly from: number;
  /** Revision of the last event behind it so far. */
  readonly upTo: number;
  /** Of the event at `from`. */
  readonly position: Position;
  /** Ids, types, numbers and codes only (ruling 31). */
  readonly reason: string;
}

export interface TallyChange {
  readonly subject: string;
  readonly kind: string;
  readonly by: number;
}

/** What one view takes from one batch. */
export interface Advance {
  readonly view: View;
  /** The checkpoint as it was: its token, version and position must still stand. */
  readonly from: Checkpoint;
  readonly to: Pick<Checkpoint, 'position' | 'event' | 'recordedAt'>;
  /** Each key at most once. */
  readonly rows: readonly Folding[];
  /**
   * Those of the rows whose key had none before, by the log: a store may put them in without looking, and
   * refuses the batch where one is there all the same. Absent: not known.
   */
  readonly fresh?: ReadonlySet<Folding>;
  readonly tallies: readonly TallyChange[];
  /** Newly parked, or with more behind them. */
  readonly parked: readonly ParkedStream[];
  /** Streams that go on. */
  readonly unparked: readonly string[];
}

/** Another projector took a newer token, or the view was rebuilt: nothing of the batch was written. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** The store refuses a value of a row, whenever it is tried; nothing of the batch was written. */
export class BadRow extends Error {
  override readonly name = 'BadRow';
  /** @param code the store's own, such as an SQLSTATE; never a value. */
  constructor(
    readonly view: string,
    readonly code: string,
  ) {
    super(`a row of view ${view} was refused: ${code}`);
  }
}

/** Leadership over the views of one store: of all projectors one works, the others stand by. */
export interface Leadership {
  /** Aborts when leadership is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Where rows live. Every adapter holds the contract suite in testing/.
 *
 * - `commit` writes rows, tallies, parked streams and checkpoints of all its views, or nothing. It moves a
 *   checkpoint only from exactly the token, version and position given, else Fenced.
 * - A row is never replaced by one of a lower or equal revision.
 */
export interface ViewStore {
  /** Waits until no other projector leads; rejects when the signal aborts first. */
  lead(signal: AbortSignal): Promise<Leadership>;
  /** Takes a new token for each view; a view met for the first time begins before the first event of `log`. */
  start(views: readonly View[], log: Uuid): Promise<ReadonlyMap<string, Checkpoint>>;
  /** As it stands, without a new token; null for a view never started. */
  checkpoint(view: string): Promise<Checkpoint | null>;
  parked(view: string): Promise<readonly ParkedStream[]>;
  /** Rows by key; absent ones are missing from the answer. Not for views that only append. */
  load(view: View, keys: readonly string[]): Promise<ReadonlyMap<string, Folding>>;
  commit(advances: readonly Advance[]): Promise<void>;
  /** An empty copy of a view to build beside the live one; one at a time, what an earlier one left is removed. */
  beside(view: View): Promise<Beside>;
}

/** Where live and rebuilt rows differ. */
export interface Comparison {
  readonly live: { readonly rows: number; readonly hash: string };
  readonly rebuilt: { readonly rows: number; readonly hash: string };
  readonly equal: boolean;
  /** Keys of rows (and `tally subject/kind`) that stand in one only or differ; the first hundred. */
  readonly differing: readonly string[];
}

/** A view being built beside the live one. */
export interface Beside {
  readonly store: ViewStore;
  /**
   * Puts the built rows, tallies, parked streams and checkpoint in place of the live ones in one
   * transaction, if the live checkpoint still is the one given, else Fenced. Compares both where asked.
   */
  swap(live: Checkpoint, compare: boolean): Promise<Comparison | null>;
  abandon(): Promise<void>;
}
