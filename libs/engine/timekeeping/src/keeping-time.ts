import { mayPass, OlderThanLog } from '#engine/store';
import { toInstant, toSeconds, type Instant, type Logger, type Micros, type Uuid } from '#kernel';
import type { Recorder } from './recording.js';

/** A ticket that waits for an instant, as the read model knows it. */
export interface DueRow {
  readonly ticket: Uuid;
  readonly revision: number;
  /** A second later something is to be recorded: a due instant, or the second before a warning (ruling 2). */
  readonly due: Instant;
}

export type DueCursor = Pick<DueRow, 'ticket' | 'due'>;

/** The pending due instants; written by folding the log alone, so that this loop only reads them (ruling 51). */
export interface Dues {
  /** Due at or before the instant, by due and ticket, from after the cursor on. */
  pending(until: Instant, limit: number, after: DueCursor | null): Promise<readonly DueRow[]>;
  /** The earliest there is; also one that has passed. */
  next(): Promise<Instant | null>;
}

/** What the loop tells about itself; for metrics. */
export interface TimekeepingWatch {
  /** Seconds from due + 1 s, or from a warning's instant, to `recordedAt`. */
  readonly recorded?: (lateness: number) => void;
  readonly failed?: () => void;
  /** One look at everything: how many tickets stood there as due, those included that the read model is behind with. */
  readonly looked?: (due: number) => void;
}

export interface Timekeeping {
  readonly dues: Dues;
  /** The database server's clock: timers fire by it (ruling 1). */
  readonly now: () => Promise<Micros>;
  readonly record: Recorder;
  /** Throws while this process may record nothing: its clock is wrong, the disk is full. */
  readonly admitted: () => void;
  readonly logger: Logger;
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly watch?: TimekeepingWatch;
  /** Tickets looked at together: so many histories are in memory at once, and recorded in one group. */
  readonly together?: number;
  /** Looks remembered at once; what is forgotten is looked at again, which costs time and records nothing. */
  readonly remembered?: number;
}

const TOGETHER = 128;
const PAGE = 500;
/** About 20 MB. */
const REMEMBERED = 100_000;
const SHORTEST_MS = 25;
/** A ticket opened meanwhile may be due before all others. */
const LONGEST_MS = 500;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;

/**
 * The firing loop: what is due at least a second ago by the server's clock is looked at in due order, each
 * ticket by folding its own stream, and recorded there. Several of these beside each other do no harm. A lost
 * database is waited for; what fell due meanwhile is recorded after it, with its own instant, in due order
 * page by page: however much there is, what is held of it is a page, `together` histories and `remembered`
 * looks.
 *
 * Resolves when the signal aborts and the looks at hand are done. OlderThanLog ends it (ruling 48).
 */
export async function keepTime(keeping: Timekeeping, signal: AbortSignal): Promise<void> {
  const { logger, pause, watch } = keeping;
  const known = new Known(keeping.remembered ?? REMEMBERED);
  let failures = 0;
  while (!signal.aborted) {
    try {
      await lookAtDue(keeping, known, signal);
      if (failures > 0) logger.info({ failures }, 'the timekeeper goes on');
      failures = 0;
      await pause(untilNext(await keeping.dues.next(), await keeping.now()), signal);
    } catch (error) {
      if (error instanceof OlderThanLog) {
        logger.error({ problem: error.name, reason: error.message }, 'the timekeeper stopped');
        throw error;
      }
      if (signal.aborted) return;
      watch?.failed?.();
      if (failures++ === 0) logger.warn({ problem: nameOf(error) }, 'the timekeeper waits');
      await pause(Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), LONGEST_BACKOFF_MS), signal);
    }
  }
}

/**
 * How far each ticket that was due has been looked at. A look answers for every revision up to the one it met
 * and every instant up to its own: until the read model has passed that, its row is old news and not looked at
 * again.
 */
class Known {
  private looked = new Map<Uuid, Look>();
  private still = new Map<Uuid, Look>();

  constructor(private readonly limit: number) {}

  isNews({ ticket, revision, due }: DueRow): boolean {
    const look = this.looked.get(ticket);
    if (look === undefined || revision > look.revision || due > look.until) return true;
    this.note(ticket, look);
    return false;
  }

  note(ticket: Uuid, look: Look): void {
    this.looked.delete(ticket);
    if (this.looked.size + this.still.size < this.limit) this.still.set(ticket, look);
  }

  /** After a whole look: tickets whose row is gone or has moved on are forgotten. */
  turn(): void {
    this.looked = this.still;
    this.still = new Map();
  }

  /** After a look that broke off: nothing is forgotten. */
  keep(): void {
    for (const [ticket, look] of this.still) this.looked.set(ticket, look);
    this.still = new Map();
  }
}

interface Look {
  readonly revision: number;
  readonly until: Instant;
}

async function lookAtDue(keeping: Timekeeping, known: Known, signal: AbortSignal): Promise<void> {
  const { dues, watch, together = TOGETHER } = keeping;
  let due = 0;
  try {
    for (let after: DueCursor | null = null; !signal.aborted;) {
      keeping.admitted();
      // Anew for each page: what falls due while much is made up for comes in its turn, not a whole look later.
      const now = await keeping.now();
      // A stop within the due second is met (ruling 2).
      const until = toInstant(now / 1_000_000 - 1);
      const page: readonly DueRow[] = await dues.pending(until, PAGE, after);
      due += page.length;
      await inOrder(
        page.filter((row) => known.isNews(row)),
        together,
        signal,
        (row) => look(keeping, known, row, { now, until }),
      );
      if (page.length < PAGE) break;
      after = page.at(-1)!;
    }
  } catch (error) {
    known.keep();
    throw error;
  }
  if (signal.aborted) return;
  known.turn();
  watch?.looked?.(due);
}

async function look(
  { record, watch, logger }: Timekeeping,
  known: Known,
  { ticket, revision }: DueRow,
  { now, until }: { readonly now: Micros; readonly until: Instant },
): Promise<void> {
  try {
    const looked = await record(ticket, now);
    known.note(ticket, { revision: looked.revision, until });
    for (const lateness of looked.lateness) watch?.recorded?.(lateness);
  } catch (error) {
    // An outage is everybody's; what one ticket's own history brings about must not keep the others waiting.
    if (error instanceof OlderThanLog || mayPass(error)) throw error;
    known.note(ticket, { revision, until });
    watch?.failed?.();
    logger.error(
      { ticket, revision, problem: nameOf(error) },
      'a ticket could not be asked what has fallen due',
    );
  }
}

/** Works on a list with so many at once, begun in its order; the first failure stops further beginnings. */
async function inOrder<T>(
  list: readonly T[],
  together: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const queue = list.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (signal.aborted || failures.length > 0) return;
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(together, list.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

function untilNext(due: Instant | null, now: Micros): number {
  if (due === null) return LONGEST_MS;
  const milliseconds = (toSeconds(due) + 1) * 1000 - now / 1000;
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, milliseconds));
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown error');
