import { randomUUID } from 'node:crypto';
import { Journal } from './journal.js';

/** Revision of the event that a tombstone is (2^63 - 1 on the wire). */
export const TOMBSTONE = Number.MAX_SAFE_INTEGER;
/** `$tb` of a stream that was deleted softly. */
const DELETED = 9223372036854775807n;
/** Bytes of one append, as the server counts them: data, metadata, two for each character of a type. */
export const APPEND_LIMIT = 1024 * 1024;
const TICKS_A_MILLISECOND = 10_000n;

export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface Event extends Proposed {
  readonly stream: string;
  readonly revision: number;
  /** Commit and prepare position. */
  readonly position: number;
  /** Ticks of 100 ns since 1970. */
  readonly created: bigint;
}

export type Expected = number | 'any' | 'no_stream' | 'stream_exists';

/** `revision` and `position` are those of the last event asked for. */
export type Answer =
  | { readonly is: 'done'; readonly revision: number; readonly position: number }
  | { readonly is: 'wrong-expected-version'; readonly actual: number }
  | { readonly is: 'stream-deleted' }
  | { readonly is: 'too-large' };

export type StreamRead =
  | { readonly is: 'events'; readonly events: readonly Event[] }
  | { readonly is: 'not-found' }
  | { readonly is: 'deleted' };

interface Metadata {
  readonly $tb?: number | bigint;
  readonly $maxCount?: number;
  readonly $maxAge?: number;
  readonly $acl?: { readonly $r?: string | readonly string[] };
}

interface Commit {
  readonly events: readonly Event[];
  /** Where the log ends behind it: records take more room than positions show. */
  readonly end: number;
}

/**
 * The server's semantics over a log in memory, kept in a journal. It takes what the desk's port refuses: an id
 * twice, an empty append, deletions, ANY and STREAM_EXISTS. An event is seen by readers once it is durable, and
 * answers are given in the order of what they depend on.
 */
export class Store {
  private readonly log: Event[] = [];
  private readonly streams = new Map<string, Event[]>();
  private readonly metadata = new Map<string, Metadata>();
  /** For ANY and STREAM_EXISTS, in memory only: after a restart such a repeat is stored again. */
  private readonly committed = new Map<string, Event>();
  /** Events of the log that are durable. */
  private durable = 0;
  private end = 128;
  private readonly watching = new Set<() => void>();
  private journal!: Journal<Commit>;
  /** Added to the clock that `created` is taken from; milliseconds. */
  clockOffset = 0;

  /** Without a path nothing is kept. */
  static async open(path?: string): Promise<Store> {
    const store = new Store();
    store.journal = await Journal.open<Commit>(path, (commit) => store.apply(commit));
    store.durable = store.log.length;
    if (store.log.length === 0)
      await new Promise<Answer>((resolve) =>
        store.write('$$$settings', 'no_stream', [systemEvent('$metadata', { $maxCount: 1 })], resolve),
      );
    return store;
  }

  close(): Promise<void> {
    return this.journal.close();
  }

  /** Answers once everything the answer rests on is durable. */
  write(
    stream: string,
    expected: Expected,
    events: readonly Proposed[],
    done: (answer: Answer) => void,
  ): void {
    const size = events.reduce(
      (sum, { data, metadata, type }) => sum + data.length + metadata.length + 2 * type.length,
      0,
    );
    const answer: Answer = size > APPEND_LIMIT ? { is: 'too-large' } : this.check(stream, expected, events);
    if (answer.is !== 'done' || answer.position >= 0) this.journal.after(() => done(answer));
    else this.commit(stream, events, done);
  }

  /** A soft deletion hides what there is; a tombstone is for ever. */
  delete(stream: string, expected: Expected, hard: boolean, done: (answer: Answer) => void): void {
    const answer = this.check(stream, expected, []);
    if (answer.is !== 'done') return this.journal.after(() => done(answer));
    if (hard) {
      const tombstone = { ...systemEvent('$streamDeleted', {}), isJson: false };
      this.append([this.placed(stream, tombstone, TOMBSTONE)], done);
    } else {
      const metadata = { ...this.metadata.get(stream), $tb: DELETED };
      this.append([this.metadataEvent(stream, metadata)], done);
    }
  }

  readStream(stream: string, from: number | 'end', count: number, backwards: boolean): StreamRead {
    const all = this.visible(stream);
    if (all.at(-1)?.revision === TOMBSTONE) return { is: 'deleted' };
    if (all.length === 0 || this.isDeletedSoftly(stream)) return { is: 'not-found' };
    const first = this.firstRevision(stream, all);
    const youngest = this.oldestTick(stream);
    const there = all.filter((event) => event.revision >= first && event.created >= youngest);
    const events = backwards
      ? there.filter((event) => from === 'end' || event.revision <= from).reverse()
      : there.filter((event) => from !== 'end' && event.revision >= from);
    return { is: 'events', events: events.slice(0, count) };
  }

  /** Durable events of the whole log. */
  get length(): number {
    return this.durable;
  }

  at(index: number): Event {
    return this.log[index]!;
  }

  /** Index of the first durable event at or behind a position. */
  indexFrom(position: number): number {
    let [low, high] = [0, this.durable];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.log[middle]!.position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether a record starts there, or nothing does yet. */
  isPlace(position: number): boolean {
    if (position === 0 || position >= this.end) return true;
    const index = this.indexFrom(position);
    return index < this.durable && this.log[index]!.position === position;
  }

  isBeyondEnd(position: number): boolean {
    return position >= this.end;
  }

  /** Roles that may read a stream, where its metadata names any. */
  readers(stream: string): readonly string[] | null {
    const roles = this.metadata.get(stream)?.$acl?.$r;
    return roles === undefined ? null : [roles].flat();
  }

  /** Told after each commit that has become durable. @returns how to stop it */
  watch(look: () => void): () => void {
    this.watching.add(look);
    return () => this.watching.delete(look);
  }

  /** What the writer decides; a position below 0 where the events are yet to be written. */
  private check(stream: string, expected: Expected, events: readonly Proposed[]): Answer {
    const stored = this.streams.get(stream) ?? [];
    const last = stored.at(-1);
    const actual = last?.revision ?? -1;
    if (actual === TOMBSTONE) return { is: 'stream-deleted' };
    const fresh: Answer = { is: 'done', revision: actual + events.length, position: -1 };
    if (expected === 'any' || expected === 'stream_exists') {
      if (expected === 'stream_exists' && this.isDeletedSoftly(stream)) return { is: 'stream-deleted' };
      if (expected === 'stream_exists' && !last && !this.streams.has(`$$${stream}`))
        return { is: 'wrong-expected-version', actual };
      const known = events.map(({ id }) => this.committed.get(id));
      if (!known[0] || known[0].stream !== stream) return fresh;
      if (!known.every((event) => event?.stream === stream)) return { is: 'wrong-expected-version', actual };
      return done(known.at(-1)!);
    }
    const at = expected === 'no_stream' ? -1 : expected;
    if (at > actual) return { is: 'wrong-expected-version', actual };
    if (at === actual) return fresh;
    const there = stored.slice(at + 1, at + 1 + events.length);
    if (events.length > 0 && there.length === events.length && there.every((e, i) => e.id === events[i]!.id))
      return done(there.at(-1)!);
    const starts = there[0] !== undefined && there[0].id === events[0]?.id;
    if (!starts && at === -1 && this.isDeletedSoftly(stream)) return fresh;
    return { is: 'wrong-expected-version', actual };
  }

  private commit(stream: string, events: readonly Proposed[], done: (answer: Answer) => void): void {
    const next = (this.streams.get(stream)?.at(-1)?.revision ?? -1) + 1;
    if (events.length === 0) {
      const answer: Answer = { is: 'done', revision: next, position: this.end };
      this.end += RECORD;
      return this.journal.add({ events: [], end: this.end }, () => done(answer));
    }
    const revived = this.isDeletedSoftly(stream);
    const placed = events.map((event, i) => this.placed(stream, event, next + i));
    const more = revived ? [this.metadataEvent(stream, { ...this.metadata.get(stream), $tb: next })] : [];
    this.append(placed, done);
    if (more.length > 0) this.append(more, () => {});
  }

  private append(events: readonly Event[], done: (answer: Answer) => void): void {
    const commit = { events, end: this.end };
    this.apply(commit);
    const length = this.log.length;
    const { revision, position } = events.at(-1)!;
    this.journal.add(commit, () => {
      this.durable = length;
      for (const look of [...this.watching]) look();
      done({ is: 'done', revision, position });
    });
  }

  private apply({ events, end }: Commit): void {
    for (const event of events) {
      this.log.push(event);
      const stream = this.streams.get(event.stream);
      if (stream) stream.push(event);
      else this.streams.set(event.stream, [event]);
      if (this.journal) this.committed.set(event.id, event);
      if (event.stream.startsWith('$$') && event.type === '$metadata')
        this.metadata.set(event.stream.slice(2), parsed(event.data));
    }
    this.end = end;
  }

  /** Takes the place of the next record. */
  private placed(stream: string, event: Proposed, revision: number): Event {
    const position = this.end;
    this.end +=
      RECORD + Buffer.byteLength(stream) + event.type.length + event.data.length + event.metadata.length;
    const created = BigInt(Date.now() + this.clockOffset) * TICKS_A_MILLISECOND;
    const { id, type, isJson, data, metadata } = event;
    return { id, type, isJson, data, metadata, stream, revision, position, created };
  }

  private metadataEvent(stream: string, metadata: Metadata): Event {
    const name = `$$${stream}`;
    const revision = (this.streams.get(name)?.at(-1)?.revision ?? -1) + 1;
    return this.placed(name, systemEvent('$metadata', metadata), revision);
  }

  private visible(stream: string): readonly Event[] {
    const all = this.streams.get(stream) ?? [];
    const last = this.log[this.durable - 1];
    return last && all.length > 0 && all.at(-1)!.position > last.position
      ? all.filter(({ position }) => position <= last.position)
      : all;
  }

  private firstRevision(stream: string, all: readonly Event[]): number {
    const { $tb = 0, $maxCount } = this.metadata.get(stream) ?? {};
    const last = all.at(-1)!.revision;
    return Math.max(Number($tb), $maxCount === undefined ? 0 : last - $maxCount + 1);
  }

  private oldestTick(stream: string): bigint {
    const age = this.metadata.get(stream)?.$maxAge;
    return age === undefined ? 0n : BigInt(Date.now() - age * 1000) * TICKS_A_MILLISECOND;
  }

  private isDeletedSoftly(stream: string): boolean {
    const before = this.metadata.get(stream)?.$tb;
    return before !== undefined && BigInt(before) === DELETED;
  }
}

/** Bytes of a record beside what it holds. */
const RECORD = 97;

const done = ({ revision, position }: Event): Answer => ({ is: 'done', revision, position });

function systemEvent(type: string, data: object): Proposed {
  const text = JSON.stringify(data, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  return {
    id: randomUUID(),
    type,
    isJson: true,
    data: Buffer.from(text.replace(/"(\d+)n"/g, '$1')),
    metadata: Buffer.alloc(0),
  };
}

/** `$tb` may be larger than a number can hold. */
function parsed(data: Uint8Array): Metadata {
  const text = Buffer.from(data).toString();
  const metadata = JSON.parse(text) as Metadata;
  return /"\$tb":9223372036854775807\b/.test(text) ? { ...metadata, $tb: DELETED } : metadata;
}
