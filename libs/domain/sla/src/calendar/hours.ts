import { parseDate, weekdayOf, type LocalDay } from '../zones/local.js';
import { TZDB, UnknownZone, zoneOf, type Zone } from '../zones/zones.js';
import type { CalendarDefinition, CalendarProblem, CalendarProblemCode } from './calendar.js';

const DAY = 86_400;

/** Seconds after the local midnight of the date an interval is anchored on; `to` is greater, up to two days. */
export interface Hours {
  readonly from: number;
  readonly to: number;
}

/** @returns NaN where it is no time of day. */
function parseTime(text: string, last: '23:59' | '24:00'): number {
  const match = /^(\d\d):([0-5]\d)$/.exec(text);
  return match && text <= last ? Number(match[1]) * 3600 + Number(match[2]) * 60 : NaN;
}

/** An interval belongs to the local date on which it starts; `to` at or before `from` ends next civil day. */
function parseHours({ from, to }: { readonly from: string; readonly to: string }): Hours {
  const start = parseTime(from, '23:59');
  const end = parseTime(to, '24:00');
  return { from: start, to: end <= start ? end + DAY : end };
}

function zoneIfKnown(name: string, tzdb: string): Zone | null {
  try {
    return zoneOf(name, tzdb);
  } catch (error) {
    if (error instanceof UnknownZone) return null;
    throw error;
  }
}

/** A version's definition made ready: which hours are anchored on a date. */
export interface Schedule {
  readonly zone: Zone;
  readonly always: boolean;
  /** In order; open exception > closed > weekly. */
  on(day: LocalDay): readonly Hours[];
  /** Hours of the week that the date's being closed takes away. */
  lostOn(day: LocalDay): readonly Hours[];
}

const NONE: readonly Hours[] = [];
const WHOLE_DAY: readonly Hours[] = [{ from: 0, to: DAY }];

/** Of a definition without unreadable parts; see `unreadable`. */
export function schedule(definition: CalendarDefinition, tzdb: string): Schedule {
  const zone = zoneOf(definition.zone, tzdb);
  if (definition.always) return { zone, always: true, on: () => WHOLE_DAY, lostOn: () => NONE };
  const inOrder = (a: Hours, b: Hours): number => a.from - b.from || a.to - b.to;
  const weekly = Array.from({ length: 8 }, (_, weekday) =>
    (definition.weekly ?? [])
      .filter(({ days }) => days.includes(weekday))
      .map(parseHours)
      .sort(inOrder),
  );
  const closed = new Set((definition.closed ?? []).map(parseDate));
  const open = new Map<LocalDay, Hours[]>();
  for (const exception of definition.open ?? []) {
    const day = parseDate(exception.date);
    open.set(day, [...(open.get(day) ?? []), parseHours(exception)].sort(inOrder));
  }
  return {
    zone,
    always: false,
    on: (day) => open.get(day) ?? (closed.has(day) ? NONE : weekly[weekdayOf(day)]!),
    lostOn: (day) => (closed.has(day) && !open.has(day) ? weekly[weekdayOf(day)]! : NONE),
  };
}

const problem = (code: CalendarProblemCode, field: string, text: string): CalendarProblem => ({
  code,
  field,
  problem: text,
});

/** What cannot be computed with at all. */
export function unreadable(definition: CalendarDefinition, tzdb: string): readonly CalendarProblem[] {
  const times = (hours: { readonly from: string; readonly to: string }, field: string): CalendarProblem[] => [
    ...(Number.isNaN(parseTime(hours.from, '23:59'))
      ? [problem('bad-time', `${field}.from`, 'is no time from 00:00 to 23:59')]
      : []),
    ...(Number.isNaN(parseTime(hours.to, '24:00'))
      ? [problem('bad-time', `${field}.to`, 'is no time from 00:00 to 24:00')]
      : []),
  ];
  const date = (text: string, field: string): CalendarProblem[] =>
    Number.isNaN(parseDate(text)) ? [problem('bad-date', field, 'is no date YYYY-MM-DD')] : [];
  return [
    ...(zoneIfKnown(definition.zone, tzdb)
      ? []
      : [problem('unknown-zone', 'zone', `is no zone of the IANA time zone rules ${tzdb}`)]),
    ...(definition.weekly ?? []).flatMap((entry, i) => [
      ...times(entry, `weekly[${i}]`),
      ...(entry.days.every((day) => Number.isInteger(day) && day >= 1 && day <= 7)
        ? []
        : [problem('bad-weekday', `weekly[${i}].days`, 'are 1 Monday to 7 Sunday')]),
    ]),
    ...(definition.closed ?? []).flatMap((text, i) => date(text, `closed[${i}]`)),
    ...(definition.open ?? []).flatMap((exception, i) => [
      ...date(exception.date, `open[${i}].date`),
      ...times(exception, `open[${i}]`),
    ]),
  ];
}

/** Everything wrong with a definition; empty where a calendar may be defined so. */
export function calendarProblems(
  definition: CalendarDefinition,
  tzdb: string = TZDB,
): readonly CalendarProblem[] {
  const bad = unreadable(definition, tzdb);
  if (bad.length > 0) return bad;
  const { weekly = [], closed = [], open = [] } = definition;
  if (definition.always)
    return weekly.length + closed.length + open.length > 0
      ? [problem('always-with-hours', 'always', 'stands beside hours that it makes meaningless')]
      : [];
  const week = weekly
    .flatMap((entry, i) =>
      entry.days.map((day) => {
        const { from, to } = parseHours(entry);
        return { field: `weekly[${i}]`, from: (day - 1) * DAY + from, to: (day - 1) * DAY + to };
      }),
    )
    .sort((a, b) => a.from - b.from);
  // The week is a ring: Sunday's night shift may run into Monday's hours.
  const ring = week[0] ? [...week, { ...week[0], from: week[0].from + 7 * DAY }] : [];
  const overlaps = (sorted: readonly (Hours & { field: string })[]): CalendarProblem[] =>
    sorted
      .slice(1)
      .filter((next, i) => next.from < sorted[i]!.to)
      .map(({ field }) => problem('overlapping-intervals', field, 'shares time with another interval'));
  const byDate = new Map<string, (Hours & { field: string })[]>();
  for (const [i, exception] of open.entries())
    byDate.set(exception.date, [
      ...(byDate.get(exception.date) ?? []),
      { ...parseHours(exception), field: `open[${i}]` },
    ]);
  return [
    ...overlaps(ring),
    ...[...byDate.values()].flatMap((hours) => overlaps(hours.sort((a, b) => a.from - b.from))),
    ...closed
      .map((text, i) => ({ text, i }))
      .filter(({ text, i }) => closed.indexOf(text) !== i)
      .map(({ i }) => problem('closed-twice', `closed[${i}]`, 'is named twice')),
    ...(week.length === 0 && open.length === 0
      ? [problem('never-opens', 'weekly', 'has no interval, and no exception opens a date')]
      : []),
  ];
}
