import {
  CalendarNeverOpens,
  underRules,
  type Calendar,
  type ClockName,
  type Policies,
  type ServiceLevelPolicy,
} from '#domain/sla';
import type { Tier } from '#domain/desk';
import { earlier, later, toInstant, toSeconds, type Instant } from '#kernel';
import {
  attainmentKey,
  attainmentSubject,
  CONSUMED,
  isKept,
  type AttainmentKey,
  type AttainmentRow,
  type Outcome,
  type PromiseCycle,
} from './attainment.js';

const DAY = 86_400;
/** A reopen window that is longer is taken to have no end. */
const LONGEST_WINDOW_DAYS = 3_660;

/** One line of the report. `met + missed + open + openBreached + notApplicable + notEvidenced + merged = cycles`. */
export interface Attained extends AttainmentKey {
  readonly cycles: number;
  readonly met: number;
  /** Those of `met` that a reopen may yet take back: the window of their policy has not passed. */
  readonly provisional: number;
  readonly missed: number;
  readonly open: number;
  readonly openBreached: number;
  readonly notApplicable: number;
  readonly notEvidenced: number;
  readonly merged: number;
  /** Of those whose due is decided, the share that met it: met / (met + missed + openBreached); null where there is none. */
  readonly attainment: number | null;
  /** Business-seconds of the cycles that met or missed: used, and paused. */
  readonly consumed: number;
  readonly paused: number;
  /** paused / (paused + consumed); null where both are 0. */
  readonly pausedShare: number | null;
}

/** Which lines; each absent field is any. */
export interface AttainmentAsked {
  readonly month?: string | undefined;
  /** `name@version`, or a name for all its versions. */
  readonly policy?: string | undefined;
  readonly tier?: Tier | undefined;
  readonly priority?: number | undefined;
  readonly clock?: ClockName | undefined;
}

/** `YYYY-MM`. */
export const isMonth = (text: string): boolean => /^\d{4}-(0[1-9]|1[0-2])$/.test(text);

/** What the report reads, all of one moment. */
export interface AttainmentSource {
  /** By the clock of the store that it reads. */
  now(): Promise<Instant>;
  tallies(
    month?: string,
  ): Promise<readonly { readonly subject: string; readonly kind: string; readonly count: number }[]>;
  /** Rows with any of these months in `waitedIn`, in no order. */
  waited(months: readonly string[]): AsyncIterable<AttainmentRow>;
  /** Rows with `metAt` at or after an instant, in no order. */
  metSince(at: Instant): AsyncIterable<AttainmentRow>;
}

export interface AttainedPage {
  /** The moment that tells what is provisional; nothing else depends on it. */
  readonly at: Instant;
  readonly lines: readonly Attained[];
  readonly more: boolean;
}

/** Of months the earliest first, and last what is due at no instant; then policy, tier, priority, clock. */
export function compareAttained(a: AttainmentKey, b: AttainmentKey): number {
  const text = ({ month, policy, tier, priority, clock }: AttainmentKey): string =>
    [month ?? '~', policy, tier, priority, clock].join('/');
  const [left, right] = [text(a), text(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * SLA attainment, line by line.
 *
 * @param page lines after a line, at most so many
 * @throws UnknownPolicy
 */
export async function attained(
  source: AttainmentSource,
  asked: AttainmentAsked,
  policies: Policies,
  page: { readonly after?: AttainmentKey; readonly limit: number } = { limit: Infinity },
): Promise<AttainedPage> {
  const { after, limit } = page;
  const counted = new Map<string, Map<string, number>>();
  for (const { subject, kind, count } of await source.tallies(asked.month)) {
    if (count === 0) continue;
    let kinds = counted.get(subject);
    if (!kinds) counted.set(subject, (kinds = new Map()));
    kinds.set(kind, count);
  }
  const keys = [...counted.keys()]
    .map(attainmentKey)
    .filter((key) => isAsked(key, asked) && (after === undefined || compareAttained(key, after) > 0))
    .sort(compareAttained);
  const shown = keys.slice(0, limit);
  const subjects = new Set(shown.map((key) => attainmentSubject(key, key.tier)));
  const at = await source.now();
  const paused = await pausedBy(source, shown, subjects, policies);
  const provisional = await provisionalBy(source, shown, subjects, policies, at);
  return {
    at,
    lines: shown.map((key) => {
      const subject = attainmentSubject(key, key.tier);
      return line(key, counted.get(subject)!, paused.get(subject) ?? 0, provisional.get(subject) ?? 0);
    }),
    more: keys.length > shown.length,
  };
}

function isAsked(key: AttainmentKey, { month, policy, tier, priority, clock }: AttainmentAsked): boolean {
  return (
    (month === undefined || key.month === month) &&
    (policy === undefined || key.policy === policy || key.policy.startsWith(`${policy}@`)) &&
    (tier === undefined || key.tier === tier) &&
    (priority === undefined || key.priority === priority) &&
    (clock === undefined || key.clock === clock)
  );
}

function line(
  key: AttainmentKey,
  kinds: ReadonlyMap<string, number>,
  paused: number,
  provisional: number,
): Attained {
  const of = (outcome: Outcome): number => kinds.get(outcome) ?? 0;
  const [met, missed, open, openBreached] = [of('met'), of('missed'), of('open'), of('open-breached')];
  const [notApplicable, notEvidenced, merged] = [of('not-applicable'), of('not-evidenced'), of('merged')];
  const decided = met + missed + openBreached;
  const consumed = kinds.get(CONSUMED) ?? 0;
  const total = consumed + paused;
  return {
    ...key,
    cycles: decided + open + notApplicable + notEvidenced + merged,
    met,
    provisional,
    missed,
    open,
    openBreached,
    notApplicable,
    notEvidenced,
    merged,
    attainment: decided === 0 ? null : met / decided,
    consumed,
    paused,
    pausedShare: total === 0 ? null : paused / total,
  };
}

type Sums = ReadonlyMap<string, number>;

async function pausedBy(
  source: AttainmentSource,
  shown: readonly AttainmentKey[],
  subjects: ReadonlySet<string>,
  policies: Policies,
): Promise<Sums> {
  const sums = new Map<string, number>();
  const months = [...new Set(shown.flatMap(({ month }) => (month === null ? [] : [month])))];
  if (months.length === 0) return sums;
  const calendars = new Map<string, Calendar>();
  const calendarOf = ({ policy, tzdb }: PromiseCycle): Calendar => {
    const key = `${policy} ${tzdb}`;
    let calendar = calendars.get(key);
    if (!calendar) calendars.set(key, (calendar = underRules(policies, tzdb).version(policy).calendar));
    return calendar;
  };
  for await (const row of source.waited(months))
    for (const cycle of row.cycles) {
      const subject = attainmentSubject(cycle, row.tier);
      if (!cycle.waited || !isKept(cycle) || !subjects.has(subject)) continue;
      sums.set(subject, (sums.get(subject) ?? 0) + pausedSeconds(cycle, row.rests, calendarOf(cycle)));
    }
  return sums;
}

/**
 * Business-seconds for which an ended cycle was paused: what its calendar had open from its start to its end,
 * less what it consumed, and less the rests between a resolve and the reopen after it (domain.md C.3). Exact
 * where one calendar held throughout; never below 0.
 */
export function pausedSeconds(
  cycle: PromiseCycle,
  rests: AttainmentRow['rests'],
  calendar: Calendar,
): number {
  const { startedAt, ended, consumed } = cycle;
  if (ended === null) return 0;
  const open = (from: Instant, to: Instant): number => calendar.openSeconds(toSeconds(from), toSeconds(to));
  let left = open(startedAt, ended.at) - consumed;
  for (const { from, to } of rests)
    left -= open(later(from, startedAt), to === null ? ended.at : earlier(to, ended.at));
  return Math.max(0, left);
}

async function provisionalBy(
  source: AttainmentSource,
  shown: readonly AttainmentKey[],
  subjects: ReadonlySet<string>,
  policies: Policies,
  now: Instant,
): Promise<Sums> {
  const sums = new Map<string, number>();
  const refs = new Set(shown.flatMap(({ clock, policy }) => (clock === 'resolution' ? [policy] : [])));
  if (refs.size === 0) return sums;
  const since = [...refs].map((ref) => openSince(policies.version(ref), now)).reduce(earlier);
  for await (const row of source.metSince(since)) {
    const cycle = row.cycles.findLast(({ clock }) => clock === 'resolution')!;
    const subject = attainmentSubject(cycle, row.tier);
    if (subjects.has(subject) && isWindowOpen(policies.version(cycle.policy), row.metAt!, now))
      sums.set(subject, (sums.get(subject) ?? 0) + 1);
  }
  return sums;
}

/** Whether a reopen at `now` would go on with what was resolved at `at` (domain.md C.3, Reopen). */
function isWindowOpen(
  { calendar, reopenWithinDays }: ServiceLevelPolicy,
  at: Instant,
  now: Instant,
): boolean {
  try {
    return now <= calendar.businessDays(at, reopenWithinDays);
  } catch (error) {
    // So many business days never pass.
    if (error instanceof CalendarNeverOpens) return true;
    throw error;
  }
}

/** An instant such that the windows of all that was resolved before it have passed. */
function openSince(policy: ServiceLevelPolicy, now: Instant): Instant {
  const last = toSeconds(now);
  let days = 0;
  while (days < LONGEST_WINDOW_DAYS && isWindowOpen(policy, toInstant(last - days * DAY), now)) days++;
  return toInstant(last - days * DAY);
}
