import type { Topic } from '#contracts';
import type { Published } from './message.js';

/** What a consumer counts into: the dimensions of a count by name. */
export type Tally = Readonly<Record<string, string>>;

export interface Counted {
  readonly tally: Tally;
  /** Not 0. */
  readonly by: number;
}

/** A consumer's own tables as one transaction sees them: a row per aggregate, and counts. */
export interface Tables<Row extends object> {
  /** Rows by key (the message's subject); absent ones are missing from the answer. */
  load(keys: readonly string[]): Promise<ReadonlyMap<string, Row>>;
  save(rows: ReadonlyMap<string, Row>): Promise<void>;
  /** Each tally at most once. */
  count(changes: readonly Counted[]): Promise<void>;
}

/** What a consumer's tables depend on beside the messages (a time zone); kept with them. */
export type Pinned = Readonly<Record<string, string>>;

/**
 * Who lives on what is published, and on nothing else. The runtime (consuming.ts) sees to it that each message
 * is digested exactly once and those of a key in order, whatever comes again, crashes or runs beside.
 */
export interface Consumer<Row extends object = any> {
  /** `analytics`: names its schema, its share in Kafka, its dead-letter topic. */
  readonly name: string;
  /** Rises when the digestion or a table's shape changes: then the tables are rebuilt. */
  readonly version: number;
  readonly topics: readonly Topic[];
  /** For tables made now; those that stand keep their own. */
  readonly pinned: Pinned;
  /**
   * Takes messages into the tables, in the order given; messages of one key are in order.
   *
   * @throws Undigestible (or whatever went wrong) where it cannot: then what it wrote is undone and the
   * messages are tried one by one.
   */
  readonly digest: (messages: readonly Published[], tables: Tables<Row>, pinned: Pinned) => Promise<void>;
}

/** A message that a consumer understands and cannot take in. Its text holds codes and numbers only (ruling 31). */
export class Undigestible extends Error {
  override readonly name = 'Undigestible';
}

export interface Fold<Row extends object> {
  /** Adds one message to its aggregate's row; pure, exhaustive, never judges. Null: it leaves no row. */
  readonly fold: (row: Row | null, message: Published, pinned: Pinned) => Row | null;
  /** What a row counts into: the counts follow from the rows, so that they can be recounted. */
  readonly tallies: (row: Row, pinned: Pinned) => readonly Tally[];
}

/** A row that says how far its aggregate is in it. */
interface Followed {
  /** Of the last message in it. */
  readonly revision: number;
}

/** @throws Undigestible where a message opens an aggregate that stands already */
export function opens(row: Followed | null, { revision }: Published): void {
  if (row !== null) throw new Undigestible(`revision ${revision} opens what stands at ${row.revision}`);
}

/**
 * The row that a message goes on from.
 *
 * @throws Undigestible where there is none, or it is past the message
 */
export function followed<Row extends Followed>(row: Row | null, { revision }: Published): Row {
  if (row === null) throw new Undigestible(`revision ${revision} without an opening`);
  if (revision <= row.revision) throw new Undigestible(`revision ${revision} after ${row.revision}`);
  return row;
}

/** A consumer that keeps a row per aggregate, by a pure fold, and counts over the rows. */
export function folding<Row extends object>({ fold, tallies }: Fold<Row>): Consumer<Row>['digest'] {
  return async (messages, tables, pinned) => {
    const before = await tables.load([...new Set(messages.map(({ subject }) => subject))]);
    const rows = new Map<string, Row>();
    for (const message of messages) {
      const key = message.subject;
      const row = rows.get(key) ?? before.get(key) ?? null;
      const folded = fold(row, message, pinned);
      if (folded !== null && folded !== row) rows.set(key, folded);
    }
    if (rows.size === 0) return;
    const sums = new Map<string, { readonly tally: Tally; by: number }>();
    const add = (row: Row | undefined, by: number): void => {
      for (const tally of row === undefined ? [] : tallies(row, pinned)) {
        const name = tallyName(tally);
        const sum = sums.get(name);
        if (sum) sum.by += by;
        else sums.set(name, { tally, by });
      }
    };
    for (const [key, row] of rows) {
      add(before.get(key), -1);
      add(row, 1);
    }
    await tables.save(rows);
    const changes = [...sums.values()].filter(({ by }) => by !== 0);
    if (changes.length > 0) await tables.count(changes);
  };
}

/** The same for the same dimensions, in the order in which their consumer writes them. */
export const tallyName = (tally: Tally): string => JSON.stringify(Object.values(tally));
