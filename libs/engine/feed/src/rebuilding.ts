import { OlderThanLog } from '#engine/store';
import type { Position } from '#kernel';
import { TablesOutdated } from './consuming.js';
import { attempted, digestBatch, type Digesting } from './digesting.js';
import type { ConsumerState, TablesComparison } from './consumer-store.js';
import type { Pinned } from './consumer.js';
import { read } from './message.js';
import type { Delivery } from './port.js';

export interface Retried {
  readonly digested: number;
  /** Dead letters that lie on. */
  readonly still: number;
}

/**
 * Takes a consumer's dead letters up again, key by key in their order, each key in one transaction beside
 * which the consumer does nothing; at the first of a key that fails again, it and those behind it lie on.
 *
 * Errors: OlderThanLog where one is of a later release, TablesOutdated, TablesUnavailable.
 */
export async function retryLetters<Row extends object>(
  digesting: Digesting<Row>,
  signal: AbortSignal,
): Promise<Retried> {
  const { consumer, store, check } = digesting;
  const state = await store.state();
  if (state === null) return { digested: 0, still: 0 };
  if (state.version !== consumer.version)
    throw new TablesOutdated(consumer.name, state.version, consumer.version);
  let digested = 0;
  for (const key of await store.keysWithLetters()) {
    if (signal.aborted) break;
    digested += await store.transact(async (tx) => {
      const done: number[] = [];
      for (const { number, delivery } of await tx.lettersOf(key)) {
        const known = read(delivery, consumer.topics, check);
        if (known.as === 'too-new') throw new OlderThanLog(known.type);
        const wrong =
          known.as === 'broken'
            ? known.reason
            : await attempted(tx, () => consumer.digest([known.message], tx.tables, state.pinned));
        if (wrong !== null) {
          await tx.blame(number, wrong);
          break;
        }
        done.push(number);
      }
      await tx.unbury(done);
      return done.length;
    }, true);
  }
  return { digested, still: (await store.letterFigures()).letters };
}

/**
 * Gives one dead letter up for good, because somebody has looked at it; what waits behind it goes on at the
 * next retry. @returns false where there is none of that number
 */
export async function skipLetter(
  store: Pick<Digesting<object>['store'], 'letters' | 'transact'>,
  number: number,
): Promise<boolean> {
  const [letter] = await store.letters(number - 1, 1);
  if (letter?.number !== number) return false;
  await store.transact((tx) => tx.unbury([number]), true);
  return true;
}

/** All that a log has published, in its order, through the one translator. */
export interface Publication {
  /** `source` of its messages. */
  readonly source: string;
  /** What was published after a position, up to the end of the log as it is met. */
  pages(
    after: Position,
    signal: AbortSignal,
  ): AsyncIterable<{ readonly records: readonly Delivery[]; readonly position: Position }>;
}

export interface Rebuilt {
  readonly messages: number;
  /** Null where there was nothing to compare: another version, other settings, another log. */
  readonly comparison: TablesComparison | null;
  /** The live tables were of another log: the consumer reads its feed from the beginning, and takes nothing in twice. */
  readonly otherLog: boolean;
}

/**
 * Builds a consumer's tables anew from the log, beside the live ones, and swaps them in one transaction. The
 * built ones hold exactly the messages that the live ones have taken in, so that the consumer goes on where it
 * is, and the two can be compared. Where the live ones are of another log, they hold all of this one.
 *
 * The consumer may run meanwhile; it waits while the last messages are taken in. What the live tables have
 * buried is tried again.
 *
 * @param pinned for the new tables; those of the live ones unless given
 */
export async function rebuildTables<Row extends object>(
  digesting: Digesting<Row>,
  publication: Publication,
  start: Position,
  signal: AbortSignal,
  pinned?: Pinned,
): Promise<Rebuilt> {
  const { consumer, store } = digesting;
  const live = await store.start(consumer);
  const target = { version: consumer.version, pinned: pinned ?? live.pinned };
  const sameLog = live.source === null || live.source === publication.source;
  const beside = await store.beside();
  let messages = 0;
  let position = start;
  try {
    let state: ConsumerState = await beside.store.start(target);
    const take = async (records: readonly Delivery[]): Promise<void> => {
      if (records.length === 0) return;
      const { source, digested } = await digestBatch({ ...digesting, store: beside.store }, state, {
        of: { feed: 'log', topic: '', partition: 0 },
        records,
        move: null,
      });
      state = { ...state, source };
      messages += digested;
    };
    const taken = async (records: readonly Delivery[]): Promise<readonly Delivery[]> => {
      const live = await beside.seenLive(records.map(idOf));
      return records.filter((record) => live.has(idOf(record)));
    };
    for await (const page of publication.pages(position, signal)) {
      signal.throwIfAborted();
      if (sameLog && (await taken(page.records)).length < page.records.length) break;
      await take(page.records);
      ({ position } = page);
    }
    await beside.hold();
    for await (const page of publication.pages(position, signal)) {
      signal.throwIfAborted();
      await take(sameLog ? await taken(page.records) : page.records);
    }
    const otherLog = !sameLog || (await beside.unmet()) > 0;
    const comparable = !otherLog && live.version === target.version && same(live.pinned, target.pinned);
    const comparison = await beside.swap({ compare: comparable, forget: otherLog });
    return { messages, comparison, otherLog };
  } catch (error) {
    await beside.abandon();
    throw error;
  }
}

const same = (a: Pinned, b: Pinned): boolean =>
  Object.keys({ ...a, ...b }).every((name) => a[name] === b[name]);

/** What the translator made has its message with it. */
const idOf = ({ message }: Delivery): string => {
  if (!message) throw new Error('a publication brings messages');
  return message.id;
};
