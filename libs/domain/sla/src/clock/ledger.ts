import { never, toInstant, toSeconds, type EpochSeconds, type Instant } from '#kernel';
import type { Calendar } from '../calendar/calendar.js';
import type { ClockStateName, HoldReason } from './clock-events.js';
import {
  foldClock,
  hasEnded,
  type Clock,
  type ClockFact,
  type ClockState,
  type FoldingClock,
  type RetargetMode,
} from './clock.js';

/** A fact and where it is recorded; what S is, is the caller's to say. */
export type Sourced<S> = ClockFact & { readonly source: S };

/** A breach as it was recorded, and what annulled it since. */
export interface BreachOnRecord<S> {
  readonly cycle: number;
  readonly due: Instant;
  readonly source: S;
  /** `cause`: stored name of the fact that made it untrue. */
  readonly annulled: { readonly source: S; readonly cause: string } | null;
}

/** A warning as it was recorded, and what annulled it since. */
export interface WarningOnRecord<S> extends Omit<BreachOnRecord<S>, 'due'> {
  readonly numerator: number;
  readonly denominator: number;
  readonly at: Instant;
}

interface OfEveryLine<S> {
  readonly from: Instant;
  /** Equal to `from` where the line is no stretch of time. */
  readonly to: Instant;
  readonly cycle: number;
  /** Business-seconds that it adds; below 0 where a re-target takes some back. */
  readonly counted: number;
  /** Of all lines of the cycle up to and with this one. */
  readonly sum: number;
  /** The fact that it follows from; null for a breach or a warning that is not recorded yet. */
  readonly source: S | null;
  /** Has not come to pass: what follows if nothing else happens, up to the due instant. */
  readonly ahead: boolean;
}

/** What the clock goes by from here on: business-seconds, and reference and zone of the calendar. */
interface Terms {
  readonly target: number;
  readonly calendar: string;
  readonly zone: string;
}

export type LedgerLine<S> = OfEveryLine<S> &
  (
    | ({ readonly kind: 'started' | 'reopened' | 'restarted' } & Terms)
    | ({ readonly kind: 'retargeted'; readonly mode: RetargetMode; readonly targetBefore: number } & Terms)
    /** Goes on as another clock; `breachedAt` is that one's. */
    | ({ readonly kind: 'adopted'; readonly breachedAt: Instant | null } & Terms)
    /** `rested`: it had ended, and something followed. The others are the calendar's, see CalendarLine. */
    | { readonly kind: 'open' | 'closed' | 'outside-calendar' | 'rested' }
    | { readonly kind: 'holiday'; readonly date: string }
    | {
        readonly kind: 'paused';
        /** Business-seconds that would have counted. */
        readonly open: number;
        readonly reasons: readonly { readonly reason: HoldReason; readonly source: S }[];
      }
    | { readonly kind: 'breached' }
    | { readonly kind: 'annulled'; readonly cause: string }
    /** So many parts of the target, of so many, were used up. */
    | { readonly kind: 'warned'; readonly numerator: number; readonly denominator: number }
    | {
        readonly kind: 'warning-annulled';
        readonly numerator: number;
        readonly denominator: number;
        readonly cause: string;
      }
    | { readonly kind: 'ended'; readonly state: ClockStateName }
  );

export type LineKind = LedgerLine<unknown>['kind'];

/** In the order in which a reader meets them. */
export const LINE_KINDS = [
  'started',
  'open',
  'closed',
  'holiday',
  'outside-calendar',
  'paused',
  'retargeted',
  'adopted',
  'warned',
  'warning-annulled',
  'breached',
  'annulled',
  'ended',
  'rested',
  'reopened',
  'restarted',
] as const satisfies readonly LineKind[];

export interface Ledger<S> {
  /** `foldClock` of the same facts, up to the same instant. */
  readonly clock: Clock;
  readonly lines: readonly LedgerLine<S>[];
}

type Detail<L> = L extends unknown ? Omit<L, keyof OfEveryLine<unknown>> : never;

/**
 * Why a clock stands as it does: every second from its start to `until` in exactly one stretch, and between
 * the stretches what changed it. Of the present cycle the counted seconds add up to `consumed`. Where it is
 * due and not breached, lines ahead go on to the due instant, and add up to the target there; one that was met
 * goes on from its stop. A breach stands at its due, where the sum first reaches the target, a warning where it
 * first reaches its share of it.
 *
 * @param breaches of this clock, in the order in which they were recorded; likewise `warnings`
 * @throws ClockNotStarted; CalendarNeverOpens
 */
export function ledger<S>(
  facts: readonly Sourced<S>[],
  until: Instant,
  breaches: readonly BreachOnRecord<S>[] = [],
  warnings: readonly WarningOnRecord<S>[] = [],
): Ledger<S> {
  const book = opened(marksOf(breaches, warnings));
  const clock = foldClock(facts, until, {
    passes: (folding, to) => passes(book, folding, to),
    took: (fact, before, folding) => took(book, fact, before, folding),
  });
  close(book, clock);
  return { clock, lines: book.lines };
}

/** What is recorded of a clock that was never promised, by all that is known now. */
export function recordedAlone<S>(
  breaches: readonly BreachOnRecord<S>[],
  warnings: readonly WarningOnRecord<S>[],
): readonly LedgerLine<S>[] {
  const book = opened(marksOf(breaches, warnings));
  say(book, () => true);
  return book.lines;
}

/** What time made of a clock at an instant. */
interface Mark<S> {
  readonly at: EpochSeconds;
  readonly cycle: number;
  readonly of:
    | { readonly kind: 'breached' }
    | { readonly kind: 'warned'; readonly numerator: number; readonly denominator: number };
  /** Null where it is not recorded yet. */
  readonly source: S | null;
  readonly annulled: { readonly source: S; readonly cause: string } | null;
}

function marksOf<S>(
  breaches: readonly BreachOnRecord<S>[],
  warnings: readonly WarningOnRecord<S>[],
): readonly Mark<S>[] {
  return [
    ...warnings.map(({ numerator, denominator, at, cycle, source, annulled }): Mark<S> => ({
      at: toSeconds(at),
      cycle,
      of: { kind: 'warned', numerator, denominator },
      source,
      annulled,
    })),
    ...breaches.map(({ due, cycle, source, annulled }): Mark<S> => ({
      at: toSeconds(due),
      cycle,
      of: { kind: 'breached' },
      source,
      annulled,
    })),
  ].sort(asTheyFell);
}

/** Of one second warnings first; else those recorded first. */
const asTheyFell = (a: Mark<unknown>, b: Mark<unknown>): number =>
  a.at - b.at || Number(a.of.kind === 'breached') - Number(b.of.kind === 'breached');

interface Book<S> {
  readonly lines: LedgerLine<S>[];
  readonly recorded: readonly Mark<S>[];
  /** Those that no line says yet, and those that time has made and nobody recorded, as they fell. */
  readonly toSay: Mark<S>[];
  sum: number;
  cycle: number;
  target: number;
  state: ClockState | null;
  /** Why it runs, or has ended. */
  since: S | null;
  /** Why it pauses. */
  readonly waits: Map<HoldReason, S>;
  /** Where it stopped, for what would have followed. */
  stop: { readonly at: EpochSeconds; readonly calendar: Calendar } | null;
}

function opened<S>(recorded: readonly Mark<S>[]): Book<S> {
  return {
    lines: [],
    recorded,
    toSay: [...recorded],
    sum: 0,
    cycle: 1,
    target: 0,
    state: null,
    since: null,
    waits: new Map(),
    stop: null,
  };
}

// ── Time passes ─────────────────────────────────────────────────────────────────────────────────────────

/** Stretches are cut where time made something in them, so that lines stay in order and sums stand at it. */
function passes<S>(book: Book<S>, clock: FoldingClock, until: EpochSeconds): void {
  book.toSay.push(...unrecorded(book, clock, until));
  book.toSay.sort(asTheyFell);
  for (let at = clock.asOf; at < until;) {
    say(book, (mark) => mark.at <= at);
    const to = Math.min(until, book.toSay[0]?.at ?? Infinity);
    pass(book, clock, at, to);
    at = to;
  }
  // A warning falls at its own instant, before whatever happens then; a breach only after it.
  say(book, (mark) => mark.at < until || (mark.at === until && mark.of.kind === 'warned'));
}

function pass<S>(book: Book<S>, clock: FoldingClock, from: EpochSeconds, to: EpochSeconds): void {
  switch (clock.state) {
    case 'running':
      byCalendar(book, clock.calendar, from, to, false);
      return;
    case 'paused': {
      const reasons = clock.reasons.map((reason) => ({ reason, source: book.waits.get(reason)! }));
      const open = clock.calendar.openSeconds(from, to);
      stretch(book, from, to, reasons[0]!.source, { kind: 'paused', open, reasons });
      return;
    }
    case 'stopped':
    case 'not-applicable':
    case 'not-evidenced':
    case 'merged':
      stretch(book, from, to, book.since, { kind: 'rested' });
      return;
    default:
      never(clock.state);
  }
}

function byCalendar<S>(
  book: Book<S>,
  calendar: Calendar,
  from: EpochSeconds,
  to: EpochSeconds,
  ahead: boolean,
): void {
  for (const { from: begin, to: end, ...line } of calendar.lines(from, to))
    stretch(book, begin, end, book.since, line, line.kind === 'open' ? end - begin : 0, ahead);
}

/** What this stretch of time makes of the clock, where no recorded fact says so. */
function unrecorded<S>(
  { recorded }: Book<S>,
  { state, due, breachedAt, cycle, warnings }: FoldingClock,
  until: EpochSeconds,
): readonly Mark<S>[] {
  if (state !== 'running') return [];
  const fallen = warnings.flatMap(({ fraction: [numerator, denominator], at, fired }): Mark<S>[] =>
    !fired && at !== null && at <= until
      ? [{ at, cycle, of: { kind: 'warned', numerator, denominator }, source: null, annulled: null }]
      : [],
  );
  if (breachedAt === null && due !== null && due < until)
    fallen.push({ at: due, cycle, of: { kind: 'breached' }, source: null, annulled: null });
  return fallen.filter((mark) => !recorded.some((known) => known.annulled === null && sameMark(known, mark)));
}

const share = ({ of }: Mark<unknown>): number => (of.kind === 'warned' ? of.numerator / of.denominator : 1);

const sameMark = (a: Mark<unknown>, b: Mark<unknown>): boolean =>
  a.of.kind === b.of.kind && a.cycle === b.cycle && a.at === b.at && share(a) === share(b);

/** What time made, as long as it is meant. */
function say<S>(book: Book<S>, meant: (mark: Mark<S>) => boolean): void {
  for (let next = book.toSay[0]; next && meant(next); next = book.toSay[0]) {
    book.toSay.shift();
    const { at, of, source, annulled, cycle } = next;
    mark(book, at, source, of, 0, cycle);
    if (annulled === null) continue;
    const { cause } = annulled;
    const detail =
      of.kind === 'warned'
        ? ({ ...of, kind: 'warning-annulled', cause } as const)
        : ({ kind: 'annulled', cause } as const);
    mark(book, at, annulled.source, detail, 0, cycle);
  }
}

// ── Facts ───────────────────────────────────────────────────────────────────────────────────────────────

function took<S>(book: Book<S>, fact: Sourced<S>, before: number, clock: FoldingClock | null): void {
  noteWaits(book, fact, clock);
  if (clock === null) return;
  const { source } = fact;
  const at = toSeconds(fact.at);
  const wasLive = book.state !== null && !hasEnded({ state: book.state });
  const terms = { target: clock.target, calendar: clock.calendar.ref, zone: clock.calendar.zone };
  switch (fact.type) {
    case 'start':
      book.since = source;
      mark(book, at, source, { kind: 'started', ...terms });
      break;
    case 'pause':
    case 'resume':
      if (book.state === 'paused' && clock.state === 'running') book.since = source;
      break;
    case 'stop':
    case 'end':
      if (!wasLive) break;
      book.since = source;
      book.stop = { at, calendar: clock.calendar };
      mark(book, at, source, { kind: 'ended', state: stateName(clock) });
      break;
    case 'reopen': {
      const anew = fact.mode === 'restart';
      if (wasLive && !anew) break;
      if (anew) {
        book.cycle = clock.cycle;
        book.sum = 0;
      }
      book.since = source;
      book.stop = null;
      mark(book, at, source, { kind: anew ? 'restarted' : 'reopened', ...terms });
      break;
    }
    case 'retarget': {
      if (wasLive) book.since = source;
      // What was met under other terms has no line ahead under these.
      else book.stop = null;
      const detail = { kind: 'retargeted', mode: fact.mode, targetBefore: book.target, ...terms } as const;
      mark(book, at, source, detail, clock.consumed - before);
      break;
    }
    case 'adopt': {
      book.since = source;
      book.stop = null;
      const breachedAt = clock.breachedAt === null ? null : toInstant(clock.breachedAt);
      mark(book, at, source, { kind: 'adopted', breachedAt, ...terms }, clock.consumed - before);
      break;
    }
    default:
      never(fact);
  }
  book.state = clock.state;
  book.target = clock.target;
}

function noteWaits<S>({ waits }: Book<S>, fact: Sourced<S>, clock: FoldingClock | null): void {
  if (fact.type === 'pause' && !waits.has(fact.reason)) waits.set(fact.reason, fact.source);
  if (fact.type === 'resume') waits.delete(fact.reason);
  // A stop empties the set, and a clock that has ended takes none.
  if (clock !== null)
    for (const reason of waits.keys()) if (!clock.reasons.includes(reason)) waits.delete(reason);
}

/** Once the fold is over: what follows an end falls away, and what is due gets its lines up to there. */
function close<S>(book: Book<S>, clock: Clock): void {
  if (book.lines.at(-1)?.kind === 'rested') book.lines.pop();
  say(book, () => true);
  if (clock.due === null || clock.breachedAt !== null) return;
  const from = hasEnded(clock) ? book.stop : { at: toSeconds(clock.asOf), calendar: clock.calendar };
  if (from) byCalendar(book, from.calendar, from.at, toSeconds(clock.due), true);
}

function stateName({ state, breachedAt }: FoldingClock): ClockStateName {
  return state === 'stopped' ? (breachedAt === null ? 'met' : 'missed') : state;
}

// ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────

function mark<S>(
  book: Book<S>,
  at: EpochSeconds,
  source: S | null,
  detail: Detail<LedgerLine<S>>,
  counted = 0,
  cycle = book.cycle,
): void {
  book.sum += counted;
  const when = toInstant(at);
  const common = { from: when, to: when, cycle, counted, sum: book.sum, source, ahead: false };
  book.lines.push({ ...detail, ...common } as LedgerLine<S>);
}

function stretch<S>(
  book: Book<S>,
  from: EpochSeconds,
  to: EpochSeconds,
  source: S | null,
  detail: Detail<LedgerLine<S>>,
  counted = 0,
  ahead = false,
): void {
  book.sum += counted;
  const common = { from: toInstant(from), to: toInstant(to), cycle: book.cycle, source, ahead };
  const line = { ...detail, ...common, counted, sum: book.sum } as LedgerLine<S>;
  const last = book.lines.at(-1);
  const whole = last && asOne(last, line);
  if (whole) book.lines[book.lines.length - 1] = whole;
  else book.lines.push(line);
}

/** Two stretches as one, where nothing lies between them but a fact that changed nothing. */
function asOne<S>(a: LedgerLine<S>, b: LedgerLine<S>): LedgerLine<S> | null {
  if (a.from === a.to || a.to !== b.from || a.source !== b.source || a.ahead !== b.ahead) return null;
  const whole = { to: b.to, counted: a.counted + b.counted, sum: b.sum };
  if (a.kind === 'holiday' && b.kind === 'holiday') return a.date === b.date ? { ...a, ...whole } : null;
  if (a.kind === 'paused' && b.kind === 'paused') {
    const same =
      a.reasons.length === b.reasons.length &&
      a.reasons.every(
        ({ reason, source }, i) => reason === b.reasons[i]!.reason && source === b.reasons[i]!.source,
      );
    return same ? { ...a, ...whole, open: a.open + b.open } : null;
  }
  return a.kind === b.kind ? { ...a, ...whole } : null;
}
