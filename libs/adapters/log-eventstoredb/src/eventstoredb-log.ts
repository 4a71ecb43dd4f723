import { randomBytes } from 'node:crypto';
import {
  START,
  isUuid,
  silent,
  toOrdinal,
  uuidV7,
  type Logger,
  type Micros,
  type Position,
  type Uuid,
} from '#kernel';
import {
  InvalidAppend,
  LogReplaced,
  LogUnavailable,
  NO_STREAM,
  NotAppended,
  UnknownOutcome,
  checkAppend,
  type Append,
  type Appended,
  type EventStore,
  type Head,
  type Seal,
  type StoredEvent,
} from '#engine/store';
import { addressOf } from './address.js';
import type { LogClient, WireRecord } from './client.js';
import { CallFailed, share, type Connection } from './connection.js';
import { eventStoreClient } from './eventstore-client.js';
import { pause } from '#adapters/timers';
import { LogRefused, refusalOf, reach } from './reach.js';
import { subscription, type Following, type Known } from './subscription.js';
import { Times } from './times.js';
import { Tries } from './tries.js';
import { told } from './trouble.js';
import { fromWire, positionOf, toWire } from './wire.js';

export interface EventStoreDbLogOptions {
  /** `esdb://` or `kurrentdb://`, credentials inside. */
  readonly url: string;
  /** Categories of the desk's streams; what else the server holds is not seen. */
  readonly categories: readonly string[];
  /** Stands beside the log, in PostgreSQL. It is not closed with the log. */
  readonly seal: Seal;
  readonly timeouts?: Partial<LogTimeouts>;
  readonly logger?: Logger;
  /** Another library; `@eventstore/db-client` unless given. */
  readonly client?: (address: string) => LogClient;
}

export interface LogTimeouts {
  /** For the server to come up, at the opening. */
  readonly startMs: number;
  /** For the answer to an append; the server itself gives up after 2 s. */
  readonly appendMs: number;
  /** From one event of a read to the next, and to the first sign of a subscription. */
  readonly readMs: number;
  /** After which a silent subscription is compared with the log's head. */
  readonly watchMs: number;
}

const TIMEOUTS: LogTimeouts = { startMs: 30_000, appendMs: 5_000, readMs: 5_000, watchMs: 10_000 };

const BATCH = 1_000;
/** Streams read at once. */
const STREAMS_AT_ONCE = 16;
/** Events read at least where foreign ones may lie between ours. */
const PAGE = 64;
const LARGEST_PAGE = 4_096;
/** Tries of an append that surely did not reach the server. */
const UNSENT_TRIES = 3;
const UNSENT_PAUSE_MS = 100;

/** Holds the log's identity, and lies in no category of ours. */
const IDENTITY_STREAM = 'covenantlog-identity';
const IDENTITY_TYPE = 'covenant.log-identity.v1';

const OPEN_END = 2_147_483_647;

/**
 * A log in EventStoreDB or KurrentDB. Positions are commit positions, so they rise with holes; the gapless
 * ordinals are the sealer's (sealing.ts of the store). An append answers the time its answer came, to the
 * millisecond, instead of the `recordedAt` that is read later.
 *
 * Errors at the opening: LogRefused, LogReplaced, LogUnavailable.
 */
export async function openEventStoreDbLog(options: EventStoreDbLogOptions): Promise<EventStore> {
  const { seal, logger = silent, client = eventStoreClient } = options;
  const address = addressOf(options.url);
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const { connection, release } = shared(address, client, logger);
  try {
    await reach(connection, options.url, timeouts, logger);
    const log = new EventStoreDbLog(connection, release, options.categories, seal, timeouts, logger);
    await log.compare();
    return log.store();
  } catch (error) {
    await release();
    throw error;
  }
}

function shared(address: string, client: (address: string) => LogClient, logger: Logger) {
  try {
    return share(address, () => client(address), logger);
  } catch (error) {
    throw new LogRefused('address', `EVENTSTORE_URL cannot be used: ${(error as Error).message}`);
  }
}

/** What is known of a connection's server: two stores on one client know of each other's appends. */
interface Knowledge {
  readonly tries: Tries;
  /** By the categories that a store sees. */
  readonly known: Map<string, Known>;
  /** Whether the answer to an append of several events tells the last one's position; null before the first. */
  tellsLast: boolean | null;
}

const knowledge = new WeakMap<Connection, Knowledge>();

class EventStoreDbLog {
  private readonly closed = new AbortController();
  private readonly times: Times;
  private readonly prefixes: readonly string[];
  private readonly known: Known;
  private readonly knowledge: Knowledge;
  private identity!: Uuid;

  constructor(
    private readonly connection: Connection,
    private readonly release: () => Promise<void>,
    private readonly categories: readonly string[],
    private readonly seal: Seal,
    private readonly timeouts: LogTimeouts,
    private readonly logger: Logger,
  ) {
    this.times = new Times(seal, logger);
    this.prefixes = categories.map((category) => `${category}-`);
    const shared = knowledge.get(connection) ?? { tries: new Tries(), known: new Map(), tellsLast: null };
    knowledge.set(connection, shared);
    this.knowledge = shared;
    const view = this.prefixes.join();
    this.known = shared.known.get(view) ?? { head: null };
    shared.known.set(view, this.known);
  }

  private get following(): Following {
    const { connection, prefixes, known, times, timeouts, logger } = this;
    return {
      ...{ connection, prefixes, known, times, timeouts, logger },
      at: (position) => this.at(position),
      head: () => this.head(),
    };
  }

  /** The log, the seal beside it and what both say of themselves (ruling 45). */
  async compare(): Promise<void> {
    const [sealed, owner] = await Promise.all([this.seal.head(), this.seal.log(), this.times.look()]);
    const stored = await this.readIdentity();
    if (owner !== null && stored === null)
      throw new LogReplaced(`the seal belongs to the log ${owner}, and the server holds no log yet`);
    const identity = stored ?? (await this.makeIdentity());
    const claimed = await this.seal.claim(identity);
    if (claimed !== identity)
      throw new LogReplaced(
        `the seal belongs to the log ${claimed}, and the server holds the log ${identity}`,
      );
    this.identity = identity;
    if (sealed.id !== null && (await this.at(sealed.position))?.id !== sealed.id)
      throw new LogReplaced(
        `the event sealed last, ${sealed.id} at ${sealed.position}, is not in the log: it was restored or swapped`,
      );
  }

  store(): EventStore {
    return {
      append: (append) => this.append(append),
      readStream: (stream, from = 0) => this.readStream(stream, from),
      readStreams: (streams) => this.readStreams(streams),
      readAll: (after, limit) => this.readAll(after, limit),
      subscribe: (after, { signal, limit = BATCH }) =>
        subscription(this.following, after, AbortSignal.any([signal, this.closed.signal]), limit),
      head: () => this.head(),
      at: (position) => this.at(position),
      identity: () => this.open(async () => this.identity),
      now: () => this.open(async () => Math.floor((await this.seal.now()) / 1000) * 1000),
      close: async () => {
        if (this.closed.signal.aborted) return;
        this.closed.abort();
        await this.release();
      },
    };
  }

  private async append(append: Append): Promise<Appended> {
    checkAppend(append);
    const { stream, expected, events } = append;
    if (!this.categories.includes(stream.slice(0, stream.indexOf('-'))))
      throw new InvalidAppend(`${stream}: not of a category of this desk: ${this.categories.join(', ')}`);
    if (this.closed.signal.aborted) throw new NotAppended('this log was closed');
    const ids = events.map(({ id }) => id);
    const { tries } = this.knowledge;
    const first = tries.begin(ids);
    const attempt = first ? null : randomBytes(6).toString('base64');
    const wire = toWire(events, attempt);
    for (let unsent = 1; ; unsent++) {
      try {
        const { position } = await this.connection.call(this.timeouts.appendMs, (client) =>
          client.append(stream, expected, wire),
        );
        const isTold = position !== null && (events.length === 1 || this.knowledge.tellsLast === true);
        if (!isTold || !first || !tries.isAlone(ids)) return await this.written(append, attempt, position);
        const answer = positionOf({ position });
        this.meet(answer, ids.at(-1)!);
        return {
          outcome: 'appended',
          revision: expected + events.length,
          position: answer,
          recordedAt: Date.now() * 1000,
          repeated: false,
        };
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        const { trouble } = error;
        switch (trouble.is) {
          case 'conflict':
            return this.conflict(append, trouble.actual, first);
          case 'lost':
          case 'silent':
            throw new UnknownOutcome(`${stream}: the answer of the log was lost: ${told(trouble)}`);
          case 'unable':
          case 'not-leader':
            if (unsent === UNSENT_TRIES)
              throw new NotAppended(`${stream}: the log cannot append now: ${told(trouble)}`);
            await pause(UNSENT_PAUSE_MS * unsent, this.closed.signal);
            continue;
          case 'too-large':
            throw new InvalidAppend(`${stream}: ${told(trouble)}`);
          case 'credentials-wrong':
          case 'not-permitted':
          case 'untrusted':
            this.logger.error({ problem: told(trouble) }, 'the log refuses this process');
            throw new NotAppended(`${stream}: the log refuses this process: ${told(trouble)}`);
          case 'stream-missing':
          case 'stream-deleted':
          case 'handler-failed':
            throw new NotAppended(`${stream}: the log refused the append: ${told(trouble)}`);
        }
      }
    }
  }

  /** What stands where this append was to stand, once the server has accepted it. */
  private async written(
    { stream, expected, events }: Append,
    attempt: string | null,
    position: number | null,
  ): Promise<Appended> {
    const records = await this.standing(stream, expected, events.length).catch((error: unknown) => {
      throw new UnknownOutcome(`${stream}: what was appended could not be read back`, { cause: error });
    });
    if (!areThese(records, events)) throw new UnknownOutcome(`${stream}: what was appended is not read back`);
    if (events.length > 1) this.knowledge.tellsLast ??= records.at(-1)!.position === position;
    return this.answered(records, (records[0]!.metadata.try ?? null) !== attempt);
  }

  /** A conflict, unless the same ids stand there: then it was an earlier try of this very append. */
  private async conflict(
    { stream, expected, events }: Append,
    actual: number,
    first: boolean,
  ): Promise<Appended> {
    let records: readonly WireRecord[];
    try {
      records = await this.standing(stream, expected, events.length);
    } catch (error) {
      if (first) return { outcome: 'conflict', actual };
      throw new UnknownOutcome(`${stream}: a conflict or a repeat, the log could not be asked which`, {
        cause: error,
      });
    }
    return areThese(records, events) ? this.answered(records, true) : { outcome: 'conflict', actual };
  }

  private answered(records: readonly WireRecord[], repeated: boolean): Appended {
    const last = records.at(-1)!;
    const position = positionOf(last);
    this.meet(position, last.id as Uuid);
    const recordedAt = this.times.of(last);
    return { outcome: 'appended', revision: last.revision, position, recordedAt, repeated };
  }

  private async standing(stream: string, expected: number, count: number): Promise<readonly WireRecord[]> {
    return this.records(stream, expected + 1, count);
  }

  private async readStream(stream: string, from: number): Promise<StoredEvent[]> {
    return this.open(async () =>
      (await this.records(stream, from, OPEN_END)).map((record) => fromWire(record, this.times.of(record))),
    );
  }

  private async readStreams(
    streams: readonly string[],
  ): Promise<ReadonlyMap<string, readonly StoredEvent[]>> {
    const read = new Map<string, readonly StoredEvent[]>(streams.map((stream) => [stream, []]));
    const names = [...read.keys()].values();
    const lane = async (): Promise<void> => {
      for (const stream of names) read.set(stream, await this.readStream(stream, 0));
    };
    await Promise.all(Array.from({ length: Math.min(STREAMS_AT_ONCE, read.size) }, lane));
    return read;
  }

  /** Empty for a stream that there is not. @throws LogUnavailable */
  private async records(stream: string, from: number, count: number): Promise<readonly WireRecord[]> {
    try {
      return await this.reading((client) => client.readStream(stream, from, count));
    } catch (error) {
      if (error instanceof CallFailed && error.trouble.is === 'stream-missing') return [];
      throw this.unavailable(error);
    }
  }

  private readAll(after: Position, limit: number): Promise<StoredEvent[]> {
    return this.open(async () => {
      let greatest = await this.upTo(after);
      const events: StoredEvent[] = [];
      for await (const records of this.recordsAfter(after, limit)) {
        for (const record of records) {
          const carried = this.times.carried(greatest, record);
          greatest = typeof carried === 'number' ? carried : await carried;
          events.push(fromWire(record, greatest));
          if (events.length === limit) break;
        }
        if (events.length === limit) break;
      }
      const last = events.at(-1);
      if (last) this.times.remember(last.position, greatest);
      return events;
    });
  }

  /** Ours only, in log order, page by page, up to where the log ends now. @throws LogUnavailable, LogReplaced */
  private async *recordsAfter(after: Position, expectedCount: number): AsyncGenerator<readonly WireRecord[]> {
    let last = after === START ? -1 : toOrdinal(after);
    const count = Math.min(Math.max(expectedCount + 1, PAGE), LARGEST_PAGE);
    for (;;) {
      const page = await this.page(last < 0 ? 'start' : last, 'forwards', count);
      const before = last;
      yield page.filter((record) => record.position > before && this.isOurs(record));
      last = page.at(-1)?.position ?? last;
      if (page.length < count) return;
    }
  }

  private async page(
    from: number | 'start' | 'end',
    direction: 'forwards' | 'backwards',
    count: number,
  ): Promise<readonly WireRecord[]> {
    try {
      return await this.reading((client) => client.readAll(from, direction, count));
    } catch (error) {
      if (typeof from === 'number' && error instanceof CallFailed && error.trouble.is === 'handler-failed')
        throw new LogReplaced(`position ${from} is none of this log: it was restored or swapped`);
      throw this.unavailable(error);
    }
  }

  private upTo(position: Position): Promise<Micros> {
    const pages = (after: Position) => this.recordsAfter(after, LARGEST_PAGE);
    return this.times.upTo(position, async function* (after) {
      for await (const page of pages(after))
        for (const record of page) {
          if (positionOf(record) > position) return;
          yield record;
        }
    });
  }

  private head(): Promise<Head> {
    return this.open(async () => {
      let from: number | 'end' = 'end';
      for (let count = 16; ; count = Math.min(count * 4, LARGEST_PAGE)) {
        const page = await this.page(from, 'backwards', count);
        for (const record of page) {
          const { head } = this.known;
          const position = positionOf(record);
          // What lies before it was looked through before.
          if (head && position <= head.position) return head;
          if (this.isOurs(record)) {
            this.meet(position, record.id as Uuid);
            return { position, id: record.id as Uuid };
          }
        }
        if (page.length < count) return { position: START, id: null };
        from = page.at(-1)!.position;
      }
    });
  }

  private at(position: Position): Promise<StoredEvent | null> {
    return this.open(async () => {
      if (position === START) return null;
      let page: readonly WireRecord[];
      try {
        page = await this.page(toOrdinal(position), 'forwards', 1);
      } catch (error) {
        if (error instanceof LogReplaced) return null;
        throw error;
      }
      const record = page[0];
      if (!record || positionOf(record) !== position || !this.isOurs(record)) return null;
      return fromWire(record, await this.upTo(position));
    });
  }

  private async readIdentity(): Promise<Uuid | null> {
    const [record] = await this.records(IDENTITY_STREAM, 0, 1);
    if (!record) return null;
    if (!isUuid(record.id)) throw new LogReplaced(`${IDENTITY_STREAM} holds no identity`);
    return record.id;
  }

  /** Of two processes that make one at once, one wins. */
  private async makeIdentity(): Promise<Uuid> {
    const id = uuidV7(Date.now(), randomBytes(10));
    const event = { id, type: IDENTITY_TYPE, data: Buffer.from('{}') };
    try {
      await this.connection.call(this.timeouts.appendMs, (client) =>
        client.append(IDENTITY_STREAM, NO_STREAM, [event]),
      );
      return id;
    } catch (error) {
      const made = await this.readIdentity();
      if (made) return made;
      throw this.unavailable(error);
    }
  }

  private isOurs({ stream }: WireRecord): boolean {
    return this.prefixes.some((prefix) => stream.startsWith(prefix));
  }

  private meet(position: Position, id: Uuid): void {
    if (!this.known.head || position > this.known.head.position) this.known.head = { position, id };
  }

  private async open<T>(work: () => Promise<T>): Promise<T> {
    if (this.closed.signal.aborted) throw new LogUnavailable('this log was closed');
    return work();
  }

  /** A connection that had died while idle is noticed only now; the next may do. */
  private async reading(ask: Parameters<Connection['read']>[1]): Promise<readonly WireRecord[]> {
    try {
      return await this.connection.read(this.timeouts.readMs, ask);
    } catch (error) {
      const { is } = (error as CallFailed).trouble;
      if (this.closed.signal.aborted || (is !== 'lost' && is !== 'not-leader')) throw error;
      return this.connection.read(this.timeouts.readMs, ask);
    }
  }

  private unavailable(error: unknown): unknown {
    if (!(error instanceof CallFailed)) return error;
    if (this.closed.signal.aborted) return new LogUnavailable('this log was closed');
    return (
      refusalOf(error.trouble) ??
      new LogUnavailable(`the log cannot be read: ${error.message}`, { cause: error })
    );
  }
}

function areThese(records: readonly WireRecord[], events: readonly { readonly id: Uuid }[]): boolean {
  return records.length === events.length && records.every(({ id }, i) => id === events[i]!.id);
}
