import { tallyName, type Tally } from './consumer.js';
import {
  Fenced,
  TablesUnavailable,
  ValueRefused,
  type BesideTables,
  type ConsumerLead,
  type ConsumerPosition,
  type ConsumerState,
  type ConsumerStore,
  type ConsumerTransaction,
  type PartitionOf,
  type StoredLetter,
  type TablesComparison,
} from './consumer-store.js';

/** The twin: keeps the promises of ConsumerStore in memory, for tests. */
export interface MemoryConsumerStore<Row extends object = any> extends ConsumerStore<Row> {
  /** All rows by key, as another would read them. */
  rows(): Readonly<Record<string, Row>>;
  /** Counts other than 0, by the values of their dimensions. */
  counts(): Readonly<Record<string, number>>;
  /**
   * The next transactions fail so: `before` its work is kept, or `after` it was (a lost answer to the commit).
   */
  failNext(times: number, when?: 'before' | 'after'): void;
  /** Changes a row behind everybody's back. */
  tamper(key: string): void;
}

interface Kept {
  readonly state: ConsumerState | null;
  readonly rows: ReadonlyMap<string, string>;
  readonly counts: ReadonlyMap<string, { readonly tally: Tally; readonly count: number }>;
  readonly seen: ReadonlySet<string>;
  readonly positions: ReadonlyMap<string, ConsumerPosition>;
  readonly letters: readonly (StoredLetter & { readonly told: boolean })[];
  readonly numbers: number;
}

const EMPTY: Kept = {
  state: null,
  rows: new Map(),
  counts: new Map(),
  seen: new Set(),
  positions: new Map(),
  letters: [],
  numbers: 0,
};

const placeOf = ({ feed, topic, partition }: PartitionOf): string => JSON.stringify([feed, topic, partition]);

export function memoryConsumerStore<Row extends object = any>(consumer: string): MemoryConsumerStore<Row> {
  return opened<Row>(consumer).store;
}

function opened<Row extends object>(
  consumer: string,
): {
  readonly store: MemoryConsumerStore<Row>;
  readonly everything: () => Kept;
} {
  let kept = EMPTY;
  let failing: ('before' | 'after')[] = [];
  let tail: Promise<unknown> = Promise.resolve();
  let leading = Promise.resolve();

  /** One after the other. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work, work);
    tail = turn.catch(() => undefined);
    return turn;
  };

  const transact: ConsumerStore<Row>['transact'] = (work) =>
    inTurn(async () => {
      const before = kept;
      const failure = failing.shift();
      let now = before;
      const tx = transactionOver<Row>(
        () => now,
        (next) => (now = next),
      );
      const result = await work(tx);
      if (failure === 'before') throw new TablesUnavailable('08006');
      kept = now;
      if (failure === 'after') throw new TablesUnavailable('08006');
      return result;
    });

  const beside = async (): Promise<BesideTables<Row>> => {
    const { store, everything } = opened<Row>(consumer);
    let release = (): void => {};
    return {
      store,
      seenLive: async (wanted) => new Set(wanted.filter((id) => kept.seen.has(id))),
      unmet: async () => {
        const { seen } = everything();
        return [...kept.seen].filter((id) => !seen.has(id)).length;
      },
      hold: async () => {
        await new Promise<void>((held) => {
          void inTurn(
            () =>
              new Promise<void>((free) => {
                release = free;
                held();
              }),
          );
        });
      },
      swap: async ({ compare, forget }) => {
        const built = everything();
        const comparison = compare ? compared(kept, built) : null;
        kept = {
          ...built,
          state: { ...built.state!, generation: kept.state!.generation + 1 },
          positions: forget ? new Map() : kept.positions,
        };
        release();
        return comparison;
      },
      abandon: async () => release(),
    };
  };

  const store: MemoryConsumerStore<Row> = {
    consumer,
    lead: async (signal): Promise<ConsumerLead> => {
      const before = leading;
      let release = (): void => {};
      leading = new Promise((resolve) => (release = resolve));
      const aborted = new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => resolve(), { once: true }),
      );
      await Promise.race([before, aborted]);
      if (signal.aborted) {
        void before.then(release);
        signal.throwIfAborted();
      }
      return { lost: new AbortController().signal, release: async () => release() };
    },
    start: ({ version, pinned }) =>
      inTurn(async () => {
        kept = { ...kept, state: kept.state ?? { version, pinned, source: null, generation: 1 } };
        return kept.state!;
      }),
    state: async () => kept.state,
    position: async (of) => kept.positions.get(placeOf(of))?.next ?? null,
    positions: async () => [...kept.positions.values()],
    transact,
    letterFigures: async () => ({
      letters: kept.letters.length,
      keys: new Set(kept.letters.map(({ delivery }) => delivery.key)).size,
    }),
    letters: async (after, limit) => kept.letters.filter(({ number }) => number > after).slice(0, limit),
    keysWithLetters: async () => [...new Set(kept.letters.map(({ delivery }) => delivery.key))],
    untold: async (limit) => kept.letters.filter(({ told }) => !told).slice(0, limit),
    told: (numbers) =>
      inTurn(async () => {
        const letters = kept.letters.map((letter) =>
          numbers.includes(letter.number) ? { ...letter, told: true } : letter,
        );
        kept = { ...kept, letters };
      }),
    beside,
    rows: () =>
      Object.fromEntries([...kept.rows].map(([key, row]) => [key, JSON.parse(row) as Row] as const)),
    counts: () =>
      Object.fromEntries(
        [...kept.counts.values()]
          .filter(({ count }) => count !== 0)
          .map(({ tally, count }) => [Object.values(tally).join('/'), count]),
      ),
    failNext: (times, when = 'before') => {
      failing = [...failing, ...Array.from({ length: times }, () => when)];
    },
    tamper: (key) => {
      const row = JSON.parse(kept.rows.get(key)!) as object;
      kept = { ...kept, rows: new Map(kept.rows).set(key, JSON.stringify({ ...row, tampered: true })) };
    },
  };
  return { store, everything: () => kept };
}

function transactionOver<Row extends object>(
  now: () => Kept,
  put: (next: Kept) => void,
): ConsumerTransaction<Row> {
  const change = (changed: Partial<Kept>): void => put({ ...now(), ...changed });
  return {
    tables: {
      load: async (keys) => {
        const { rows } = now();
        return new Map(
          keys.flatMap((key) => {
            const row = rows.get(key);
            return row === undefined ? [] : [[key, JSON.parse(row) as Row] as const];
          }),
        );
      },
      save: async (rows) => {
        const next = new Map(now().rows);
        for (const [key, row] of rows) {
          const text = JSON.stringify(row);
          // PostgreSQL takes no U+0000 in text: neither does its twin.
          if (text.includes('\\u0000')) throw new ValueRefused('22P05');
          next.set(key, text);
        }
        change({ rows: next });
      },
      count: async (changes) => {
        const counts = new Map(now().counts);
        for (const { tally, by } of changes) {
          const name = tallyName(tally);
          counts.set(name, { tally, count: (counts.get(name)?.count ?? 0) + by });
        }
        change({ counts });
      },
    },
    see: async (ids) => {
      const seen = new Set(now().seen);
      const news = new Set(ids.filter((id) => !seen.has(id)));
      for (const id of news) seen.add(id);
      change({ seen });
      return news;
    },
    blocked: async (keys) => {
      const with_ = new Set(now().letters.map(({ delivery }) => delivery.key));
      return new Set(keys.filter((key) => with_.has(key)));
    },
    bury: async (feed, letters) => {
      for (const { delivery, reason } of letters) {
        const { letters: there, numbers } = now();
        const place = `${placeOf({ feed, ...delivery })} ${delivery.offset}`;
        if (
          there.some(
            (letter) =>
              `${placeOf({ ...letter.delivery, feed: letter.feed })} ${letter.delivery.offset}` === place,
          )
        )
          continue;
        const { topic, partition, offset, key, value } = delivery;
        const letter = {
          number: numbers + 1,
          feed,
          delivery: { topic, partition, offset, key, value },
          reason,
          told: false,
        };
        change({ letters: [...there, letter], numbers: numbers + 1 });
      }
    },
    lettersOf: async (key) => now().letters.filter(({ delivery }) => delivery.key === key),
    unbury: async (numbers) =>
      change({ letters: now().letters.filter(({ number }) => !numbers.includes(number)) }),
    blame: async (number, reason) =>
      change({
        letters: now().letters.map((letter) => (letter.number === number ? { ...letter, reason } : letter)),
      }),
    pin: async (source) => {
      const { state } = now();
      if (state === null || (state.source !== null && state.source !== source))
        throw new Fenced('the tables are of another log');
      change({ state: { ...state, source } });
    },
    move: async ({ from, to, generation, digested, repeats, buried, recordedAt, ...of }) => {
      const { state, positions } = now();
      const place = placeOf(of);
      const stands = positions.get(place);
      if (state?.generation !== generation || (stands?.next ?? null) !== from)
        throw new Fenced(`partition ${of.partition} of ${of.topic} is moved by another process`);
      if (to === null) return;
      change({
        positions: new Map(positions).set(place, {
          feed: of.feed,
          topic: of.topic,
          partition: of.partition,
          next: to,
          digested: (stands?.digested ?? 0) + digested,
          repeats: (stands?.repeats ?? 0) + repeats,
          buried: (stands?.buried ?? 0) + buried,
          recordedAt: recordedAt ?? stands?.recordedAt ?? null,
        }),
      });
    },
    attempt: async (work) => {
      const before = now();
      try {
        await work();
      } catch (error) {
        put(before);
        throw error;
      }
    },
  };
}

function compared(live: Kept, rebuilt: Kept): TablesComparison {
  const counted = ({ counts }: Kept) => [...counts.values()].filter(({ count }) => count !== 0);
  const flat = (kept: Kept): Map<string, string> =>
    new Map([
      ...kept.rows,
      ...counted(kept).map(
        ({ tally, count }) => [`count ${Object.values(tally).join('/')}`, String(count)] as const,
      ),
    ]);
  const [a, b] = [flat(live), flat(rebuilt)];
  const differing = [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key));
  const figures = (kept: Kept) => ({ rows: kept.rows.size, counts: counted(kept).length });
  return {
    live: figures(live),
    rebuilt: figures(rebuilt),
    equal: differing.length === 0,
    differing: differing.sort().slice(0, 100),
  };
}
