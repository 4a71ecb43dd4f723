import { START, toOrdinal, type Logger, type Micros, type Position, type Uuid } from '#kernel';
import { LogReplaced, LogUnavailable, type Batch, type Head, type StoredEvent } from '#engine/store';
import type { WireRecord } from './client.js';
import { CallFailed, type Connection } from './connection.js';
import { Feed } from './feed.js';
import { pause } from '#adapters/timers';
import { LogRefused, refusalOf } from './reach.js';
import type { Times } from './times.js';
import { fromWire } from './wire.js';

/** What this process knows of a log by itself, whichever of its stores found out. */
export interface Known {
  /** The last event of ours that any of them has met. */
  head: { readonly position: Position; readonly id: Uuid } | null;
}

export interface Following {
  readonly connection: Connection;
  readonly prefixes: readonly string[];
  readonly known: Known;
  readonly times: Times;
  readonly timeouts: { readonly readMs: number; readonly watchMs: number };
  readonly logger: Logger;
  at(position: Position): Promise<StoredEvent | null>;
  head(): Promise<Head>;
}

const BACK_OFF_MS = { first: 50, most: 5_000 } as const;
/** A reader waits so long for what this process knows to be stored before it is content with less. */
const SYNC_MS = 1_000;
const LEAST_ROOM = 64;

/** Where a subscription stands. */
interface Place {
  /** Of the last event the consumer has taken, or where it began. */
  readonly position: Position;
  /** That event's; null before it was looked up, and at the start. */
  readonly id: Uuid | null;
  /** The greatest time recorded up to there. */
  readonly greatest: Micros;
  /** Behind `position`, with nothing of ours in between; a new subscription may begin here. */
  readonly movedTo: number | null;
}

/**
 * The supervisor of one subscription: whatever ends it, a new one begins behind the last event the consumer has
 * taken, after a growing pause. Before each beginning the event there is compared with the one that was taken; a
 * silent subscription is compared with the log's head.
 *
 * Errors that end it: LogReplaced, LogRefused.
 */
export async function* subscription(
  following: Following,
  after: Position,
  until: AbortSignal,
  limit: number,
): AsyncGenerator<Batch> {
  const { known, times, logger } = following;
  let place: Place = { position: after, id: null, greatest: 0, movedTo: null };
  let feed: Feed | null = null;
  /** The consumer knows that it has seen everything. */
  let told = false;
  let backOff: number = BACK_OFF_MS.first;
  try {
    while (!until.aborted) {
      try {
        if (!feed) {
          place = await found(following, place);
          feed = begun(following, place, limit);
        }
        const { records, caughtUp } = await next(following, feed, place, told, limit, until);
        if (until.aborted) return;
        const events: StoredEvent[] = [];
        let { greatest } = place;
        for (const record of records) {
          greatest = await times.carried(greatest, record);
          events.push(fromWire(record, greatest));
        }
        const last = events.at(-1);
        if (last) {
          const { position, id } = last;
          place = { position, id, greatest, movedTo: null };
          if (!known.head || position > known.head.position) known.head = { position, id };
        }
        told = caughtUp;
        backOff = BACK_OFF_MS.first;
        yield { events, position: place.position, caughtUp };
      } catch (error) {
        if (until.aborted) return;
        if (feed) place = { ...place, movedTo: feed.movedTo ?? place.movedTo };
        feed?.close();
        feed = null;
        const why = reasonOf(error, place);
        if (!(why instanceof LogUnavailable) || why instanceof LogRefused) throw why;
        logger.warn({ problem: why.message, position: place.position }, 'a subscription begins anew');
        await pause(backOff, until);
        backOff = Math.min(backOff * 2, BACK_OFF_MS.most);
      }
    }
  } finally {
    feed?.close();
  }
}

function reasonOf(error: unknown, { position }: Place): unknown {
  if (!(error instanceof CallFailed)) return error;
  if (error.trouble.is === 'handler-failed')
    return new LogReplaced(`position ${position} is none of this log: it was restored or swapped`);
  return refusalOf(error.trouble) ?? new LogUnavailable(error.message, { cause: error });
}

/** The event that the subscription goes on behind has to be there, and the same. */
async function found(following: Following, place: Place): Promise<Place> {
  const { position, id } = place;
  if (position === START) return place;
  const event = await following.at(position);
  if (!event || (id !== null && id !== event.id))
    throw new LogReplaced(
      `${event ? 'another event' : 'no event of ours'} lies at position ${position}: the log was restored or swapped`,
    );
  return { ...place, id: event.id, greatest: event.recordedAt };
}

function begun({ connection, prefixes, timeouts }: Following, place: Place, limit: number): Feed {
  const after = Math.max(place.position === START ? -1 : toOrdinal(place.position), place.movedTo ?? -1);
  return new Feed({
    connection,
    prefixes,
    after: after < 0 ? 'start' : after,
    room: Math.max(2 * limit, LEAST_ROOM),
    answerMs: timeouts.readMs,
  });
}

/** Waits for what comes next; whatever this process knows to be stored by now belongs to it. */
async function next(
  following: Following,
  feed: Feed,
  place: Place,
  told: boolean,
  limit: number,
  until: AbortSignal,
): Promise<{ readonly records: readonly WireRecord[]; readonly caughtUp: boolean }> {
  const due = toOrdinal(following.known.head?.position ?? START);
  const isBehind = (): boolean => Math.max(feed.heard, toOrdinal(place.position)) < due;
  const { watchMs } = following.timeouts;
  const asked = performance.now();
  let heard = asked;
  while (!until.aborted) {
    const isNews = feed.ready > 0 || (feed.live && !told);
    const isComplete = feed.ready >= limit || !isBehind() || performance.now() - asked >= SYNC_MS;
    if (feed.ended || (isNews && isComplete)) {
      const { records, empty } = feed.take(limit);
      return { records, caughtUp: feed.live && empty && !isBehind() };
    }
    const before = feed.heard;
    await feed.change(isNews ? SYNC_MS : watchMs, until);
    if (feed.heard !== before) heard = performance.now();
    else if (performance.now() - heard >= watchMs) {
      await watch(following, feed, place);
      heard = performance.now();
    }
  }
  return { records: [], caughtUp: false };
}

/** @throws LogUnavailable where the log has gone on without the subscription, or cannot be asked */
async function watch(following: Following, feed: Feed, { position }: Place): Promise<void> {
  const head = toOrdinal((await following.head()).position);
  const seen = Math.max(feed.heard, toOrdinal(position));
  if (feed.ready === 0 && head > seen)
    throw new LogUnavailable(`the subscription is silent at ${seen}, and the log has gone on to ${head}`);
}
