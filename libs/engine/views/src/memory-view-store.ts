import { START, type Uuid } from '#kernel';
import {
  BadRow,
  Fenced,
  type Advance,
  type Beside,
  type Checkpoint,
  type Comparison,
  type Leadership,
  type ParkedStream,
  type ViewStore,
} from './view-store.js';
import type { Folding, View } from './view.js';

/** The twin: keeps the promises of ViewStore in memory, for tests. */
export interface MemoryViewStore extends ViewStore {
  /** All rows of a view, as another would read them. */
  rows(view: View): readonly Folding[];
  row(view: View, key: string): Folding | null;
  /** `subject` to `kind` to count. */
  tallies(view: View): Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The next commit fails so, and writes nothing. */
  failNext(error: Error): void;
  /** Changes a row behind everybody's back. */
  tamper(view: View, key: string): void;
}

interface Copy {
  rows: Map<string, string>;
  tallies: Map<string, number>;
  parked: Map<string, ParkedStream>;
  checkpoint: Checkpoint | null;
}

const emptyCopy = (): Copy => ({ rows: new Map(), tallies: new Map(), parked: new Map(), checkpoint: null });

const keyOf = (view: View, row: Folding): string =>
  view.keyColumns.map((column) => String((row as unknown as Record<string, unknown>)[column])).join('/');

const tallyKey = (subject: string, kind: string): string => JSON.stringify([subject, kind]);

export function memoryViewStore(): MemoryViewStore {
  const copies = new Map<string, Copy>();
  const leaders: (() => void)[] = [];
  let led = false;

  const free = (): void => {
    const next = leaders.shift();
    if (next) next();
    else led = false;
  };
  const lead = async (signal: AbortSignal): Promise<Leadership> => {
    signal.throwIfAborted();
    if (led)
      await new Promise<void>((resolve, reject) => {
        const onAbort = (): void => {
          leaders.splice(leaders.indexOf(resolve), 1);
          reject(signal.reason as Error);
        };
        leaders.push(() => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        });
        signal.addEventListener('abort', onAbort, { once: true });
      });
    led = true;
    let released = false;
    return {
      lost: new AbortController().signal,
      release: async () => {
        if (!released) free();
        released = true;
      },
    };
  };

  return {
    ...overCopies(copies),
    lead,
    beside: async (view) => {
      const next = new Map<string, Copy>();
      const store: ViewStore = {
        ...overCopies(next),
        lead,
        beside: () => Promise.reject(new Error('a view that is being built is not built beside itself')),
      };
      const swap: Beside['swap'] = async (live, compare) => {
        const old = copies.get(view.name)!;
        const built = next.get(view.name)!;
        standsOr(old.checkpoint, live);
        const comparison = compare ? compared(old, built) : null;
        copies.set(view.name, {
          ...built,
          checkpoint: { ...built.checkpoint!, token: live.token + 1 },
        });
        return comparison;
      };
      return { store, swap, abandon: async () => next.clear() };
    },
  };
}

function standsOr(stored: Checkpoint | null, from: Checkpoint): void {
  if (stored?.token !== from.token || stored.version !== from.version || stored.position !== from.position)
    throw new Fenced(`view ${from.view} is moved by another projector`);
}

function overCopies(copies: Map<string, Copy>): Omit<MemoryViewStore, 'lead' | 'beside'> {
  const copyOf = (view: string): Copy => {
    let copy = copies.get(view);
    if (!copy) copies.set(view, (copy = emptyCopy()));
    return copy;
  };
  let failure: Error | null = null;

  const start = async (views: readonly View[], log: Uuid) => {
    for (const { name: view, version } of views) {
      const copy = copyOf(view);
      const stored = copy.checkpoint ?? {
        view,
        version,
        token: 0,
        log,
        position: START,
        event: null,
        recordedAt: 0,
      };
      copy.checkpoint = { ...stored, token: stored.token + 1 };
    }
    return new Map(views.map(({ name }) => [name, copyOf(name).checkpoint!]));
  };

  const commit = async (advances: readonly Advance[]): Promise<void> => {
    if (failure !== null) {
      const error = failure;
      failure = null;
      throw error;
    }
    for (const { from } of advances) standsOr(copyOf(from.view).checkpoint, from);
    for (const { view, rows } of advances)
      // PostgreSQL takes no U+0000 in text: neither does its twin.
      if (rows.some((row) => JSON.stringify(row).includes('\\u0000'))) throw new BadRow(view.name, 'U+0000');
    for (const { view, fresh = [] } of advances)
      for (const row of fresh)
        if (copyOf(view.name).rows.has(keyOf(view, row))) throw new BadRow(view.name, 'a fresh row is there');
    for (const { view, from, to, rows, tallies, parked, unparked } of advances) {
      const copy = copyOf(view.name);
      for (const row of rows) {
        const key = keyOf(view, row);
        const stored = copy.rows.get(key);
        if (stored === undefined || (JSON.parse(stored) as Folding).revision < row.revision)
          copy.rows.set(key, JSON.stringify(row));
      }
      for (const { subject, kind, by } of tallies) {
        const tally = tallyKey(subject, kind);
        copy.tallies.set(tally, (copy.tallies.get(tally) ?? 0) + by);
      }
      for (const stream of parked) copy.parked.set(stream.stream, stream);
      for (const stream of unparked) copy.parked.delete(stream);
      copy.checkpoint = { ...from, ...to };
    }
  };

  return {
    start,
    commit,
    checkpoint: async (view) => copies.get(view)?.checkpoint ?? null,
    parked: async (view) =>
      [...copyOf(view).parked.values()].sort((a, b) => (a.position < b.position ? -1 : 1)),
    load: async (view, keys) => {
      const { rows } = copyOf(view.name);
      return new Map(
        keys.flatMap((key) => {
          const row = rows.get(key);
          return row === undefined ? [] : [[key, JSON.parse(row) as Folding]];
        }),
      );
    },
    rows: (view) => [...copyOf(view.name).rows.values()].map((row) => JSON.parse(row) as Folding),
    row: (view, key) => {
      const row = copyOf(view.name).rows.get(key);
      return row === undefined ? null : (JSON.parse(row) as Folding);
    },
    tallies: (view) => {
      const bySubject: Record<string, Record<string, number>> = {};
      for (const [tally, count] of copyOf(view.name).tallies) {
        const [subject, kind] = JSON.parse(tally) as [string, string];
        if (count !== 0) (bySubject[subject] ??= {})[kind] = count;
      }
      return bySubject;
    },
    failNext: (error) => {
      failure = error;
    },
    tamper: (view, key) => {
      const { rows } = copyOf(view.name);
      rows.set(key, JSON.stringify({ ...JSON.parse(rows.get(key)!), tampered: true }));
    },
  };
}

function compared(live: Copy, rebuilt: Copy): Comparison {
  const flat = ({ rows, tallies }: Copy): Map<string, string> =>
    new Map([
      ...rows,
      ...[...tallies]
        .filter(([, count]) => count !== 0)
        .map(([key, count]) => [`tally ${(JSON.parse(key) as string[]).join('/')}`, String(count)] as const),
    ]);
  const [a, b] = [flat(live), flat(rebuilt)];
  const differing = [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key));
  const figures = ({ rows }: Copy) => ({
    rows: rows.size,
    hash: [...rows.values()].sort().join('\n'),
  });
  return {
    live: figures(live),
    rebuilt: figures(rebuilt),
    equal: differing.length === 0,
    differing: differing.slice(0, 100),
  };
}
