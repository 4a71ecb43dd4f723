import type { Logger, Micros, Position, Uuid } from '#kernel';
import { OlderThanLog, type Batch, type Codec, type EventStore, type StoredEvent } from '#engine/store';
import { foldEvents, type Refused } from './folding.js';
import { follows, type Folding, type Noted, type View } from './view.js';
import { BadRow, type Advance, type Checkpoint, type ParkedStream, type ViewStore } from './view-store.js';

/** What a projector tells about itself; for metrics. */
export interface ProjectingWatch {
  /** A batch is committed. */
  readonly batch?: (batch: {
    readonly events: number;
    readonly position: Position;
    readonly recordedAt: Micros;
    readonly caughtUp: boolean;
  }) => void;
  readonly parked?: (stream: ParkedStream) => void;
  readonly restarted?: (error: unknown) => void;
}

export interface Projecting {
  readonly store: Pick<EventStore, 'subscribe' | 'readAll' | 'readStream' | 'identity' | 'at' | 'head'>;
  readonly decode: Codec['decode'];
  readonly views: readonly View[];
  readonly into: ViewStore;
  readonly logger: Logger;
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly watch?: ProjectingWatch;
  /** Events a batch at most. */
  readonly batchSize?: number;
  /** Rows kept in memory per view. */
  readonly cachedRows?: number;
}

/** The checkpoint belongs to another log, or its event is another one there (ruling 45). */
export class ForeignCheckpoint extends Error {
  override readonly name = 'ForeignCheckpoint';
  constructor(view: string) {
    super(
      `view ${view} was folded from another log than this one (a restored or swapped one); ` +
        `rebuild it: npm run covenant -- views rebuild ${view}`,
    );
  }
}

/** Large, so that in a catch-up a row is written once and not at each of its events. */
const BATCH = 8_000;
/** Rows cached per view, in batches: rows of a batch in flight must never be evicted, or they were read stale. */
const CACHED_BATCHES = 4;
/**
 * A live batch larger than this is one of a stream of them. The next may gather for a moment, the longer the
 * more comes: a batch costs its commit whatever is in it, and what it costs is taken from the api.
 */
const STREAMING = 16;
const GATHER_MS = 15;
const LONGEST_GATHER_MS = 120;
const gathering = (events: number): number => Math.min(LONGEST_GATHER_MS, GATHER_MS + events / 4);

/** Where events come from, in log order; ends when the signal aborts. */
export type Source = (after: Position, limit: number, signal: AbortSignal) => AsyncIterable<Batch>;

/** A pass is taken up again with care after a row was refused. */
export interface Care {
  /** Events a batch; doubles while all goes well. */
  readonly limit: number;
  /** The rows of the very next event that the store refuses: it is parked in these views. */
  readonly refused: readonly BadRow[];
}

/** Thrown by a pass whose batch failed for a bad row: nothing of it was written; repeat it smaller. */
export class Careful extends Error {
  override readonly name = 'Careful';
  constructor(readonly care: Care) {
    super('a row was refused: the batch is repeated in smaller ones');
  }
}

export interface Pass {
  readonly signal: AbortSignal;
  readonly care?: Care | null;
  readonly onProgress?: () => void;
}

/**
 * One pass over a source of events, from the checkpoints just taken: folds and commits until it ends. Reading
 * ahead, folding a batch and writing the one before overlap; on any failure all that was not written is
 * forgotten, so a pass is never taken up in the middle.
 *
 * Errors: Careful, Fenced, OlderThanLog (all before the unknown event is written), ForeignCheckpoint, and
 * those of the stores.
 */
export async function passOver(
  projecting: Projecting,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  views: readonly View[],
  source: Source,
  { signal, care = null, onProgress }: Pass,
): Promise<void> {
  const { into, watch, pause, logger, batchSize = BATCH } = projecting;
  if (views.length === 0) return;
  const log = await projecting.store.identity();
  const held = views.map((view) => checkpoints.get(view.name)!);
  await checkOrigins(projecting.store, held, log);
  const cached = Math.max(projecting.cachedRows ?? 0, batchSize * CACHED_BATCHES);
  const folders = await Promise.all(
    views.map(async (view, i) => new Folder(view, held[i]!, await into.parked(view.name), into, cached)),
  );
  const from = held.map(({ position }) => position).reduce((a, b) => (a < b ? a : b));

  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  let limit = care?.limit ?? batchSize;
  let refused = care?.refused ?? [];
  /** The first is the one that counts. */
  const failures: unknown[] = [];
  let writing = Promise.resolve();

  const fail = (error: unknown, events = 0, refusing: readonly BadRow[] = []): void => {
    failures.push(error instanceof BadRow ? new Careful(moreCareful(error, events, refusing)) : error);
    stop.abort();
  };
  const write = async (
    advances: readonly Advance[],
    events: readonly Noted[],
    refusing: readonly BadRow[],
    caughtUp: boolean,
  ): Promise<void> => {
    try {
      await into.commit(advances);
    } catch (error) {
      return fail(error, events.length, refusing);
    }
    limit = Math.min(limit * 2, batchSize);
    onProgress?.();
    const { position, recordedAt } = events.at(-1)!;
    watch?.batch?.({ events: events.length, position, recordedAt, caughtUp });
    for (const stream of advances.flatMap(({ parked }) => parked))
      if (stream.from === stream.upTo) {
        logger.error({ ...stream }, 'a stream was parked');
        watch?.parked?.(stream);
      }
  };

  try {
    for await (const batch of readingAhead(source(from, batchSize, until))) {
      let rest = batch.events;
      while (rest.length > 0 && failures.length === 0) {
        const slice = rest.slice(0, limit);
        rest = rest.slice(limit);
        const { known, tooNew } = decoded(slice, projecting.decode);
        if (known.length > 0) {
          const refusing = refused;
          refused = [];
          const advances = await Promise.all(folders.map((folder) => folder.advance(known, refusing))).catch(
            (error: unknown) => fail(error, known.length, refusing),
          );
          await writing;
          if (failures.length > 0 || !advances) break;
          writing = write(
            advances.filter((advance) => advance !== null),
            known,
            refusing,
            batch.caughtUp && rest.length === 0,
          );
          // A single event is written before the next is folded: a refusal must name the one it is about.
          if (limit < batchSize) await writing;
        }
        if (tooNew) {
          await writing;
          fail(tooNew);
        }
      }
      if (failures.length > 0) break;
      if (batch.caughtUp && batch.events.length > STREAMING)
        await pause(gathering(batch.events.length), until);
    }
  } catch (error) {
    fail(error);
  } finally {
    stop.abort();
    await writing;
  }
  if (failures.length > 0) throw failures[0];
}

function moreCareful(error: BadRow, events: number, refusing: readonly BadRow[]): Care {
  return events > 1
    ? { limit: Math.floor(events / 2), refused: [] }
    : { limit: 1, refused: [...refusing, error] };
}

/** Asks for the next batch before this one is worked on while there is more; live, only when it is asked for. */
async function* readingAhead(source: AsyncIterable<Batch>): AsyncIterable<Batch> {
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const { value, done } = await next;
      if (done) return;
      if (!value.caughtUp) {
        next = iterator.next();
        next.catch(() => {}); // met at the next turn, or after the pass has failed otherwise
      }
      yield value;
      if (value.caughtUp) next = iterator.next();
    }
  } finally {
    // Not awaited: a generator that waits for events returns only once its signal aborts.
    iterator.return?.().catch(() => {});
  }
}

function decoded(
  events: readonly StoredEvent[],
  decode: Codec['decode'],
): { readonly known: readonly Noted[]; readonly tooNew: OlderThanLog | null } {
  const known: Noted[] = [];
  for (const event of events) {
    try {
      known.push(decode(event) as Noted);
    } catch (error) {
      if (error instanceof OlderThanLog) return { known, tooNew: error };
      throw error;
    }
  }
  return { known, tooNew: null };
}

/** Ruling 45: a checkpoint goes on only in the log it was taken from. */
export async function checkOrigins(
  store: Pick<EventStore, 'at'>,
  checkpoints: readonly Checkpoint[],
  log: Uuid,
): Promise<void> {
  const ids = new Map<Position, Uuid | null>();
  for (const { view, position, event, log: of } of checkpoints) {
    if (of !== log) throw new ForeignCheckpoint(view);
    if (event === null) continue;
    if (!ids.has(position)) ids.set(position, (await store.at(position))?.id ?? null);
    if (ids.get(position) !== event) throw new ForeignCheckpoint(view);
  }
}

/** One view on its way through a pass: its checkpoint as folded so far, parked streams, and rows at hand. */
class Folder {
  private readonly rows = new Map<string, Folding>();
  private readonly waiting: Map<string, ParkedStream>;

  constructor(
    private readonly view: View,
    private checkpoint: Checkpoint,
    parked: readonly ParkedStream[],
    private readonly store: ViewStore,
    private readonly limit: number,
  ) {
    this.waiting = new Map(parked.map((stream) => [stream.stream, stream]));
  }

  /** What the events that are news to it make of the view; null where none is. */
  async advance(events: readonly Noted[], refused: readonly BadRow[]): Promise<Advance | null> {
    const { view } = this;
    const from = this.checkpoint;
    const news =
      events[0]!.position > from.position ? events : events.filter((e) => e.position > from.position);
    const last = news.at(-1);
    if (last === undefined) return null;
    const badRow = refused.find((row) => row.view === view.name);
    const refusal: Refused | null = badRow ? { event: news[0]!.id, reason: badRow.message } : null;
    if (refusal === null) await this.fetch(news);
    const folded = foldEvents(view, news, (key) => this.rows.get(key) ?? null, this.waiting, refusal);
    for (const stream of folded.parked) this.waiting.set(stream.stream, stream);
    if (!view.appendOnly) for (const [key, row] of folded.rows) this.keep(key, row);
    const to = { position: last.position, event: last.id, recordedAt: last.recordedAt };
    this.checkpoint = { ...from, ...to };
    return {
      view,
      from,
      to,
      rows: [...folded.rows.values()],
      fresh: new Set([...folded.made].map((key) => folded.rows.get(key)!)),
      tallies: folded.tallies,
      parked: folded.parked,
      unparked: [],
    };
  }

  /** Brings the rows that the events will be folded into; a stream's first event has none. */
  private async fetch(events: readonly Noted[]): Promise<void> {
    if (this.view.appendOnly) return;
    const missing = new Set<string>();
    for (const event of events) {
      if (!follows(this.view, event) || this.waiting.has(event.stream)) continue;
      const key = this.view.key(event);
      if (event.revision > 0 && !this.rows.has(key)) missing.add(key);
    }
    for (const event of events) if (event.revision === 0) missing.delete(this.view.key(event));
    if (missing.size === 0) return;
    for (const [key, row] of await this.store.load(this.view, [...missing])) this.keep(key, row);
  }

  private keep(key: string, row: Folding): void {
    this.rows.delete(key);
    this.rows.set(key, row);
    if (this.rows.size > this.limit) this.rows.delete(this.rows.keys().next().value!);
  }
}
