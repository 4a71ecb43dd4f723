import type { Delivery, Feed, Following, Publication } from '#engine/feed';
import { LogReplaced, LogUnavailable } from '#engine/store';
import { START, toOrdinal, type Logger, type Position, type Uuid } from '#kernel';
import { pause } from '#adapters/timers';
import { Tail } from './tail.js';
import { offsetOf, placeOf, translated, type LogRead, type Place } from './translating.js';

export interface LocalFeedOptions extends LogRead {
  readonly logger: Logger;
  /** Events of the log between two positions; by their ordinals unless given. */
  readonly between?: (from: Position, to: Position) => Promise<number>;
}

/** Events read, and records taken from the tail, at once. */
const BATCH = 1_000;
/** A silent stretch moves the position after so many events or milliseconds, whichever comes first. */
const SILENT_EVENTS = 1_000;
const SILENT_MS = 250;
const BACK_OFF_MS = { first: 50, most: 2_000 } as const;

const NOWHERE: Place = { position: START, event: '' as Uuid };

/**
 * The log itself as a feed: private events through the one translator, partition 0 of every topic, offset = the
 * event's place in the log. Consumers that keep up share one reading of the log; who is further behind reads it
 * alone until it has come near.
 *
 * Errors of `follow` beside the reader's own: OlderThanLog for an event that this program does not know, at its
 * place (ruling 48); LogReplaced where a position is none of this log's (ruling 45).
 */
export function localFeed(options: LocalFeedOptions): Feed {
  const { store, decode, logger } = options;
  const between =
    options.between ?? (async (from: Position, to: Position) => toOrdinal(to) - toOrdinal(from));
  const closed = new AbortController();
  let reachable = true;
  let followers = 0;
  let tail: Promise<Tail> | null = null;

  /** Waits for a log that is away. */
  const patiently = async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    for (let backOff: number = BACK_OFF_MS.first; ; backOff = Math.min(backOff * 2, BACK_OFF_MS.most)) {
      try {
        const result = await work();
        reachable = true;
        return result;
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        reachable = false;
        logger.warn({ problem: error.message }, 'the local feed waits for the log');
        await pause(backOff, signal);
        signal.throwIfAborted();
      }
    }
  };

  const openTail = async (): Promise<Tail> => {
    const [identity, head] = await Promise.all([store.identity(), store.head()]);
    const start = head.id === null ? NOWHERE : { position: head.position, event: head.id };
    return new Tail(options, identity, start, logger, () => (reachable = true));
  };
  const join = async (signal: AbortSignal): Promise<Tail> =>
    patiently(signal, () => {
      tail ??= openTail().catch((error: unknown) => {
        tail = null;
        throw error;
      });
      return tail;
    });
  const leave = async (): Promise<void> => {
    if (followers > 0) return;
    const last = await tail?.catch(() => null);
    if (followers > 0 || last === undefined) return;
    tail = null;
    await last?.close();
  };

  const begin = async (offset: string | null, consumer: string, signal: AbortSignal): Promise<Place> => {
    if (offset === null) return NOWHERE;
    const place = placeOf(offset);
    if (place.event === '') return place;
    const there = await patiently(signal, () => store.at(place.position));
    if (there?.id !== place.event)
      throw new LogReplaced(
        `consumer ${consumer} has read another log than this one (a restored or swapped one); build its ` +
          `tables anew from this one: npm run covenant -- consumers rebuild ${consumer}`,
      );
    return place;
  };

  const followTopic = async (following: Following, topic: string, signal: AbortSignal): Promise<void> => {
    const { consumer, take } = following;
    const near = await join(signal);
    const log = await store.identity();
    let at = await begin(await following.from(topic, 0), consumer, signal);
    let told = at;
    /** Events since `told`, and when the first of them was met; milliseconds. */
    let silent = 0;
    let since = 0;

    const tell = async (records: readonly Delivery[], behind: number): Promise<void> => {
      await take({ topic, partition: 0, records, next: offsetOf(at), behind });
      told = at;
      silent = 0;
    };
    const own = (records: readonly Delivery[]): readonly Delivery[] =>
      records.filter((record) => record.topic === topic);

    while (!signal.aborted) {
      if (!near.covers(at.position)) {
        const events = await patiently(signal, () => store.readAll(at.position, BATCH));
        if (events.length === 0) {
          at = near.start;
          continue;
        }
        const { to, records, failure } = translated(at.position, events, decode, log);
        if (to.position > at.position) {
          at = to;
          const head = await patiently(signal, () => store.head());
          await tell(own(records), await patiently(signal, () => between(at.position, head.position)));
        }
        if (failure) throw failure;
        continue;
      }
      const untold = told !== at;
      const left = untold ? Math.max(0, since + SILENT_MS - performance.now()) : null;
      const taken = silent >= SILENT_EVENTS ? null : await near.after(at.position, BATCH, signal, left);
      if (taken === null) {
        if (signal.aborted) return;
        await tell([], 0);
        continue;
      }
      const records = own(taken.records);
      if (taken.to.position > at.position) {
        at = taken.to;
        if (!untold) since = performance.now();
        silent += taken.events;
        if (records.length > 0) await tell(records, taken.behind);
      }
      if (taken.failure) {
        if (told !== at) await tell([], 0);
        throw taken.failure;
      }
    }
  };

  return {
    kind: 'local',
    alone: true,
    get reachable() {
      return reachable;
    },
    log: {
      standing: (next) => placeOf(next).position,
      head: async () => (await store.head()).position,
    },
    follow: async (following) => {
      const failed = new AbortController();
      const signal = AbortSignal.any([following.signal, closed.signal, failed.signal]);
      if (signal.aborted) return;
      followers++;
      try {
        const topics = following.topics.map(({ name }) =>
          followTopic(following, name, signal).catch((error: unknown) => {
            failed.abort();
            throw error;
          }),
        );
        const ends = [following.signal, closed.signal, failed.signal];
        for (const outcome of await Promise.allSettled(topics))
          if (outcome.status === 'rejected' && !ends.some((end) => isItsEnd(end, outcome.reason)))
            throw outcome.reason;
      } finally {
        followers--;
        await leave();
      }
    },
    // Here a dead letter has no other place than the consumer's tables.
    bury: async () => {},
    close: async () => {
      closed.abort();
      await (await tail?.catch(() => null))?.close();
    },
  };
}

/** What `throwIfAborted` throws is the end that was asked for. */
const isItsEnd = (end: AbortSignal, reason: unknown): boolean => end.aborted && reason === end.reason;

/** All that the log has published, for tables that are built anew. Errors: LogUnavailable, OlderThanLog. */
export async function publicationOf({ store, decode }: LogRead): Promise<Publication> {
  const log = await store.identity();
  return {
    source: `/covenant/logs/${log}`,
    pages: async function* (after, signal) {
      for (let position = after; !signal.aborted;) {
        const events = await store.readAll(position, BATCH);
        if (events.length === 0) return;
        const { to, records, failure } = translated(position, events, decode, log);
        if (failure) throw failure;
        ({ position } = to);
        yield { records, position };
      }
    },
  };
}
