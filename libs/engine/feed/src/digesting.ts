import { OlderThanLog } from '#engine/store';
import type { Micros } from '#kernel';
import { Undigestible, type Consumer, type Pinned } from './consumer.js';
import {
  Fenced,
  TablesUnavailable,
  ValueRefused,
  type ConsumerStore,
  type ConsumerTransaction,
  type PartitionOf,
} from './consumer-store.js';
import { read, type Check, type Published } from './message.js';
import type { DeadLetter, Delivery } from './port.js';

/** The messages tell of another log than the tables do (ruling 45). */
export class ForeignSource extends Error {
  override readonly name = 'ForeignSource';
  constructor(consumer: string) {
    super(
      `consumer ${consumer} has taken in messages of another log than these are of (a restored or swapped ` +
        `one); build its tables anew from this log: npm run covenant -- consumers rebuild ${consumer}`,
    );
  }
}

/** What stands before everything a consumer takes in. */
export interface Digesting<Row extends object> {
  readonly consumer: Consumer<Row>;
  readonly store: ConsumerStore<Row>;
  readonly check: Check;
}

/** A batch of one partition, or of the log itself where tables are rebuilt. */
export interface BatchOf {
  readonly of: PartitionOf;
  readonly records: readonly Delivery[];
  /** From where to where the position moves; null where there is none to move. */
  readonly move: { readonly from: string | null; readonly to: string } | null;
}

export interface Digested {
  readonly digested: number;
  readonly repeats: number;
  readonly buried: number;
  /** Of the last message; null where there was none. */
  readonly recordedAt: Micros | null;
  /** Of the tables from now on. */
  readonly source: string | null;
  /** Where the partition goes on, as the tables have it now. */
  readonly next: string | null;
}

type Sorted =
  | { readonly delivery: Delivery; readonly message: Published }
  | { readonly delivery: Delivery; readonly message: null; readonly reason: string };

/**
 * Takes one batch in, in one transaction: ids seen before are repeats; what cannot be read is buried; a key
 * with dead letters buries what follows; the rest is digested; the position moves. Where the digestion fails
 * for another reason than the tables' own, the batch is rolled back and its messages are tried one by one.
 *
 * Before a message that this program does not know, or one of another log, it stops: what stands before it is
 * taken in, the position stays, and the error says which.
 *
 * Errors: OlderThanLog (ruling 48), ForeignSource (ruling 45), Fenced, TablesUnavailable.
 */
export async function digestBatch<Row extends object>(
  digesting: Digesting<Row>,
  state: { readonly pinned: Pinned; readonly generation: number; readonly source: string | null },
  batch: BatchOf,
): Promise<Digested> {
  const { consumer, check } = digesting;
  const sorted: Sorted[] = [];
  let { source } = state;
  let stop: Error | null = null;
  for (const delivery of batch.records) {
    const known = read(delivery, consumer.topics, check);
    if (known.as === 'too-new') stop = new OlderThanLog(known.type);
    else if (known.as === 'broken') sorted.push({ delivery, message: null, reason: known.reason });
    else if (source !== null && known.message.source !== source) stop = new ForeignSource(consumer.name);
    else {
      source = known.message.source;
      sorted.push({ delivery, message: known.message });
    }
    if (stop) break;
  }
  const work = { ...digesting, state, batch, sorted, source, whole: stop === null };
  const digested =
    sorted.length === 0 && stop !== null
      ? null
      : await takeIn(work, false).catch((error: unknown) => {
          if (error instanceof Fenced || error instanceof TablesUnavailable) throw error;
          return takeIn(work, true);
        });
  if (stop) throw stop;
  return digested!;
}

interface Work<Row extends object> extends Digesting<Row> {
  readonly state: { readonly pinned: Pinned; readonly generation: number; readonly source: string | null };
  readonly batch: BatchOf;
  readonly sorted: readonly Sorted[];
  readonly source: string | null;
  readonly whole: boolean;
}

function takeIn<Row extends object>(work: Work<Row>, oneByOne: boolean): Promise<Digested> {
  const { consumer, store, state, batch, sorted, source, whole } = work;
  return store.transact(async (tx) => {
    const ids = sorted.flatMap(({ message }) => (message === null ? [] : [message.id]));
    const news = new Set(ids.length === 0 ? [] : await tx.see(ids));
    const keys = [...new Set(sorted.map(({ delivery }) => delivery.key))];
    const blocked = new Set(keys.length === 0 ? [] : await tx.blocked(keys));

    const letters: DeadLetter[] = [];
    const bury = (delivery: Delivery, reason: string): void => {
      letters.push({ delivery, reason });
      blocked.add(delivery.key);
    };
    const digestible: Published[] = [];
    let repeats = 0;
    let digested = 0;
    for (const one of sorted) {
      const { delivery, message } = one;
      if (message === null) bury(delivery, one.reason);
      else if (!news.delete(message.id)) repeats++;
      else if (blocked.has(delivery.key)) bury(delivery, BEHIND);
      else if (oneByOne) {
        const failure = await attempted(tx, () => consumer.digest([message], tx.tables, state.pinned));
        if (failure === null) digested++;
        else bury(delivery, failure);
      } else digestible.push(message);
    }
    if (digestible.length > 0) await consumer.digest(digestible, tx.tables, state.pinned);
    digested += digestible.length;
    if (letters.length > 0) await tx.bury(batch.of.feed, letters);
    if (source !== null && state.source === null) await tx.pin(source);

    const last = sorted.findLast(({ message }) => message !== null)?.message ?? null;
    const outcome = { digested, repeats, buried: letters.length, recordedAt: last && recordedAt(last) };
    const next = whole ? (batch.move?.to ?? null) : (batch.move?.from ?? null);
    if (batch.move)
      await tx.move({
        ...batch.of,
        ...outcome,
        from: batch.move.from,
        to: next,
        generation: state.generation,
      });
    return { ...outcome, source, next };
  });
}

/** Why a letter lies there that has nothing wrong itself. */
export const BEHIND = 'behind: an earlier message of its key lies here';

/** Tries one message by itself. @returns what is wrong with it, or null; holds nothing of its content */
export async function attempted<Row extends object>(
  tx: ConsumerTransaction<Row>,
  work: () => Promise<void>,
): Promise<string | null> {
  try {
    await tx.attempt(work);
    return null;
  } catch (error) {
    if (error instanceof TablesUnavailable || error instanceof Fenced) throw error;
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Undigestible) return `undigestible: ${error.message}`;
  if (error instanceof ValueRefused) return `refused: ${error.code}`;
  const name = error instanceof Error && /^[A-Za-z]{1,60}$/.test(error.name) ? error.name : 'unknown error';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return `threw: ${name}${/^[A-Z0-9_]{1,40}$/.test(code) ? ` ${code}` : ''}`;
}

/** Microseconds of an RFC 3339 instant with six decimals. */
function recordedAt({ recordedat }: Published): Micros {
  const fraction = /\.(\d{1,6})/.exec(recordedat)?.[1] ?? '';
  return Math.floor(Date.parse(recordedat) / 1000) * 1_000_000 + Number(fraction.padEnd(6, '0'));
}
