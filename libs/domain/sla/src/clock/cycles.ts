import { never, toInstant, type Instant } from '#kernel';
import type { ClockName } from './clock-events.js';
import { foldClock, type ClockFact, type Terms } from './clock.js';
import type { Calendar } from '../calendar/calendar.js';

/** Clocks that begin anew whenever something is owed; each time is a cycle (domain.md C.1). */
export const CYCLIC = [
  'next-response',
  'periodic-update',
  'hand-over-acceptance',
] as const satisfies readonly ClockName[];
export type Cyclic = (typeof CYCLIC)[number];

export const isCyclic = (clock: ClockName): clock is Cyclic =>
  (CYCLIC as readonly ClockName[]).includes(clock);

/** Something comes to be owed, or what is owed is done: an answer, an update, a word on a hand-over. */
export type Turn = 'asked' | 'answered';

/**
 * What a turn does to a clock of cycles. Asking again while something is owed changes nothing, so that the
 * oldest asking counts; what is done unasked changes nothing either. An update at once owes the next one.
 */
export function turned(clock: Cyclic, turn: Turn, live: boolean): readonly ('begin' | 'stop')[] {
  switch (turn) {
    case 'asked':
      return live ? [] : ['begin'];
    case 'answered':
      if (!live) return [];
      return clock === 'periodic-update' ? ['stop', 'begin'] : ['stop'];
    default:
      return never(turn);
  }
}

/** The fact that begins a cycle: the first one, or the next. */
export function begun(at: Instant, terms: Terms, first: boolean): ClockFact {
  return first ? { type: 'start', at, ...terms } : { type: 'reopen', at, mode: 'restart', terms };
}

/** What becomes of a promise when nobody is owed it any more: nothing, unless it was broken before (ruling 9). */
export function ceased(facts: readonly ClockFact[], at: Instant): ClockFact {
  return foldClock(facts, at).breachedAt === null
    ? { type: 'end', at, as: 'not-applicable' }
    : { type: 'stop', at };
}

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
  const turns = messages
    .filter((message) => !message.autoReply && (message.by === 'customer' || message.public))
    .map(({ at, by }) => ({ at, turn: by === 'customer' ? ('asked' as const) : ('answered' as const) }));
  return cyclesOf(factsOf('next-response', turns, promised)).map(
    ({ startedAt, due, endedAt, consumed, breached }) => ({
      startedAt,
      due,
      answeredAt: endedAt,
      consumed: endedAt === null ? null : consumed,
      outcome: endedAt === null ? 'open' : breached ? 'breached' : 'met',
    }),
  );
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
  const turns = updates
    .filter((at) => at >= start && (stop === null || at <= stop))
    .map((at) => ({ at, turn: 'answered' as const }));
  const facts = factsOf('periodic-update', [{ at: start, turn: 'asked' }, ...turns], promised);
  const all = stop === null ? facts : [...facts, ceased(facts, stop)];
  const windows = cyclesOf(all);
  return windows.map(({ startedAt: from, due, endedAt, breached }, i) => {
    if (i < windows.length - 1)
      return { from, due, updatedAt: endedAt, outcome: breached ? 'breached' : 'met' };
    return {
      from,
      due,
      updatedAt: null,
      outcome: endedAt === null ? 'open' : breached ? 'breached' : 'cancelled',
    };
  });
}

function factsOf(
  clock: Cyclic,
  turns: readonly { readonly at: Instant; readonly turn: Turn }[],
  terms: Terms,
): readonly ClockFact[] {
  const facts: ClockFact[] = [];
  let live = false;
  for (const { at, turn } of turns)
    for (const step of turned(clock, turn, live)) {
      facts.push(step === 'begin' ? begun(at, terms, facts.length === 0) : { type: 'stop', at });
      live = step === 'begin';
    }
  return facts;
}

interface Cycle {
  readonly startedAt: Instant;
  /** As it was when the cycle began. */
  readonly due: Instant;
  readonly endedAt: Instant | null;
  readonly consumed: number;
  readonly breached: boolean;
}

/** The cycles of a clock that is never paused nor re-targeted, in order. */
function cyclesOf(facts: readonly ClockFact[]): readonly Cycle[] {
  if (facts.length === 0) return [];
  const cycles: Cycle[] = [];
  foldClock(facts, undefined, {
    passes: () => {},
    took: (fact, _, clock) => {
      if (clock === null) return;
      if (fact.type === 'start' || fact.type === 'reopen')
        cycles.push({
          startedAt: fact.at,
          due: toInstant(clock.due!),
          endedAt: null,
          consumed: 0,
          breached: false,
        });
      else
        cycles[cycles.length - 1] = {
          ...cycles.at(-1)!,
          endedAt: fact.at,
          consumed: clock.consumed,
          breached: clock.breachedAt !== null,
        };
    },
  });
  return cycles;
}
