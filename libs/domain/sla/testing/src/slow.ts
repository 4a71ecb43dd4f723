import type { CalendarDefinition } from '#domain/sla';
import type { EpochSeconds } from '#kernel';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** What a wall clock shows, as seconds since 1970 of that same clock; the test's own way to read it. */
export type LocalClock = (at: EpochSeconds) => number;

/** Reads Intl's wall clock. Between two full hours with one offset there is no other. */
export function intlClock(zone: string): LocalClock {
  const format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const exact = (at: EpochSeconds): number => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at * 1000)) part[type] = Number(value);
    return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second) / 1000 - at;
  };
  const byHour = new Map<number, number>();
  const onTheHour = (hour: number): number => {
    let offset = byHour.get(hour);
    if (offset === undefined) {
      offset = exact(hour * HOUR);
      byHour.set(hour, offset);
    }
    return offset;
  };
  return (at) => {
    const hour = Math.floor(at / HOUR);
    const offset = onTheHour(hour);
    return at + (offset === onTheHour(hour + 1) ? offset : exact(at));
  };
}

/**
 * Whether a calendar is open, minute by minute, by nothing but its definition and a wall clock: a boundary
 * has passed once the clock has read it or more, so the highest reading so far decides (domain.md C.2).
 * Times of day and offsets must be whole minutes.
 */
export function openMinutes(
  { always, weekly = [], closed = [], open = [] }: CalendarDefinition,
  clock: LocalClock,
  from: EpochSeconds,
): () => boolean {
  const hoursOn = (day: number): readonly { from: string; to: string }[] => {
    const date = new Date(day * DAY * 1000).toISOString().slice(0, 10);
    const exceptions = open.filter((exception) => exception.date === date);
    if (exceptions.length > 0) return exceptions;
    if (closed.includes(date)) return [];
    const weekday = new Date(day * DAY * 1000).getUTCDay() || 7;
    return weekly.filter(({ days }) => days.includes(weekday));
  };
  const seconds = (time: string): number => Number(time.slice(0, 2)) * HOUR + Number(time.slice(3)) * MINUTE;
  const isOpenAt = (reading: number): boolean => {
    const today = Math.floor(reading / DAY);
    return [today - 1, today].some((day) =>
      hoursOn(day).some((hours) => {
        const start = seconds(hours.from);
        const end = seconds(hours.to) > start ? seconds(hours.to) : seconds(hours.to) + DAY;
        return reading >= day * DAY + start && reading < day * DAY + end;
      }),
    );
  };
  let at = from;
  let highest = -Infinity;
  for (let before = from - 2 * DAY; before <= from; before += MINUTE)
    highest = Math.max(highest, clock(before));
  return () => {
    highest = Math.max(highest, clock(at));
    at += MINUTE;
    return always === true || isOpenAt(highest);
  };
}
