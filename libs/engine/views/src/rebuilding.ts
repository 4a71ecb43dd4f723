import type { Position } from '#kernel';
import type { Batch } from '#engine/store';
import { foldEvents } from './folding.js';
import { Careful, checkOrigins, ForeignCheckpoint, passOver, type Care, type Projecting } from './passing.js';
import type { Noted, View } from './view.js';
import { BadRow, Fenced, type Checkpoint, type Comparison, type ParkedStream } from './view-store.js';

/** Starts that may be lost to a projector that goes on at the same time. */
const TRIES = 20;
const BETWEEN_TRIES_MS = 50;

export interface Rebuilt {
  readonly position: Position;
  /** Null where there was nothing to compare with: another version or another log. */
  readonly comparison: Comparison | null;
}

/**
 * Builds a view anew beside the live one, which goes on meanwhile, and swaps in one transaction. Where both
 * are of one version and log, it compares rows and tallies at the same position and says where they differ.
 *
 * Errors: Fenced where a projector never lets it finish, OlderThanLog, and those of the stores; the live
 * view is then as it was.
 */
export async function rebuild(projecting: Projecting, view: View, signal: AbortSignal): Promise<Rebuilt> {
  const { store, into, logger, pause } = projecting;
  const log = await store.identity();
  await into.start([view], log);
  const beside = await into.beside(view);
  const building: Projecting = { ...projecting, into: beside.store, views: [view], watch: {} };
  try {
    await buildUpTo(building, view, await goal(projecting, view), signal);
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted();
      await buildUpTo(building, view, await goal(projecting, view), signal);
      // From here on whoever projects the live view is fenced; what it wrote last is caught up with now.
      const live = (await into.start([view], log)).get(view.name)!;
      const comparable = await isComparable(projecting, view, live);
      if (comparable) await buildUpTo(building, view, live.position, signal);
      try {
        const comparison = await beside.swap(live, comparable);
        const { position } = (await into.checkpoint(view.name))!;
        if (comparison && !comparison.equal)
          logger.error({ view: view.name, differing: comparison.differing }, 'live and rebuilt rows differ');
        return { position, comparison };
      } catch (error) {
        if (!(error instanceof Fenced) || tries === TRIES) throw error;
        await pause(BETWEEN_TRIES_MS, signal);
      }
    }
  } catch (error) {
    await beside.abandon();
    throw error;
  }
}

/** Where the live view is, so that both can be compared; else the end of the log. */
async function goal(projecting: Projecting, view: View): Promise<Position> {
  const live = await projecting.into.checkpoint(view.name);
  return live !== null && (await isComparable(projecting, view, live))
    ? live.position
    : (await projecting.store.head()).position;
}

async function isComparable({ store }: Projecting, view: View, live: Checkpoint): Promise<boolean> {
  if (live.version !== view.version) return false;
  try {
    await checkOrigins(store, [live], await store.identity());
    return true;
  } catch (error) {
    if (error instanceof ForeignCheckpoint) return false;
    throw error;
  }
}

async function buildUpTo(
  building: Projecting,
  view: View,
  goal: Position,
  signal: AbortSignal,
): Promise<void> {
  let care: Care | null = null;
  for (;;) {
    const checkpoints = await building.into.start([view], await building.store.identity());
    try {
      return await passOver(building, checkpoints, [view], upTo(building, goal), { signal, care });
    } catch (error) {
      if (!(error instanceof Careful)) throw error;
      ({ care } = error);
    }
  }
}

const upTo = ({ store }: Projecting, goal: Position) =>
  async function* (after: Position, limit: number, signal: AbortSignal): AsyncIterable<Batch> {
    for (let position = after; position < goal;) {
      signal.throwIfAborted();
      const events = (await store.readAll(position, limit)).filter((event) => event.position <= goal);
      if (events.length === 0) return;
      position = events.at(-1)!.position;
      yield { events, position, caughtUp: false };
    }
  };

export interface Retried {
  /** Streams that go on again. */
  readonly streams: number;
  readonly events: number;
  /** Streams that wait on, with what stops them now. */
  readonly still: readonly ParkedStream[];
}

/**
 * Takes up the parked streams of a view again, each in order from where it stopped; what can be digested
 * now is written, the rest waits on. A projector that is running is fenced and starts again with what is new.
 */
export async function retryParked(projecting: Projecting, view: View, signal: AbortSignal): Promise<Retried> {
  const { store, into, pause } = projecting;
  const log = await store.identity();
  let retried: Retried = { streams: 0, events: 0, still: [] };
  for (let tries = 1; ; tries++) {
    const checkpoint = (await into.start([view], log)).get(view.name)!;
    await checkOrigins(store, [checkpoint], log);
    const done = new Set(retried.still.map(({ stream }) => stream));
    try {
      for (const parked of await into.parked(view.name))
        if (!done.has(parked.stream))
          retried = add(retried, await retryOne(projecting, view, checkpoint, parked));
      return retried;
    } catch (error) {
      if (!(error instanceof Fenced) || tries === TRIES) throw error;
      await pause(BETWEEN_TRIES_MS, signal);
      signal.throwIfAborted();
    }
  }
}

const add = (a: Retried, b: Retried): Retried => ({
  streams: a.streams + b.streams,
  events: a.events + b.events,
  still: [...a.still, ...b.still],
});

async function retryOne(
  { store, decode, into }: Projecting,
  view: View,
  from: Checkpoint,
  parked: ParkedStream,
): Promise<Retried> {
  const stored = (await store.readStream(parked.stream, parked.from)).filter(
    (e) => e.revision <= parked.upTo,
  );
  const events = stored.map((event) => decode(event) as Noted);
  try {
    const keys = view.appendOnly ? [] : [...new Set(events.map(view.key))];
    const rows = keys.length > 0 ? await into.load(view, keys) : new Map<string, never>();
    const { parked: again, ...folded } = foldEvents(view, events, (key) => rows.get(key) ?? null, new Map());
    await into.commit([
      {
        view,
        from,
        to: from,
        rows: [...folded.rows.values()],
        tallies: folded.tallies,
        parked: again,
        unparked: again.length === 0 ? [parked.stream] : [],
      },
    ]);
    const waiting = again[0];
    return waiting
      ? { streams: 0, events: waiting.from - parked.from, still: [waiting] }
      : { streams: 1, events: events.length, still: [] };
  } catch (error) {
    if (!(error instanceof BadRow)) throw error;
    return { streams: 0, events: 0, still: [{ ...parked, reason: error.message }] };
  }
}
