import type { Micros } from '#kernel';
import type { Pinned, Tables } from './consumer.js';
import type { DeadLetter } from './port.js';

/** What is true of a consumer's tables as a whole. */
export interface ConsumerState {
  /** Version of the consumer that filled them. */
  readonly version: number;
  readonly pinned: Pinned;
  /** `source` of the messages in them: the log they tell of (ruling 45); null before the first. */
  readonly source: string | null;
  /** Rises when they are rebuilt: whoever holds an older one moves nothing any more. */
  readonly generation: number;
}

export interface PartitionOf {
  /** Kind of the feed: offsets of one mean nothing to another, so each has its own positions. */
  readonly feed: string;
  readonly topic: string;
  readonly partition: number;
}

/** How far a consumer has come in one partition of one feed. */
export interface ConsumerPosition extends PartitionOf {
  readonly next: string;
  /** Messages digested, told apart as repeats, and buried, since the tables were made. */
  readonly digested: number;
  readonly repeats: number;
  readonly buried: number;
  /** When the last of them was recorded; null before the first. */
  readonly recordedAt: Micros | null;
}

export interface Move extends PartitionOf {
  /** Where the partition stood, and must still stand; null: nowhere yet. */
  readonly from: string | null;
  /** Where it goes on now; null only from null. */
  readonly to: string | null;
  readonly generation: number;
  readonly digested: number;
  readonly repeats: number;
  readonly buried: number;
  readonly recordedAt: Micros | null;
}

/** A dead letter as the tables keep it. */
export interface StoredLetter extends DeadLetter {
  /** Its place among all of the consumer's, rising. */
  readonly number: number;
  readonly feed: string;
}

/** Another process moved the partition, or the tables were rebuilt: nothing of the batch was written. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/**
 * The tables cannot be reached or cannot write now; nothing was written, or (a lost answer to the commit) all
 * was. To be tried again: what was written is told by the position.
 */
export class TablesUnavailable extends Error {
  override readonly name = 'TablesUnavailable';
  /** @param code the store's own, such as an SQLSTATE; never a value. */
  constructor(readonly code: string) {
    super(`the tables are not available: ${code}`);
  }
}

/** The tables refuse a value, whenever it is tried. */
export class ValueRefused extends Error {
  override readonly name = 'ValueRefused';
  /** @param code the store's own, such as an SQLSTATE; never a value. */
  constructor(readonly code: string) {
    super(`the tables refuse a value: ${code}`);
  }
}

/** One transaction over everything that a consumer keeps. */
export interface ConsumerTransaction<Row extends object> {
  readonly tables: Tables<Row>;
  /** Notes ids as taken in, digested or buried; answers those that were not before. */
  see(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Of these keys, those with dead letters. */
  blocked(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** In order. One that lies there already (same feed, partition and offset) is left as it is. */
  bury(feed: string, letters: readonly DeadLetter[]): Promise<void>;
  /** Dead letters of a key, in order. */
  lettersOf(key: string): Promise<readonly StoredLetter[]>;
  unbury(numbers: readonly number[]): Promise<void>;
  /** A buried letter has another reason now. */
  blame(number: number, reason: string): Promise<void>;
  /** Sets the source of the tables where they have none. @throws Fenced where they have another */
  pin(source: string): Promise<void>;
  /** Compare and set of position and generation. @throws Fenced */
  move(move: Move): Promise<void>;
  /** What the work wrote is undone where it fails, and the transaction can go on. */
  attempt(work: () => Promise<void>): Promise<void>;
}

/** The right to consume, where a feed shares nothing out. */
export interface ConsumerLead {
  /** Aborts when it is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface LetterFigures {
  readonly letters: number;
  /** Keys whose messages wait behind one. */
  readonly keys: number;
}

/**
 * Where one consumer keeps all it has: its own tables, ids of the messages in them, positions, dead letters.
 * Every adapter holds the contract suite in testing/.
 *
 * Errors of everything: TablesUnavailable, and ValueRefused where a value is the cause.
 */
export interface ConsumerStore<Row extends object = any> {
  /** Name of the consumer. */
  readonly consumer: string;
  /** Waits until no other process consumes; rejects when the signal aborts first. */
  lead(signal: AbortSignal): Promise<ConsumerLead>;
  /** As the tables stand; made with these values where there are none yet. */
  start(first: Pick<ConsumerState, 'version' | 'pinned'>): Promise<ConsumerState>;
  /** Null before the first start. */
  state(): Promise<ConsumerState | null>;
  position(of: PartitionOf): Promise<string | null>;
  positions(): Promise<readonly ConsumerPosition[]>;
  /**
   * All that the work writes, or nothing.
   *
   * @param alone no batch and no other work of the consumer is under way meanwhile
   */
  transact<T>(work: (tx: ConsumerTransaction<Row>) => Promise<T>, alone?: boolean): Promise<T>;
  letterFigures(): Promise<LetterFigures>;
  /** In order, those after a number. */
  letters(after: number, limit: number): Promise<readonly StoredLetter[]>;
  /** Keys with dead letters, the longest buried first. */
  keysWithLetters(): Promise<readonly string[]>;
  /** Dead letters that the feed was not told of yet. */
  untold(limit: number): Promise<readonly StoredLetter[]>;
  told(numbers: readonly number[]): Promise<void>;
  /** Empty tables beside the live ones; one set at a time, what an earlier one left is removed. */
  beside(): Promise<BesideTables<Row>>;
}

/** Where live and rebuilt tables differ. */
export interface TablesComparison {
  readonly live: { readonly rows: number; readonly counts: number };
  readonly rebuilt: { readonly rows: number; readonly counts: number };
  readonly equal: boolean;
  /** Keys of rows, and `count …` of counts, that stand in one only or differ; the first hundred. */
  readonly differing: readonly string[];
}

/** A consumer's tables being built beside the live ones. */
export interface BesideTables<Row extends object> {
  readonly store: ConsumerStore<Row>;
  /** Of these ids, those in the live tables. */
  seenLive(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** How many ids the live tables have beyond those in the built ones. */
  unmet(): Promise<number>;
  /** From now on, until `swap` or `abandon`, nothing of the live tables is written. */
  hold(): Promise<void>;
  /**
   * Puts the built tables, ids, dead letters and state in place of the live ones, in one transaction; needs
   * `hold` first. Positions stay as they are, or all are forgotten.
   */
  swap(options: { readonly compare: boolean; readonly forget: boolean }): Promise<TablesComparison | null>;
  abandon(): Promise<void>;
}
