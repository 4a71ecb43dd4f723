import type { EpochSeconds, Instant } from '#kernel';

/** Opening hours as people write them: data, never code (domain.md C.2). */
export interface CalendarDefinition {
  /** IANA zone. */
  readonly zone: string;
  /** Open around the clock; then the rest is absent. */
  readonly always?: true;
  /** `days` are ISO, 1 Monday to 7 Sunday; `to` at or before `from` ends on the next civil day; `24:00` is legal. */
  readonly weekly?: readonly {
    readonly days: readonly number[];
    readonly from: string;
    readonly to: string;
  }[];
  /** Local dates, `YYYY-MM-DD`. */
  readonly closed?: readonly string[];
  /** Replaces the weekly hours of a date, and wins over `closed`. */
  readonly open?: readonly { readonly date: string; readonly from: string; readonly to: string }[];
}

/** A definition and from when on it holds; until then the calendar is closed, or what the version before it says. */
export interface CalendarVersion {
  /** -Infinity: since ever. */
  readonly effective: EpochSeconds;
  readonly definition: CalendarDefinition;
}

/** A stretch of time as a calendar sees it; none is empty. */
export type CalendarLine = { readonly from: EpochSeconds; readonly to: EpochSeconds } & (
  | {
      /** `closed`: outside the hours. `outside-calendar`: before its first version is in force. */
      readonly kind: 'open' | 'closed' | 'outside-calendar';
    }
  /** Open by the week, were it not for the closed date, `YYYY-MM-DD`, on which these hours start. */
  | { readonly kind: 'holiday'; readonly date: string }
);

/** A calendar made ready to compute with; immutable. */
export interface Calendar {
  /** `default@1`. */
  readonly ref: string;
  /** Zone of the newest version: the one to show local times in. */
  readonly zone: string;
  /** Version of the zone rules it was compiled with (ruling 7). */
  readonly tzdb: string;
  /** In the order in which they were recorded. */
  readonly versions: readonly CalendarVersion[];
  /** β: open seconds in [from, to); 0 where to ≤ from. */
  openSeconds(from: EpochSeconds, to: EpochSeconds): number;
  /**
   * reach: the earliest instant t ≥ from with openSeconds(from, t) ≥ need; `from` itself where need ≤ 0.
   * @throws CalendarNeverOpens beyond a horizon of 30 years.
   */
  reach(from: EpochSeconds, need: number): EpochSeconds;
  /** [from, to) line by line, without a hole; the open ones together are openSeconds(from, to). Nothing where to ≤ from. */
  lines(from: EpochSeconds, to: EpochSeconds): readonly CalendarLine[];
  /** `businessDeadline`'s `due`. */
  businessDays(receivedAt: Instant, days: number): Instant;
  /**
   * The n-th local date after the date of receipt that has an open interval, and the end of its last one
   * (which may lie after that date's midnight); an act at that instant is in time.
   * @throws CalendarNeverOpens; RangeError where days is no positive integer
   */
  businessDeadline(receivedAt: Instant, days: number): { readonly date: string; readonly due: Instant };
}

export class CalendarNeverOpens extends Error {
  override readonly name = 'CalendarNeverOpens';
  constructor(calendar: string) {
    super(`calendar ${calendar} never opens for as long as that within 30 years`);
  }
}

/** Why a definition is refused when a calendar is defined. */
export const CALENDAR_PROBLEMS = [
  'unknown-zone',
  'bad-time',
  'bad-weekday',
  'bad-date',
  /** Two intervals of the week, or of one date's exceptions, share time. */
  'overlapping-intervals',
  'closed-twice',
  /** `always` beside hours. */
  'always-with-hours',
  'never-opens',
] as const;
export type CalendarProblemCode = (typeof CALENDAR_PROBLEMS)[number];

export interface CalendarProblem {
  readonly code: CalendarProblemCode;
  /** Path in the definition, `weekly[1].from`. */
  readonly field: string;
  readonly problem: string;
}

export class BadCalendar extends Error {
  override readonly name = 'BadCalendar';
  constructor(
    calendar: string,
    readonly problems: readonly CalendarProblem[],
  ) {
    super(`calendar ${calendar}: ${problems.map(({ field, problem }) => `${field} ${problem}`).join('; ')}`);
  }
}
