import {
  HOUSE,
  decideInTurn,
  toInstant,
  uuidV7,
  type Actor,
  type Command,
  type Decider,
  type Event,
  type Fact,
  type Instant,
  type Micros,
  type Position,
  type Recorded,
  type Refusal,
  type RequestKey,
  type Uuid,
} from '#kernel';
import type { Chance, Codec, Prepared, Surroundings } from './codec.js';
import { Contention, LogUnavailable, NotAppended, UnknownOutcome } from './errors.js';
import { NO_STREAM, type Appended, type EventStore } from './port.js';

/** A stream folded: the aggregate's state, and what the house itself remembers of every stream. */
export interface Folded<S> {
  readonly state: S;
  /** NO_STREAM before the first event. */
  readonly revision: number;
  /** Revision of the last append that an actor caused; timers do not move it (ruling 4). */
  readonly etag: number;
  readonly recordedAt: Micros;
  /** The latest idempotency key accepted here, and behind it every one before (ruling 11). */
  readonly keys: Keyed | null;
}

/** An accepted request, with the revisions it wrote; a chain, so that a fold adds to it without copying it. */
export interface Keyed {
  readonly id: string;
  readonly body: string;
  readonly from: number;
  readonly to: number;
  readonly earlier: Keyed | null;
}

function keyed(keys: Keyed | null, id: string): Keyed | null {
  let found = keys;
  while (found && found.id !== id) found = found.earlier;
  return found;
}

/** The clock of the edge: live commands happen now. Throws while this process's clock is not to be trusted (ruling 1). */
export interface EdgeClock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** What transact needs beside the store. */
export interface Means {
  readonly store: EventStore;
  readonly codec: Codec;
  readonly chance: Chance;
  readonly clock: EdgeClock;
  /** Version of the rules that decide (ruling 8). */
  readonly engine: string;
  /** Waits before an append whose answer was lost is repeated; absent: repeated at once. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/** A request as it arrives at a stream. */
export interface Request {
  readonly stream: string;
  readonly actor: Actor;
  readonly correlation: string;
  readonly causation?: string;
  /** Absent only where no request stands behind the command (flows, timers). */
  readonly key?: RequestKey & {
    /** False where the edge made the key up: then an accepted no-op need not be noted. */
    readonly own: boolean;
  };
  /** The `etag` that the caller last saw. */
  readonly ifMatch?: number;
  /** Given only by the `integration` role: when it happened, never in the future. */
  readonly occurredAt?: Instant;
  /** The stream is most likely new: decide first and read only on a conflict. */
  readonly expectNew?: boolean;
  /**
   * Event ids that follow from something (imports, flows; ruling 10), asked with the index of the command
   * behind each fact. Absent: fresh ones.
   */
  readonly ids?: (commands: readonly number[]) => readonly Uuid[];
}

export type Outcome<S, E extends Event, R extends Refusal> =
  | {
      readonly outcome: 'accepted';
      /** Revision and position of the last event of the append that carries this key. */
      readonly revision: number;
      readonly etag: number;
      readonly position: Position;
      /** The stored events of this key; empty for an accepted no-op without a key of the caller's own. */
      readonly events: readonly Recorded<E>[];
      readonly state: S;
      /** True where an earlier request had done it: under this key, or under these derived ids. */
      readonly repeated: boolean;
    }
  /** `at`: index of the command that was refused. */
  | { readonly outcome: 'refused'; readonly refusal: R; readonly at: number }
  | { readonly outcome: 'stale'; readonly etag: number }
  | { readonly outcome: 'key-reused' }
  | { readonly outcome: 'in-future'; readonly now: Instant };

/** Conflicts in a row before giving up; each means that somebody else got on. */
const ATTEMPTS = 50;
/** Repeats of an append whose answer was lost, with the same ids; each is harmless (ruling 10). */
const REPEATS = 5;
/** Before the first repeat; twice as long before each further one. */
const PAUSE_MS = 100;

const noted: Fact<Event> = { type: 'house.command-noted.v1', data: {} };

/** Folds a stream read from the log. */
export function foldStream<S, E extends Event>(
  decider: Pick<Decider<S, never, never, E, never>, 'initial' | 'evolve'>,
  events: readonly Recorded<Event>[],
  from: Folded<S> = {
    state: decider.initial,
    revision: NO_STREAM,
    etag: NO_STREAM,
    recordedAt: 0,
    keys: null,
  },
): Folded<S> {
  let { state, revision, etag, recordedAt, keys } = from;
  for (const event of events) {
    if (event.revision !== revision + 1)
      throw new Error(`${event.stream}: revision ${event.revision} follows ${revision}: the log has a hole`);
    state = decider.evolve(state, event as Recorded<E>);
    revision = event.revision;
    recordedAt = event.recordedAt;
    if (event.key) {
      const { id, body } = event.key;
      // The events of one request stand side by side: they are one append.
      keys =
        keys?.id === id
          ? { ...keys, to: revision }
          : { id, body, from: revision, to: revision, earlier: keys };
    }
    if (event.actor.id !== HOUSE || event.key) etag = revision;
  }
  return { state, revision, etag, recordedAt, keys };
}

/**
 * Folded streams, bounded by number, least recently used first out. An entry is only ever a hint: the
 * append at its revision decides.
 */
export class StreamCache<S> {
  private readonly entries = new Map<string, Folded<S>>();

  constructor(private readonly limit: number) {}

  get(stream: string): Folded<S> | undefined {
    const entry = this.entries.get(stream);
    if (entry) {
      this.entries.delete(stream);
      this.entries.set(stream, entry);
    }
    return entry;
  }

  /** Whichever is further stays: streams never get shorter. */
  put(stream: string, folded: Folded<S>): void {
    const known = this.entries.get(stream);
    this.entries.delete(stream);
    this.entries.set(stream, known && known.revision > folded.revision ? known : folded);
    if (this.entries.size > this.limit) {
      const oldest = this.entries.keys().next().value;
      if (oldest !== undefined) this.entries.delete(oldest);
    }
  }
}

/** Work on one name is done one after the other, in the order asked for; names do not wait for each other. */
function turns(): <T>(name: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<void>>();
  return (name, work) => {
    const mine = last.get(name)?.then(work) ?? work();
    const over = mine
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        if (last.get(name) === over) last.delete(name);
      });
    last.set(name, over);
    return mine;
  };
}

export interface Transactor<S, C extends Command, E extends Event, R extends Refusal> {
  /**
   * Load, fold, decide, append at the expected revision, decide again on conflict (DESIGN section 5).
   * `command` is asked anew at each attempt, with that attempt's time; several commands are one append, and
   * none asks only for what has fallen due (the timekeeper). Commands of one process on one stream are taken
   * in turn, so that only other processes conflict with them.
   *
   * Errors: those of EventStore, Contention, and whatever the clock throws. Nothing is half-done.
   */
  transact(request: Request, command: (occurredAt: Instant) => C | readonly C[]): Promise<Outcome<S, E, R>>;
  /** The stream's present fold, from the log itself. */
  load(stream: string): Promise<Folded<S>>;
}

export interface TransactorOptions<
  S,
  C extends Command,
  F extends Event,
  E extends Event,
  R extends Refusal,
> extends Means {
  readonly decider: Decider<S, C, F, E, R>;
  /** Streams kept folded. */
  readonly cached?: number;
}

export function transactor<S, C extends Command, F extends Event, E extends Event, R extends Refusal>(
  options: TransactorOptions<S, C, F, E, R>,
): Transactor<S, C, E, R> {
  const { store, codec, clock, chance, decider, engine, pause } = options;
  const cache = new StreamCache<S>(options.cached ?? 10_000);
  const nothing: Folded<S> = foldStream<S, E>(decider, []);
  const inTurn = turns();

  const load = async (stream: string): Promise<Folded<S>> => {
    const folded = foldStream<S, E>(decider, (await store.readStream(stream)).map(codec.decode));
    if (folded.revision !== NO_STREAM) cache.put(stream, folded);
    return folded;
  };

  const attempt = async (
    request: Request,
    command: (occurredAt: Instant) => C | readonly C[],
  ): Promise<Outcome<S, E, R>> => {
    const { stream, key } = request;
    // What a cached state answers with a no is asked again of the log (ruling 11).
    let hinted = true;
    for (let conflicts = 0; conflicts < ATTEMPTS;) {
      const hint = hinted ? (cache.get(stream) ?? (request.expectNew ? nothing : undefined)) : undefined;
      const before = hint ?? (await load(stream));
      hinted = false;

      const seen = key && keyed(before.keys, key.id);
      if (seen) return seen.body === key.body ? answerAgain(stream, before, seen) : { outcome: 'key-reused' };
      if (request.ifMatch !== undefined && request.ifMatch !== before.etag) {
        if (hint) continue;
        return { outcome: 'stale', etag: before.etag };
      }

      const now = toInstant(Math.max(clock.now() / 1000, before.recordedAt / 1_000_000));
      const occurredAt = request.occurredAt ?? now;
      if (occurredAt > now) {
        if (hint) continue;
        return { outcome: 'in-future', now };
      }
      const asked = command(occurredAt);
      const decided = decideInTurn(
        decider,
        codec.catalogue,
        before.state,
        Array.isArray(asked) ? (asked as readonly C[]) : [asked as C],
        now,
        request.actor,
      );
      if ('refused' in decided) {
        if (hint) continue;
        return { outcome: 'refused', refusal: decided.refused, at: decided.at };
      }
      const facts: Fact<Event>[] = [...decided.facts];
      if (facts.length === 0) {
        if (key?.own) facts.push(noted);
        else if (hint) continue;
        else return acceptedNothing(before);
      }

      const prepared = await codec.prepare(facts, request.ids?.(decided.by) ?? freshIds(facts.length), {
        occurredAt,
        actor: request.actor,
        correlation: request.correlation,
        ...(request.causation !== undefined && { causation: request.causation }),
        engine,
        ...(key && { key: { id: key.id, body: key.body } }),
      });
      const appended = await appendSurely(store, stream, before.revision, prepared, pause);
      if (appended.outcome === 'conflict') {
        conflicts++;
        continue;
      }
      // Under derived ids somebody else may have stored what they decided: then only the log knows.
      const events = appended.repeated
        ? await stored(stream, before.revision + 1, appended.revision)
        : recorded<E>(stream, before.revision, prepared, appended);
      const after = foldStream<S, E>(decider, events, before);
      cache.put(stream, after);
      return {
        outcome: 'accepted',
        revision: appended.revision,
        etag: after.etag,
        position: appended.position,
        events,
        state: after.state,
        repeated: appended.repeated && request.ids !== undefined,
      };
    }
    throw new Contention(`${stream}: ${ATTEMPTS} conflicts in a row`);
  };

  const stored = async (stream: string, from: number, to: number): Promise<Recorded<E>[]> =>
    (await store.readStream(stream, from))
      .slice(0, to - from + 1)
      .map((event) => codec.decode(event) as Recorded<E>);

  const answerAgain = async (
    stream: string,
    { state }: Folded<S>,
    { from, to }: { readonly from: number; readonly to: number },
  ): Promise<Outcome<S, E, R>> => {
    const events = await stored(stream, from, to);
    const { revision, position } = events.at(-1)!;
    return { outcome: 'accepted', revision, etag: revision, position, events, state, repeated: true };
  };

  const acceptedNothing = async (folded: Folded<S>): Promise<Outcome<S, E, R>> => ({
    outcome: 'accepted',
    revision: folded.revision,
    etag: folded.etag,
    position: (await store.head()).position,
    events: [],
    state: folded.state,
    repeated: false,
  });

  const freshIds = (count: number) =>
    Array.from({ length: count }, () => uuidV7(clock.now(), chance.bytes(10)));

  return {
    transact: (request, command) => inTurn(request.stream, () => attempt(request, command)),
    load,
  };
}

/**
 * Appends, and where the answer is lost asks again with the same ids at the same revision, which cannot
 * store twice (ruling 10). Throws UnknownOutcome only when that, too, stays unanswered: once an answer was
 * lost, a repeat that surely wrote nothing says nothing about the first attempt.
 */
export async function appendSurely(
  store: EventStore,
  stream: string,
  expected: number,
  prepared: readonly Prepared[],
  pause?: (milliseconds: number) => Promise<void>,
): Promise<Appended> {
  const append = { stream, expected, events: prepared.map((p) => p.event) };
  let lost: UnknownOutcome | undefined;
  for (let repeat = 0; ; repeat++) {
    try {
      return await store.append(append);
    } catch (error) {
      if (error instanceof UnknownOutcome) lost = error;
      else if (!lost || !(error instanceof NotAppended || error instanceof LogUnavailable)) throw error;
      if (repeat === REPEATS) throw lost;
      await pause?.(PAUSE_MS * 2 ** repeat);
    }
  }
}

/** What the store now holds of a prepared append. Its events all get the append's last position: no fold looks at it. */
function recorded<E extends Event>(
  stream: string,
  before: number,
  prepared: readonly Prepared[],
  appended: Extract<Appended, { outcome: 'appended' }>,
): Recorded<E>[] {
  // `occurred` is this append's own; the four fields that were missing make it recorded.
  return prepared.map(({ occurred }, i) =>
    Object.assign(occurred, {
      stream,
      revision: before + 1 + i,
      position: appended.position,
      recordedAt: appended.recordedAt,
    }),
  ) as unknown as Recorded<E>[];
}

export type { Surroundings };
