import { toInstant, toSeconds, type EpochSeconds, type Instant } from '#kernel';
import { formatDate, localDay } from '../zones/local.js';
import { zoneOf } from '../zones/zones.js';

const DAY = 86_400;

/** Civil, not open, time. Months clamp to the month's last day. */
export type CalendarPeriod =
  { readonly days: number } | { readonly weeks: number } | { readonly months: number };

export interface PeriodDeadline {
  /** Local date, `YYYY-MM-DD`. */
  readonly lastDay: string;
  /** An act at this instant is in time: one second before the local midnight that ends the last day. */
  readonly due: Instant;
}

/**
 * A deadline in calendar days, weeks or months after the local date of receipt (domain.md C.1, regulatory).
 * @throws UnknownZone
 */
export function calendarPeriod(
  zoneName: string,
  receivedAt: Instant,
  period: CalendarPeriod,
  tzdb?: string,
): PeriodDeadline {
  const zone = zoneOf(zoneName, tzdb);
  const received = localDay(zone, toSeconds(receivedAt));
  const lastDay =
    'days' in period
      ? received + period.days
      : 'weeks' in period
        ? received + 7 * period.weeks
        : addMonths(received, period.months);
  return { lastDay: formatDate(lastDay), due: toInstant(zone.firstReading((lastDay + 1) * DAY) - 1) };
}

function addMonths(day: number, months: number): number {
  const date = new Date(day * DAY * 1000);
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
  const lastOfMonth = new Date(
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 0),
  ).getUTCDate();
  return first / 1000 / DAY + Math.min(date.getUTCDate(), lastOfMonth) - 1;
}

/** Warnings of a deadline in days fall after a share of the real time (domain.md C.3, corners). */
export function warningInDays(
  receivedAt: EpochSeconds,
  due: EpochSeconds,
  [numerator, denominator]: readonly [number, number],
): EpochSeconds {
  return receivedAt + Math.ceil(((due - receivedAt) * numerator) / denominator);
}
