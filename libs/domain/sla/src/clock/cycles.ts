import type { Instant } from '#kernel';
import type { Calendar } from '../calendar/calendar.js';
import { foldClock, type Clock } from './clock.js';

/** What is promised in open time, and by which calendar. */
export interface Promised {
  readonly calendar: Calendar;
  /** Business-seconds. */
  readonly target: number;
}

export interface Message {
  readonly at: Instant;
  readonly by: 'customer' | 'agent';
  /** False for an internal note. */
  readonly public: boolean;
  /** An automatic answer moves nothing, whoever sends it. */
  readonly autoReply: boolean;
}

export interface NextResponseCycle {
  readonly startedAt: Instant;
  readonly due: Instant;
  readonly answeredAt: Instant | null;
  /** Business-seconds up to the answer; null while there is none. */
  readonly consumed: number | null;
  readonly outcome: 'met' | 'breached' | 'open';
}

/**
 * Next response (domain.md C.1): a cycle starts with the oldest unanswered customer message and ends with
 * the next public answer; further customer messages and internal notes do not touch it.
 *
 * @param messages in the order in which they happened
 */
export function nextResponseCycles(
  messages: readonly Message[],
  promised: Promised,
): readonly NextResponseCycle[] {
  const cycles: NextResponseCycle[] = [];
  let oldest: Instant | null = null;
  for (const message of messages) {
    if (message.autoReply) continue;
    if (message.by === 'customer') oldest ??= message.at;
    else if (message.public && oldest !== null) {
      const clock = ran(oldest, message.at, promised);
      cycles.push({
        startedAt: oldest,
        due: clock.due!,
        answeredAt: message.at,
        consumed: clock.consumed,
        outcome: clock.breachedAt === null ? 'met' : 'breached',
      });
      oldest = null;
    }
  }
  if (oldest !== null)
    cycles.push({
      startedAt: oldest,
      due: ran(oldest, null, promised).due!,
      answeredAt: null,
      consumed: null,
      outcome: 'open',
    });
  return cycles;
}

export interface UpdateWindow {
  readonly from: Instant;
  readonly due: Instant;
  readonly updatedAt: Instant | null;
  readonly outcome: 'met' | 'breached' | 'cancelled' | 'open';
}

/**
 * Periodic update (domain.md C.1): each window restarts at the actual update, late or not; the last one is
 * cancelled where the work ends at or before its due. Updates outside the span mean nothing.
 *
 * @param updates in the order in which they happened
 * @param stop when the work ended; null while it goes on
 */
export function updateWindows(
  start: Instant,
  updates: readonly Instant[],
  stop: Instant | null,
  promised: Promised,
): readonly UpdateWindow[] {
  const windows: UpdateWindow[] = [];
  let from = start;
  for (const at of updates) {
    if (at < start || (stop !== null && at > stop)) continue;
    const due = ran(from, at, promised).due!;
    windows.push({ from, due, updatedAt: at, outcome: at <= due ? 'met' : 'breached' });
    from = at;
  }
  const due = ran(from, stop, promised).due!;
  const outcome = stop === null ? 'open' : stop <= due ? 'cancelled' : 'breached';
  return [...windows, { from, due, updatedAt: null, outcome }];
}

function ran(from: Instant, to: Instant | null, { calendar, target }: Promised): Clock {
  return foldClock([
    { type: 'start', at: from, target, calendar },
    ...(to === null ? [] : [{ type: 'stop' as const, at: to }]),
  ]);
}
