import type { HouseEvent } from '#engine/catalogue';
import {
  LogReplaced,
  OlderThanLog,
  type Batch,
  type Codec,
  type EventStore,
  type StoredEvent,
} from '#engine/store';
import { START, type Logger, type Micros, type Recorded, type Uuid } from '#kernel';
import { announce, type Announcement } from './announcing.js';
import {
  OutletRefused,
  OutletUnavailable,
  Superseded,
  type Hold,
  type Outlet,
  type Standing,
} from './outlet.js';

/** What a relay tells about itself; for metrics. */
export interface RelayingWatch {
  /** It holds the outlet, which stands here. */
  readonly held?: (standing: Standing) => void;
  /** Messages and standing are written. */
  readonly put?: (put: {
    readonly messages: number;
    readonly events: number;
    readonly standing: Standing;
    /** Of the event at the standing. */
    readonly recordedAt: Micros;
  }) => void;
  /** Another relay has taken the outlet; this one stands by. */
  readonly superseded?: () => void;
  /** What another relay has come to, seen while standing by. */
  readonly seen?: (standing: Standing | null) => void;
  readonly restarted?: (error: unknown) => void;
}

export interface Relaying {
  readonly store: Pick<EventStore, 'subscribe' | 'identity' | 'at' | 'head'>;
  readonly decode: Codec['decode'];
  readonly outlet: Outlet;
  readonly logger: Logger;
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly watch?: RelayingWatch;
  /** Events a batch at most. */
  readonly batchSize?: number;
}

/** The standing belongs to another log, or its event is another one there (ruling 45). */
export class ForeignStanding extends Error {
  override readonly name = 'ForeignStanding';
  constructor() {
    super(
      'the public messages were written from another log than this one (a restored or swapped one): bring back ' +
        'the log that they were written from; or, if this log is the right one, delete all topics covenant.* ' +
        'and start the relay, which writes them anew, and rebuild every consumer',
    );
  }
}

/** A transaction costs the same whatever is in it; more than this, and its messages wait for each other too long. */
const BATCH = 4_000;
/** Silent events move the standing too, yet not each with a transaction of its own: after so many, or so long. */
const SILENT_EVENTS = 4_000;
const SILENT_MS = 5_000;
/** A live batch larger than this is one of a stream of them: the next may gather for a moment. */
const STREAMING = 16;
const GATHER_MS = 20;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Standing by: looks at the other's standing so often, and takes over when it has not moved at so many looks. */
const LOOK_MS = 3_000;
const LOOKS = 5;

/**
 * The relay: reads the log, translates it, and writes the messages together with its standing, so that a crash
 * neither loses nor repeats one (DESIGN section 8).
 *
 * It takes the outlet when it starts, whoever has it: a new process replaces the old one. Superseded, it stands
 * by: only when the log has gone on and the standing has not for `LOOKS` looks does it take the outlet back, so
 * that two relays do not fence each other in turn. A lost log or outlet is waited for, with growing pauses.
 * Resolves when the signal aborts and the batch at hand is written.
 *
 * Errors that end it: OlderThanLog (ruling 48), ForeignStanding, LogReplaced (ruling 45), OutletRefused.
 */
export async function relay(relaying: Relaying, signal: AbortSignal): Promise<void> {
  const { outlet, logger, pause, watch } = relaying;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const held = await outlet.hold();
      try {
        await announceAll(relaying, held, signal, () => (failures = 0));
      } finally {
        await held.release();
      }
    } catch (error) {
      if (isFinal(error)) {
        logger.error({ problem: error.name, reason: error.message }, 'the relay stopped');
        throw error;
      }
      if (signal.aborted) return;
      if (error instanceof Superseded) {
        logger.warn({}, 'another relay has taken over: this one stands by');
        watch?.superseded?.();
        await standBy(relaying, signal);
        continue;
      }
      watch?.restarted?.(error);
      logger.warn({ ...told(error), failures }, 'the relay starts again');
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** failures++, LONGEST_PAUSE_MS), signal);
    }
  }
}

type Final = OlderThanLog | ForeignStanding | LogReplaced | OutletRefused;

const isFinal = (error: unknown): error is Final =>
  error instanceof OlderThanLog ||
  error instanceof ForeignStanding ||
  error instanceof LogReplaced ||
  error instanceof OutletRefused;

function told(error: unknown): object {
  if (!(error instanceof Error)) return { problem: 'unknown error' };
  const code = 'code' in error ? String(error.code) : undefined;
  return {
    problem: error.name,
    ...(code !== undefined && { code }),
    ...(error instanceof OutletUnavailable && { reason: error.message }),
  };
}

async function announceAll(
  { store, decode, logger, pause, watch, batchSize = BATCH }: Relaying,
  held: Hold,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<void> {
  const log = await store.identity();
  const from = held.standing ?? { log, position: START, event: null };
  await checkOrigin(store, from, log);
  // Written down before the first message is: from then on, messages without a standing are somebody else's.
  if (!held.standing) await held.put([], from);
  logger.info({ position: from.position }, 'the relay goes on');
  watch?.held?.(from);

  /** Silent events since the standing was last written. */
  let silent: { readonly events: number; readonly last: StoredEvent } | null = null;
  let writing: Promise<void> = Promise.resolve();
  /** Resolves once the put before is done; this one goes on beside the reading and translating of what follows. */
  const put = async (
    announcements: readonly Announcement[],
    events: number,
    last: StoredEvent,
  ): Promise<void> => {
    await writing;
    silent = null;
    const standing: Standing = { log, position: last.position, event: last.id };
    writing = held.put(announcements, standing).then(() => {
      onProgress();
      watch?.put?.({ messages: announcements.length, events, standing, recordedAt: last.recordedAt });
    });
    writing.catch(() => {}); // met at the next put, where all is caught up, or at the end
  };

  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const batches = store.subscribe(from.position, { signal: until, limit: batchSize })[Symbol.asyncIterator]();
  try {
    let next = ahead(batches);
    for (;;) {
      const come: IteratorResult<Batch> | null = silent ? await within(SILENT_MS, next, pause) : await next;
      if (come === null) {
        await put([], silent!.events, silent!.last);
        await writing;
        continue;
      }
      if (come.done) break;
      const { caughtUp } = come.value;
      if (!caughtUp) next = ahead(batches);
      const { announcements, events, tooNew } = translated(come.value.events, decode, log);
      const last = events.at(-1);
      if (last !== undefined) {
        const passed: number = events.length + (silent?.events ?? 0);
        if (announcements.length > 0 || passed >= SILENT_EVENTS) await put(announcements, passed, last);
        else silent = { events: passed, last };
      }
      if (tooNew) {
        if (silent) await put([], silent.events, silent.last);
        await writing;
        throw tooNew;
      }
      if (caughtUp) {
        await writing;
        if (events.length > STREAMING) await pause(GATHER_MS, until);
        // Live it is read only now: what came while this was written goes as one, and nothing of it waits twice.
        next = ahead(batches);
      }
    }
  } finally {
    ended.abort();
    await writing.catch(() => {}); // it is thrown below, where nothing else was
  }
  await writing;
}

/** A failure is met where the batch is waited for, or not at all where nobody comes to that. */
function ahead(batches: AsyncIterator<Batch>): Promise<IteratorResult<Batch>> {
  const next = batches.next();
  next.catch(() => {});
  return next;
}

/** Null where it did not come in time; it may be waited for again. */
async function within<T>(
  milliseconds: number,
  coming: Promise<T>,
  pause: Relaying['pause'],
): Promise<T | null> {
  const waiting = new AbortController();
  try {
    return await Promise.race([coming, pause(milliseconds, waiting.signal).then(() => null)]);
  } finally {
    waiting.abort();
  }
}

/** Up to the first event that this program does not know, which stops it (ruling 48). */
function translated(
  stored: readonly StoredEvent[],
  decode: Codec['decode'],
  log: Uuid,
): {
  readonly announcements: readonly Announcement[];
  readonly events: readonly StoredEvent[];
  readonly tooNew: OlderThanLog | null;
} {
  const announcements: Announcement[] = [];
  for (const [i, event] of stored.entries()) {
    try {
      announcements.push(...announce(decode(event) as Recorded<HouseEvent>, log));
    } catch (error) {
      if (error instanceof OlderThanLog) return { announcements, events: stored.slice(0, i), tooNew: error };
      throw error;
    }
  }
  return { announcements, events: stored, tooNew: null };
}

async function checkOrigin(store: Relaying['store'], standing: Standing, log: Uuid): Promise<void> {
  if (standing.log !== log) throw new ForeignStanding();
  if (standing.event === null) return;
  if ((await store.at(standing.position))?.id !== standing.event) throw new ForeignStanding();
}

/** Until whoever has the outlet leaves the log behind, or the signal aborts. */
async function standBy(
  { store, outlet, logger, pause, watch }: Relaying,
  signal: AbortSignal,
): Promise<void> {
  let before: string | null = null;
  let unmoved = 0;
  while (unmoved < LOOKS) {
    await pause(LOOK_MS, signal);
    if (signal.aborted) return;
    try {
      const [standing, head] = await Promise.all([outlet.standing(), store.head()]);
      const position = standing?.position ?? START;
      watch?.seen?.(standing);
      unmoved = position === before && position < head.position ? unmoved + 1 : 0;
      before = position;
    } catch (error) {
      // Nobody gets on without log or outlet; who has it may go on when they are back.
      logger.warn(told(error), 'the relay in charge cannot be watched');
      unmoved = 0;
    }
  }
  logger.warn({ milliseconds: LOOKS * LOOK_MS }, 'the relay in charge does not get on: taking over');
}
