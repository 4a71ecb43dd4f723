import { START, type Micros, type Position, type Uuid } from '#kernel';

/** One event as the sealer has numbered it. */
export interface SealEntry {
  /** Gapless from 1: "the first p events" are those up to ordinal p (ruling 12). */
  readonly ordinal: number;
  readonly position: Position;
  readonly id: Uuid;
  readonly stream: string;
  readonly revision: number;
  /** Final: the greatest time recorded up to here (ruling 13). */
  readonly recordedAt: Micros;
}

/** How far a log is sealed. */
export type SealHead = Pick<SealEntry, 'ordinal' | 'position' | 'recordedAt'> & {
  /** Null before the first event. */
  readonly id: Uuid | null;
};

export const UNSEALED: SealHead = { ordinal: 0, position: START, recordedAt: 0, id: null };

/** From this position on nothing is recorded earlier: the server's clock fell behind what it had told already. */
export interface Step {
  readonly position: Position;
  readonly recordedAt: Micros;
}

/** What the sealer noticed and cannot mend: it stays recorded, and somebody is told (ruling 44). */
export type Irregularity =
  | { readonly is: 'id-repeated'; readonly entry: SealEntry; readonly first: number }
  /** The revision before it was never sealed. */
  | { readonly is: 'revision-missing'; readonly entry: SealEntry };

/** The right to seal: of all sealers one has it, the others stand by. */
export interface SealLead {
  readonly head: SealHead;
  /** Aborts when it is lost. */
  readonly lost: AbortSignal;
  /**
   * Durable when it answers. Throws SealFenced where another lead has been taken since, or the entries do not
   * follow on the last one sealed.
   */
  record(entries: readonly SealEntry[]): Promise<readonly Irregularity[]>;
  release(): Promise<void>;
}

/** Another sealer took a newer token: nothing was written. */
export class SealFenced extends Error {
  override readonly name = 'SealFenced';
  constructor() {
    super('the log is sealed by another process');
  }
}

/**
 * What stands beside a log that numbers its events with holes, stamps them with a clock that may fall, and takes
 * an id twice (EventStoreDB): ordinals, final times, and the log's identity (rulings 12, 13, 44, 45).
 *
 * Errors: LogUnavailable.
 */
export interface Seal {
  /** The log it belongs to; null before one has claimed it. */
  log(): Promise<Uuid | null>;
  /** Belongs to this log from now on, or did before to another, which is answered. */
  claim(log: Uuid): Promise<Uuid>;
  head(): Promise<SealHead>;
  /** The last one sealed at or before a position. */
  upTo(position: Position): Promise<SealHead>;
  /** By ordinal. */
  at(ordinal: number): Promise<SealEntry | null>;
  /** In order of position, both rising. */
  steps(): Promise<readonly Step[]>;
  /** Whoever reads the log in order and meets one records it; once more changes nothing. */
  step(step: Step): Promise<void>;
  /** Waits until no other sealer leads, and takes a new token; rejects when the signal aborts first. */
  lead(signal: AbortSignal): Promise<SealLead>;
  /** The clock of the database it lies in (ruling 1). */
  now(): Promise<Micros>;
}

/** The twin of a real one. */
export function memorySeal(now: () => Micros): Seal {
  let owner: Uuid | null = null;
  const entries: SealEntry[] = [];
  const steps = new Map<Position, Step>();
  let token = 0;
  let leading: Promise<void> | null = null;
  const headOf = (entry: SealEntry | undefined): SealHead => {
    if (!entry) return UNSEALED;
    const { ordinal, position, recordedAt, id } = entry;
    return { ordinal, position, recordedAt, id };
  };
  return {
    log: async () => owner,
    claim: async (log) => (owner ??= log),
    head: async () => headOf(entries.at(-1)),
    upTo: async (position) => headOf(entries.findLast((entry) => entry.position <= position)),
    at: async (ordinal) => entries[ordinal - 1] ?? null,
    steps: async () => [...steps.values()].sort((a, b) => (a.position < b.position ? -1 : 1)),
    step: async (step) => void steps.set(step.position, step),
    now: async () => now(),
    lead: async (signal) => {
      const aborted = new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => resolve(), { once: true }),
      );
      while (!signal.aborted && leading) await Promise.race([leading, aborted]);
      signal.throwIfAborted();
      let release = (): void => {};
      leading = new Promise((resolve) => (release = resolve));
      const mine = ++token;
      return {
        head: headOf(entries.at(-1)),
        lost: new AbortController().signal,
        record: async (more) => {
          if (mine !== token || more[0]?.ordinal !== entries.length + 1) throw new SealFenced();
          const found = irregularities(entries, more);
          entries.push(...more);
          return found;
        },
        release: async () => {
          leading = null;
          release();
        },
      };
    },
  };
}

function irregularities(before: readonly SealEntry[], more: readonly SealEntry[]): Irregularity[] {
  const all = [...before, ...more];
  return more.flatMap((entry): Irregularity[] => {
    const first = all.find(({ id, ordinal }) => id === entry.id && ordinal < entry.ordinal);
    const previous = all.some(
      ({ stream, revision }) => stream === entry.stream && revision === entry.revision - 1,
    );
    return [
      ...(first ? [{ is: 'id-repeated' as const, entry, first: first.ordinal }] : []),
      ...(entry.revision > 0 && !previous ? [{ is: 'revision-missing' as const, entry }] : []),
    ];
  });
}
