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

/** A calendar made ready to compute with; immutable. */
export interface Calendar {
  /** `default@1`. */
  readonly ref: string;
  readonly zone: string;
  /** Version of the zone rules it was compiled with (ruling 7). */
  readonly tzdb: string;
  /** β: open seconds in [from, to). */
  openSeconds(from: EpochSeconds, to: EpochSeconds): number;
  /**
   * reach: the earliest instant t ≥ from with openSeconds(from, t) ≥ need; `from` itself where need ≤ 0.
   * @throws CalendarNeverOpens beyond a horizon of 30 years.
   */
  reach(from: EpochSeconds, need: number): EpochSeconds;
  /** End of the last open interval of the n-th later local date that has one; an act at that instant is in time. */
  businessDays(receivedAt: Instant, days: number): Instant;
}
