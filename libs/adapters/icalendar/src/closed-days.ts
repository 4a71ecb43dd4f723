import { parseDate } from '#domain/sla';
import ICAL from 'ical.js';

export interface ClosedDay {
  /** Local date, `YYYY-MM-DD`. */
  readonly date: string;
  /** What the file calls it; several names where several events fall on it. */
  readonly called: readonly string[];
}

export interface ClosedDays {
  /** In order, each date once. */
  readonly days: readonly ClosedDay[];
  /** Events that close no date, and why. */
  readonly leftOut: readonly { readonly called: string; readonly because: 'cancelled' | 'not-all-day' }[];
}

/** Nothing is taken from a file that is not one, or of which any part is wrong; the message says where. */
export class NotICalendar extends Error {
  override readonly name = 'NotICalendar';
}

/** Of one event; a holiday of each day for centuries is no holiday. */
const MOST_OCCURRENCES = 20_000;
const LONGEST_DAYS = 366;

/**
 * The dates that the all-day events of an iCalendar file (RFC 5545) close, as calendars name them: recurrences
 * unfolded, moved and excepted ones as the file says, an event of several days closing each of them. Events
 * with a time of day close nothing, nor do cancelled ones. Whether an event shows its owner as busy (TRANSP)
 * is not asked: public feeds mark holidays as free.
 *
 * @param from first date that counts, `YYYY-MM-DD`
 * @param to last date that counts
 * @throws NotICalendar
 */
export function closedDays(text: string, from: string, to: string): ClosedDays {
  try {
    return unfolded(calendarsIn(text), from, to);
  } catch (error) {
    if (error instanceof NotICalendar) throw error;
    // The parser throws plain errors, some only when a value is first looked at.
    throw new NotICalendar(`this is no iCalendar file: ${reasonOf(error)}`, { cause: error });
  }
}

function unfolded(calendars: readonly ICAL.Component[], from: string, to: string): ClosedDays {
  const names = new Map<string, Set<string>>();
  const leftOut: { called: string; because: 'cancelled' | 'not-all-day' }[] = [];
  for (const calendar of calendars) {
    const events = calendar.getAllSubcomponents('vevent');
    for (const event of events) {
      const called = nameOf(event);
      const start = timeOf(event, 'dtstart', called);
      if (event.getFirstPropertyValue('status')?.toString().toUpperCase() === 'CANCELLED') {
        leftOut.push({ called, because: 'cancelled' });
        continue;
      }
      if (!start.isDate) {
        leftOut.push({ called, because: 'not-all-day' });
        continue;
      }
      const days = lengthOf(event, start, called);
      for (const first of occurrences(event, start, events, to, called))
        for (let day = 0; day < days; day++) {
          const date = first.clone();
          date.day += day;
          const text = date.toString();
          if (text >= from && text <= to) names.set(text, (names.get(text) ?? new Set()).add(called));
        }
    }
  }
  const days = [...names]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([date, called]): ClosedDay => ({ date, called: [...called] }));
  return { days, leftOut };
}

function calendarsIn(text: string): readonly ICAL.Component[] {
  const parsed: unknown = ICAL.parse(text.replace(/^\uFEFF/, ''));
  // One calendar, or a list of them.
  const found = (Array.isArray(parsed) && typeof parsed[0] === 'string' ? [parsed] : parsed) as unknown[][];
  const calendars = found.map((one) => new ICAL.Component(one));
  const other = calendars.find(({ name }) => name !== 'vcalendar');
  if (calendars.length === 0 || other)
    throw new NotICalendar(`this is no iCalendar file: it holds ${other?.name ?? 'nothing'}`);
  return calendars;
}

function nameOf(event: ICAL.Component): string {
  const name = event.getFirstPropertyValue('summary')?.toString().trim();
  return name === undefined || name === '' ? 'without a name' : name;
}

/**
 * The parser takes the 30th of February for the 2nd of March, and dates with dashes for others: what stands in
 * the file is looked at first.
 */
function timeOf(event: ICAL.Component, property: string, called: string): ICAL.Time {
  demandDate(event.getFirstProperty(property)?.toJSON()[3], property, called);
  const value = event.getFirstPropertyValue(property);
  if (!(value instanceof ICAL.Time))
    throw new NotICalendar(`${quoted(called)} has no ${property.toUpperCase()} that is a time`);
  return value;
}

function demandDate(written: unknown, property: string, called: string): void {
  if (typeof written !== 'string' || Number.isNaN(parseDate(written.slice(0, 10))))
    throw new NotICalendar(`${quoted(called)} has no ${property.toUpperCase()} that is a date`);
}

const quoted = (called: string): string => `the event ${JSON.stringify(called.slice(0, 80))}`;

/** Days that an all-day event lasts: to before its end, or for its duration; one where neither is said. */
function lengthOf(event: ICAL.Component, start: ICAL.Time, called: string): number {
  const duration = event.getFirstPropertyValue('duration');
  const seconds = event.hasProperty('dtend')
    ? timeOf(event, 'dtend', called).subtractDate(start).toSeconds()
    : duration instanceof ICAL.Duration
      ? duration.toSeconds()
      : 86_400;
  const days = seconds / 86_400;
  if (!Number.isInteger(days) || days < 0 || days > LONGEST_DAYS)
    throw new NotICalendar(`${quoted(called)} lasts no whole number of days up to ${LONGEST_DAYS}`);
  // An end that is the start is often meant to be one day.
  return Math.max(1, days);
}

/** First days of an event up to `to`, those left out that another event of the file stands for (RECURRENCE-ID). */
function* occurrences(
  event: ICAL.Component,
  start: ICAL.Time,
  events: readonly ICAL.Component[],
  to: string,
  called: string,
): Generator<ICAL.Time> {
  const recurs = event.hasProperty('rrule') || event.hasProperty('rdate');
  if (!recurs || event.hasProperty('recurrence-id')) {
    yield start;
    return;
  }
  const uid = event.getFirstPropertyValue('uid')?.toString();
  const replaced = new Set(
    events
      .filter(
        (other) =>
          other.hasProperty('recurrence-id') && uid === other.getFirstPropertyValue('uid')?.toString(),
      )
      .map((other) => timeOf(other, 'recurrence-id', called).toString()),
  );
  for (const property of ['rdate', 'exdate'])
    for (const each of event.getAllProperties(property))
      for (const written of each.toJSON().slice(3)) demandDate(written, property, called);
  const fits = fitting(event, start, called);
  const added = new Set(event.getAllProperties('rdate').flatMap((each) => each.getValues().map(String)));
  // The start is the first of the dates (RFC 5545, 3.8.5.2); the parser leaves it out where there is no rule.
  const taken = event.getAllProperties('exdate').flatMap((each) => each.getValues().map(String));
  const first = start.toString();
  if (!event.hasProperty('rrule') && !taken.includes(first) && !replaced.has(first) && !added.has(first))
    yield start;
  const dates = new ICAL.RecurExpansion({ component: event, dtstart: start });
  for (let count = 0; ; count++) {
    if (count === MOST_OCCURRENCES)
      throw new NotICalendar(
        `the event ${JSON.stringify(called)} recurs more than ${MOST_OCCURRENCES} times`,
      );
    const next = dates.next() as ICAL.Time | null;
    if (!next || next.toString().slice(0, 10) > to) return;
    if (!replaced.has(next.toString()) && (fits(next) || added.has(next.toString()))) yield next;
  }
}

/**
 * Whether a date is one that the rule can name: the parser's unfolding runs over a month's end (the 30th of
 * February, the 29th in other years), where RFC 5545 leaves such a date out.
 */
function fitting(event: ICAL.Component, start: ICAL.Time, called: string): (date: ICAL.Time) => boolean {
  const rule = event.getFirstPropertyValue('rrule');
  if (!(rule instanceof ICAL.Recur)) return () => true;
  const { until } = event.getFirstProperty('rrule')!.toJSON()[3] as { until?: unknown };
  if (until !== undefined) demandDate(until, 'rrule until', called);
  const months = rule.getComponent('BYMONTH');
  const days = rule.getComponent('BYMONTHDAY');
  const plainYearly =
    rule.freq === 'YEARLY' && Object.keys(rule.parts).every((part) => !part.startsWith('BY'));
  return (date) =>
    (months.length === 0 || months.includes(date.month)) &&
    (days.length === 0 || days.some((day) => Number(day) < 0 || day === date.day)) &&
    (!plainYearly || (date.month === start.month && date.day === start.day));
}

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 200);
