import { never, toInstant, toSeconds, type EpochSeconds, type Instant } from '#kernel';
import type { Calendar } from '../calendar/calendar.js';
import type { ClockStateName, HoldReason } from './clock-events.js';

/** [numerator, denominator] of the target; above 1 it falls after the due. */
export type Fraction = readonly [numerator: number, denominator: number];

export const RETARGET_MODES = ['keep', 'retroactive', 'proportional', 'restart'] as const;
/**
 * What becomes of what was consumed (domain.md C.3): it stays; it is counted again from the start in the
 * present calendar, without pauses; it is scaled to the new target, rounded down; it is nothing.
 */
export type RetargetMode = (typeof RETARGET_MODES)[number];

export const REOPEN_MODES = ['resume', 'restart'] as const;
/** Go on where it stopped, or begin the next cycle; which of them is the caller's to decide (reopenWithinDays). */
export type ReopenMode = (typeof REOPEN_MODES)[number];

/** What a clock goes by: business-seconds, open time, and the shares of the target at which it warns. */
export interface Terms {
  readonly target: number;
  readonly calendar: Calendar;
  readonly warn?: readonly Fraction[];
}

/** What happened to one clock. Folded by `at`, then in the order given. */
export type ClockFact =
  | {
      readonly type: 'start';
      readonly at: Instant;
      /** Business-seconds. */
      readonly target: number;
      readonly calendar: Calendar;
      readonly warn?: readonly Fraction[];
    }
  /** A clock with at least one reason is paused. Means nothing to a clock that has stopped or ended. */
  | { readonly type: 'pause' | 'resume'; readonly at: Instant; readonly reason: HoldReason }
  /** What was promised was done. */
  | { readonly type: 'stop'; readonly at: Instant }
  /** Ended without an outcome; a reopen revives it, consumption kept. */
  | { readonly type: 'end'; readonly at: Instant; readonly as: EndedAs }
  | {
      readonly type: 'reopen';
      readonly at: Instant;
      readonly mode: ReopenMode;
      /** What a restart goes by; absent: the terms stay. */
      readonly terms?: Terms;
    }
  | {
      readonly type: 'retarget';
      readonly at: Instant;
      readonly target?: number;
      readonly calendar?: Calendar;
      /** At which shares it warns from here on, beside the warnings that have fired; absent: as before. */
      readonly warn?: readonly Fraction[];
      readonly mode: RetargetMode;
    }
  /** Merge: this clock goes on as that one, with its consumption, target, calendar and breach, under its own reasons. */
  | { readonly type: 'adopt'; readonly at: Instant; readonly clock: Clock };

export const ENDED_AS = ['not-applicable', 'not-evidenced', 'merged'] as const;
export type EndedAs = (typeof ENDED_AS)[number];

export type ClockState = 'running' | 'paused' | 'stopped' | EndedAs;

/** A stretch in which the clock ran, and by which calendar. */
export interface Segment {
  readonly from: EpochSeconds;
  readonly to: EpochSeconds;
  readonly calendar: Calendar;
}

export interface Warning {
  readonly fraction: Fraction;
  /** When it fires or fired; null while the clock is paused, stopped or ended and it has not. */
  readonly at: Instant | null;
  readonly fired: boolean;
}

/** A clock brought up to `asOf`. */
export interface Clock {
  readonly state: ClockState;
  /** 1 at first; a reopen that restarts begins the next. */
  readonly cycle: number;
  /** Of this cycle; of an adopted clock, when that one started. */
  readonly startedAt: Instant;
  /** Business-seconds. */
  readonly target: number;
  readonly calendar: Calendar;
  /** Business-seconds up to `asOf`. */
  readonly consumed: number;
  readonly asOf: Instant;
  /**
   * The earliest instant at which consumed reaches target. Null while paused or ended without a breach;
   * after a breach the instant that passed; of a stopped clock what it was when it stopped.
   */
  readonly due: Instant | null;
  /** The due instant that passed unanswered; sticky within its cycle. */
  readonly breachedAt: Instant | null;
  /** Active pause reasons. */
  readonly reasons: readonly HoldReason[];
  /** Of this cycle, since the last re-target that restarted. */
  readonly segments: readonly Segment[];
  /** Consumed before the first segment, by an adopted clock whose segments are not known here. */
  readonly carried: number;
  readonly warnings: readonly Warning[];
}

/** The facts tell of no start at or before the instant asked about. */
export class ClockNotStarted extends Error {
  override readonly name = 'ClockNotStarted';
}

interface Running {
  state: ClockState;
  cycle: number;
  startedAt: EpochSeconds;
  target: number;
  calendar: Calendar;
  consumed: number;
  asOf: EpochSeconds;
  due: EpochSeconds | null;
  breachedAt: EpochSeconds | null;
  reasons: HoldReason[];
  segments: Segment[];
  carried: number;
  warnings: { fraction: Fraction; at: EpochSeconds | null; fired: boolean }[];
}

/** A clock in the midst of its fold; what it says is true only until the fold goes on. */
export type FoldingClock = Readonly<Running>;

/** Told of each step of a fold, for explaining it. */
export interface FoldTrace<F extends ClockFact> {
  /** Time is about to pass from the clock's `asOf` to this instant, and nothing else will happen in between. */
  readonly passes: (clock: FoldingClock, until: EpochSeconds) => void;
  /** A restart is about to begin the next cycle: how this one stands as of its last fact. */
  readonly closes?: (clock: Clock) => void;
  /**
   * A fact was taken in. `before`: what the clock had consumed at that instant without it. The clock is null
   * where it has not started.
   */
  readonly took: (fact: F, before: number, clock: FoldingClock | null) => void;
}

/**
 * The clock that facts make, always from the start (domain.md C.3).
 *
 * @param until brings the clock up to this instant and leaves later facts out: a due strictly before it is
 *   a breach (a stop within the due second is met; ruling 2), a warning at or before it has fired. Absent:
 *   up to the last fact.
 * @throws ClockNotStarted where there is nothing to start from; CalendarNeverOpens
 */
export function foldClock<F extends ClockFact>(
  facts: readonly F[],
  until?: Instant,
  trace?: FoldTrace<F>,
): Clock {
  let clock: Running | null = null;
  const early: HoldReason[] = [];
  for (const given of inOrder(facts)) {
    const fact: ClockFact = given;
    if (until !== undefined && fact.at > until) break;
    let before = 0;
    if (clock) {
      const at = toSeconds(fact.at);
      if (fact.type === 'reopen' && fact.mode === 'restart')
        // The fold goes on in the same arrays.
        trace?.closes?.(settled({ ...clock, reasons: [...clock.reasons], segments: [...clock.segments] }));
      trace?.passes(clock, at);
      bringUp(clock, at);
      before = clock.consumed;
      apply(clock, fact);
    } else if (fact.type === 'start') clock = start(fact, early);
    else if (fact.type === 'pause') add(early, fact.reason);
    else if (fact.type === 'resume') remove(early, fact.reason);
    trace?.took(given, before, clock);
  }
  if (!clock) throw new ClockNotStarted(`no start among ${facts.length} facts`);
  if (until !== undefined) {
    trace?.passes(clock, toSeconds(until));
    bringUp(clock, toSeconds(until));
  }
  return settled(clock);
}

/** Warning thresholds and dues use the same rounding: the second in which the share is full. */
export function threshold(target: number, [numerator, denominator]: Fraction): number {
  return Math.ceil((target * numerator) / denominator);
}

export function remaining(clock: Pick<Clock, 'target' | 'consumed'>): number {
  return Math.max(0, clock.target - clock.consumed);
}

function inOrder<F extends ClockFact>(facts: readonly F[]): readonly F[] {
  for (let i = 1; i < facts.length; i++)
    if (facts[i]!.at < facts[i - 1]!.at)
      return [...facts].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return facts;
}

function start(fact: Extract<ClockFact, { type: 'start' }>, reasons: readonly HoldReason[]): Running {
  const at = toSeconds(fact.at);
  const clock: Running = {
    state: 'running',
    cycle: 1,
    startedAt: at,
    target: fact.target,
    calendar: fact.calendar,
    consumed: 0,
    asOf: at,
    due: null,
    breachedAt: null,
    reasons: [...reasons],
    segments: [],
    carried: 0,
    warnings: pending(fact.warn ?? []),
  };
  project(clock);
  return clock;
}

/** To a clock brought up to the fact's instant. */
function apply(clock: Running, fact: ClockFact): void {
  switch (fact.type) {
    case 'start':
      throw new Error(`a clock starts once; it was started again at ${fact.at}`);
    case 'pause':
      if (hasEnded(clock)) return;
      add(clock.reasons, fact.reason);
      project(clock);
      return;
    case 'resume':
      if (hasEnded(clock)) return;
      remove(clock.reasons, fact.reason);
      project(clock);
      return;
    case 'stop':
      if (hasEnded(clock)) return;
      clock.state = 'stopped';
      halt(clock);
      return;
    case 'end':
      if (hasEnded(clock)) return;
      clock.state = fact.as;
      if (clock.breachedAt === null) clock.due = null;
      halt(clock);
      return;
    case 'reopen':
      if (fact.mode === 'restart') {
        clock.cycle++;
        clock.startedAt = clock.asOf;
        clock.breachedAt = null;
        clock.target = fact.terms?.target ?? clock.target;
        clock.calendar = fact.terms?.calendar ?? clock.calendar;
        clock.warnings = pending(fact.terms?.warn ?? clock.warnings.map(({ fraction }) => fraction));
        forget(clock);
      } else if (!hasEnded(clock)) return;
      clock.state = 'running';
      project(clock);
      return;
    case 'retarget': {
      const before = clock.target;
      clock.target = fact.target ?? before;
      clock.calendar = fact.calendar ?? clock.calendar;
      if (fact.warn) clock.warnings = warningsUnder(fact.warn, clock.warnings);
      reckon(clock, fact.mode, before);
      if (!hasEnded(clock)) project(clock);
      return;
    }
    case 'adopt':
      adopt(clock, fact.clock, clock.asOf);
      return;
    default:
      never(fact);
  }
}

const pending = (fractions: readonly Fraction[]): Running['warnings'] =>
  fractions.map((fraction) => ({ fraction, at: null, fired: false }));

const share = ([numerator, denominator]: Fraction): number => numerator / denominator;

/** Fired ones stay; of the others the new terms decide. */
function warningsUnder(fractions: readonly Fraction[], before: Running['warnings']): Running['warnings'] {
  const fired = before.filter((warning) => warning.fired);
  const open = fractions.filter((of) => !fired.some(({ fraction }) => share(fraction) === share(of)));
  return [...fired, ...pending(open)].sort((a, b) => share(a.fraction) - share(b.fraction));
}

/** Time passes up to `at`; nothing else happens. */
function bringUp(clock: Running, at: EpochSeconds): void {
  if (clock.state === 'running' && at > clock.asOf) {
    clock.consumed += clock.calendar.openSeconds(clock.asOf, at);
    const last = clock.segments.at(-1);
    if (last && last.to === clock.asOf && last.calendar === clock.calendar)
      clock.segments[clock.segments.length - 1] = { ...last, to: at };
    else clock.segments.push({ from: clock.asOf, to: at, calendar: clock.calendar });
    if (clock.breachedAt === null && clock.due !== null && clock.due < at) clock.breachedAt = clock.due;
  }
  if (clock.state === 'running')
    for (const warning of clock.warnings)
      if (!warning.fired && warning.at !== null && warning.at <= at) warning.fired = true;
  if (at > clock.asOf) clock.asOf = at;
}

/** State, due and pending warnings of a clock that has not ended, as they follow from the rest at `asOf`. */
function project(clock: Running): void {
  clock.state = clock.reasons.length > 0 ? 'paused' : 'running';
  const running = clock.state === 'running';
  if (clock.breachedAt === null)
    clock.due = running ? clock.calendar.reach(clock.asOf, clock.target - clock.consumed) : null;
  for (const warning of clock.warnings)
    if (!warning.fired)
      warning.at = running
        ? clock.calendar.reach(clock.asOf, threshold(clock.target, warning.fraction) - clock.consumed)
        : null;
}

function reckon(clock: Running, mode: RetargetMode, targetBefore: number): void {
  switch (mode) {
    case 'keep':
      return;
    case 'retroactive':
      clock.segments = clock.segments.map(({ from, to }) => ({ from, to, calendar: clock.calendar }));
      clock.consumed = clock.segments.reduce(
        (sum, { from, to }) => sum + clock.calendar.openSeconds(from, to),
        clock.carried,
      );
      return;
    case 'proportional':
      clock.consumed = scaled(clock.consumed, clock.target, targetBefore);
      return;
    case 'restart':
      forget(clock);
      return;
    default:
      never(mode);
  }
}

/** ⌊consumed·to/from⌋, exact beyond 2^53; a share of nothing stays what it was. */
function scaled(consumed: number, to: number, from: number): number {
  if (from === 0) return consumed;
  const product = consumed * to;
  return Number.isSafeInteger(product)
    ? Math.floor(product / from)
    : Number((BigInt(consumed) * BigInt(to)) / BigInt(from));
}

function adopt(clock: Running, other: Clock, at: EpochSeconds): void {
  clock.startedAt = toSeconds(other.startedAt);
  clock.target = other.target;
  clock.calendar = other.calendar;
  clock.consumed = other.consumed;
  clock.breachedAt = other.breachedAt === null ? null : toSeconds(other.breachedAt);
  clock.due = clock.breachedAt;
  clock.segments = [...other.segments];
  clock.carried = other.carried;
  clock.warnings = other.warnings.map((warning) => ({
    ...warning,
    at: warning.at === null ? null : toSeconds(warning.at),
  }));
  // The other clock may have been recorded a moment before the merge; it ran on until then.
  if (other.state === 'running' && toSeconds(other.asOf) < at) {
    clock.state = 'running';
    clock.asOf = toSeconds(other.asOf);
    bringUp(clock, at);
  }
  project(clock);
}

/** Stopped, or ended without an outcome; any other clock runs or is paused. */
export function hasEnded({ state }: { readonly state: ClockState | ClockStateName }): boolean {
  return state !== 'running' && state !== 'paused';
}

/** A stopped or ended clock waits for nothing, and warns of nothing any more. */
function halt(clock: Running): void {
  clock.reasons = [];
  for (const warning of clock.warnings) if (!warning.fired) warning.at = null;
}

function forget(clock: Running): void {
  clock.consumed = 0;
  clock.segments = [];
  clock.carried = 0;
}

function add(reasons: HoldReason[], reason: HoldReason): void {
  if (!reasons.includes(reason)) reasons.push(reason);
}

function remove(reasons: HoldReason[], reason: HoldReason): void {
  const at = reasons.indexOf(reason);
  if (at >= 0) reasons.splice(at, 1);
}

function settled(clock: Running): Clock {
  const text = (at: EpochSeconds | null): Instant | null => (at === null ? null : toInstant(at));
  return {
    ...clock,
    startedAt: toInstant(clock.startedAt),
    asOf: toInstant(clock.asOf),
    due: text(clock.due),
    breachedAt: text(clock.breachedAt),
    warnings: clock.warnings.map((warning) => ({ ...warning, at: text(warning.at) })),
  };
}
