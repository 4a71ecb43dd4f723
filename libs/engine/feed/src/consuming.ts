import { LogReplaced, OlderThanLog } from '#engine/store';
import type { Logger } from '#kernel';
import { TablesUnavailable, type ConsumerState } from './consumer-store.js';
import { digestBatch, ForeignSource, type Digested, type Digesting } from './digesting.js';
import type { Deliveries, Feed } from './port.js';

/** The tables were filled by another version of the consumer. */
export class TablesOutdated extends Error {
  override readonly name = 'TablesOutdated';
  constructor(consumer: string, stored: number, known: number) {
    super(
      `the tables of consumer ${consumer} are of version ${stored}, this program’s are of ${known}; ` +
        (stored > known
          ? 'it is older than they are'
          : `build them anew from the log: npm run covenant -- consumers rebuild ${consumer}`),
    );
  }
}

/** What a consumer tells about itself; for metrics, and for reads that wait for it. */
export interface ConsumingWatch {
  readonly batch?: (batch: Digested & Pick<Deliveries, 'topic' | 'partition' | 'behind'>) => void;
  /** Tables that were not available; the same batch is tried again. */
  readonly paused?: () => void;
  readonly restarted?: () => void;
}

export interface Consuming<Row extends object = any> extends Digesting<Row> {
  readonly feed: Feed;
  readonly logger: Logger;
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly watch?: ConsumingWatch;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const growing = (failures: number): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
/** Dead letters told to the feed at once. */
const TOLD = 100;

/**
 * Runs a consumer over a feed: each message exactly once into its tables, those of a key in order, however
 * often it comes, whoever else runs it, wherever it is cut off.
 *
 * - A record that is no JSON or breaks its schema, and a message that the consumer cannot digest, become dead
 *   letters, in the transaction that moves the position; later messages of the same key follow them there, so
 *   that `retryLetters` takes them up in order. The feed is told of them afterwards, at least once.
 * - Tables that are not available are waited for, with growing pauses; the batch at hand is tried again.
 *   Nothing is skipped or buried meanwhile.
 * - The position moves by compare and set: an instance whose partition was given to another writes nothing
 *   more, and starts again.
 *
 * Resolves when the signal aborts and the batch at hand is done.
 *
 * Errors that end it: OlderThanLog for a message type or version that this program does not know (ruling 48),
 * ForeignSource and LogReplaced for another log (ruling 45), TablesOutdated. None of them skips anything.
 */
export async function consume(consuming: Consuming, signal: AbortSignal): Promise<void> {
  const { consumer, logger, pause, watch } = consuming;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await follow(consuming, signal, () => (failures = 0));
      await pause(FIRST_PAUSE_MS, signal);
    } catch (error) {
      if (isFinal(error)) {
        logger.error(
          { consumer: consumer.name, problem: error.name, reason: error.message },
          'a consumer stopped',
        );
        throw error;
      }
      if (signal.aborted) return;
      watch?.restarted?.();
      logger.warn({ consumer: consumer.name, problem: nameOf(error), failures }, 'a consumer starts again');
      await pause(growing(failures++), signal);
    }
  }
}

function isFinal(error: unknown): error is OlderThanLog | ForeignSource | LogReplaced | TablesOutdated {
  return (
    error instanceof OlderThanLog ||
    error instanceof ForeignSource ||
    error instanceof LogReplaced ||
    error instanceof TablesOutdated
  );
}

const nameOf = (error: unknown): string =>
  error instanceof TablesUnavailable
    ? `${error.name} ${error.code}`
    : error instanceof Error
      ? error.name
      : 'unknown error';

async function follow(consuming: Consuming, signal: AbortSignal, onProgress: () => void): Promise<void> {
  const { feed, store } = consuming;
  if (!feed.alone) return followLed(consuming, signal, onProgress);
  const lead = await store.lead(signal);
  try {
    await followLed(consuming, AbortSignal.any([signal, lead.lost]), onProgress);
  } finally {
    await lead.release();
  }
}

async function followLed(consuming: Consuming, signal: AbortSignal, onProgress: () => void): Promise<void> {
  const { consumer, feed, store, logger, watch } = consuming;
  let state: ConsumerState = await store.start(consumer);
  if (state.version !== consumer.version)
    throw new TablesOutdated(consumer.name, state.version, consumer.version);
  // One after the other: partitions bury beside one another.
  let telling: Promise<void> = Promise.resolve();
  const tell = (): Promise<void> => (telling = telling.then(() => tellLetters(consuming)));
  await tell();

  logger.info({ consumer: consumer.name, feed: feed.kind }, 'a consumer goes on');

  const held = new Map<string, string | null>();
  const name = (topic: string, partition: number): string => `${topic}/${partition}`;
  await feed.follow({
    consumer: consumer.name,
    topics: consumer.topics,
    from: async (topic, partition) => {
      const next = await store.position({ feed: feed.kind, topic, partition });
      held.set(name(topic, partition), next);
      return next;
    },
    take: async ({ topic, partition, records, next, behind }) => {
      const place = name(topic, partition);
      const from = held.get(place) ?? null;
      const digested = await patiently(consuming, signal, () =>
        digestBatch(consuming, state, {
          of: { feed: feed.kind, topic, partition },
          records,
          move: { from, to: next },
        }),
      );
      held.set(place, digested.next);
      state = { ...state, source: digested.source };
      onProgress();
      watch?.batch?.({ ...digested, topic, partition, behind });
      if (digested.buried > 0) await tell();
    },
    signal,
  });
}

/** The same again while the tables are not available. */
async function patiently<T>(
  { consumer, logger, pause, watch }: Consuming,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TablesUnavailable)) throw error;
      watch?.paused?.();
      logger.warn({ consumer: consumer.name, code: error.code, failures }, 'a consumer waits for its tables');
      await pause(growing(failures), signal);
      signal.throwIfAborted();
    }
  }
}

/** They lie in the tables already: what cannot be told now is told after the next, or at the next start. */
async function tellLetters({ consumer, feed, store, logger }: Consuming): Promise<void> {
  try {
    for (;;) {
      const letters = await store.untold(TOLD);
      if (letters.length === 0) return;
      for (const { number, delivery, reason } of letters) {
        const { topic, partition, offset } = delivery;
        logger.error(
          { consumer: consumer.name, letter: number, topic, partition, offset, reason },
          'a message was buried',
        );
      }
      await feed.bury(consumer.name, letters);
      await store.told(letters.map(({ number }) => number));
    }
  } catch (error) {
    logger.warn({ consumer: consumer.name, problem: nameOf(error) }, 'dead letters could not be told yet');
  }
}
