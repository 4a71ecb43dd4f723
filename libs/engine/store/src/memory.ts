import { createHash } from 'node:crypto';
import { START, toOrdinal, toPosition, uuidV8, type Micros, type Uuid } from '#kernel';
import { checkAppend } from './append.js';
import { DuplicateEventId, LogUnavailable, NotAppended } from './errors.js';
import { type Append, type Appended, type Batch, type EventStore, type StoredEvent } from './port.js';

/** The twin of a real log: every promise of the port, kept in memory. */
export interface MemoryLog extends EventStore {
  /** A second process on the same log; closing one leaves the other open. */
  another(): MemoryLog;
}

export interface MemoryLogOptions {
  /** What `recordedAt` is stamped by; by default it stands one microsecond later at each look, from 2026 on. */
  readonly clock?: () => Micros;
}

interface Contents {
  readonly identity: Uuid;
  readonly clock: () => Micros;
  readonly log: StoredEvent[];
  readonly streams: Map<string, StoredEvent[]>;
  readonly ids: Set<Uuid>;
  /** Subscriptions that wait for the next append. */
  readonly waiting: Set<() => void>;
}

const BATCH = 1_000;

let logs = 0;

export function memoryLog({ clock = counting() }: MemoryLogOptions = {}): MemoryLog {
  return over({
    identity: uuidV8(createHash('sha256').update(`memory log ${++logs}`).digest()),
    clock,
    log: [],
    streams: new Map(),
    ids: new Set(),
    waiting: new Set(),
  });
}

function counting(): () => Micros {
  let micros = Date.UTC(2026, 0, 1) * 1000;
  return () => micros++;
}

function over(contents: Contents): MemoryLog {
  const { log, streams, ids, waiting } = contents;
  const closed = new AbortController();

  const append = ({ stream, expected, events }: Append): Appended => {
    const stored = streams.get(stream) ?? [];
    const first = stored.slice(expected + 1, expected + 1 + events.length);
    if (first.length === events.length && first.every((event, i) => event.id === events[i]!.id)) {
      const { revision, position, recordedAt } = first.at(-1)!;
      return { outcome: 'appended', revision, position, recordedAt, repeated: true };
    }
    const actual = stored.length - 1;
    if (actual !== expected) return { outcome: 'conflict', actual };
    const known = events.find(({ id }) => ids.has(id));
    if (known) throw new DuplicateEventId(`${stream}: the id ${known.id} is stored already`);

    const recordedAt = Math.max(contents.clock(), log.at(-1)?.recordedAt ?? 0);
    const added = events.map(({ id, type, body }, i) => ({
      ...{ id, type, body, stream, recordedAt },
      revision: expected + 1 + i,
      position: toPosition(log.length + 1 + i),
    }));
    log.push(...added);
    if (!streams.has(stream)) streams.set(stream, stored);
    stored.push(...added);
    for (const { id } of added) ids.add(id);
    for (const wake of [...waiting]) wake();
    const { revision, position } = added.at(-1)!;
    return { outcome: 'appended', revision, position, recordedAt, repeated: false };
  };

  const open = <T>(read: () => T): Promise<T> =>
    closed.signal.aborted
      ? Promise.reject(new LogUnavailable('this log was closed'))
      : Promise.resolve().then(read);

  /** Resolves at the next append by anybody, or when one of the signals aborts. */
  const news = (signals: readonly AbortSignal[]): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        for (const signal of signals) signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      for (const signal of signals) signal.addEventListener('abort', wake);
    });

  async function* subscribe(
    after: Parameters<EventStore['subscribe']>[0],
    { signal, limit = BATCH }: Parameters<EventStore['subscribe']>[1],
  ): AsyncGenerator<Batch> {
    let position = after;
    let caughtUp = false;
    while (!signal.aborted && !closed.signal.aborted) {
      const events = log.slice(toOrdinal(position), toOrdinal(position) + limit);
      if (events.length === 0 && caughtUp) {
        await news([signal, closed.signal]);
        continue;
      }
      position = events.at(-1)?.position ?? position;
      caughtUp = toOrdinal(position) >= log.length;
      yield { events, position, caughtUp };
    }
  }

  return {
    append: async (request) => {
      checkAppend(request);
      if (closed.signal.aborted) throw new NotAppended('this log was closed');
      return append(request);
    },
    readStream: (stream, from = 0) => open(() => (streams.get(stream) ?? []).slice(from)),
    readStreams: (names) =>
      open(() => new Map(names.map((stream) => [stream, [...(streams.get(stream) ?? [])]]))),
    readAll: (after, limit) => open(() => log.slice(toOrdinal(after), toOrdinal(after) + limit)),
    subscribe,
    head: () => open(() => ({ position: log.at(-1)?.position ?? START, id: log.at(-1)?.id ?? null })),
    at: (position) => open(() => log[toOrdinal(position) - 1] ?? null),
    identity: () => open(() => contents.identity),
    now: () => open(contents.clock),
    close: async () => closed.abort(),
    another: () => over(contents),
  };
}
