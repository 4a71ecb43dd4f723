import { toInstant, toSeconds, type EpochSeconds, type Instant } from '#kernel';
import { formatDate, localDay, type LocalDay } from '../zones/local.js';
import { TZDB, type Zone } from '../zones/zones.js';
import {
  BadCalendar,
  CalendarNeverOpens,
  type Calendar,
  type CalendarLine,
  type CalendarVersion,
} from './calendar.js';
import { schedule, unreadable, type Hours, type Schedule } from './hours.js';

const DAY = 86_400;
/** A stretch of the time line whose open intervals are laid out together: a year, so that long spans jump. */
const STRETCH = 366 * DAY;
const HORIZON = 30 * 365.25 * DAY;
/** No zone is further from UTC. */
const FURTHEST = 26 * 3600;

/** A version and the span in which it is in force. */
interface Span extends Schedule {
  readonly from: EpochSeconds;
  readonly to: EpochSeconds;
}

/** Open intervals of one stretch: disjoint, in order, in seconds after its start. */
interface Stretch {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Open seconds of the stretch before interval i; one more than there are intervals, the last is the total. */
  readonly before: Int32Array;
  /** By day of the stretch: the first interval that ends after the day's start. */
  readonly byDay: Uint32Array;
}

/**
 * Makes a calendar ready: C.2 and C.4 of domain.md. Versions are ordered by `effective`; of two that take
 * effect in one instant the later recorded one holds. Where intervals share time, it counts once.
 *
 * Open intervals are laid out a year at a time when first asked for, with running sums, so that `reach` and
 * `openSeconds` cost a table look-up and a short search however long the span.
 *
 * @param versions in the order in which they were recorded
 * @param tzdb version of the zone rules; an older one to recompute what an older fact says (ruling 7)
 * @throws BadCalendar
 */
export function compileCalendar(
  ref: string,
  versions: readonly CalendarVersion[],
  tzdb: string = TZDB,
): Calendar {
  const problems = versions.flatMap(({ definition }) => unreadable(definition, tzdb));
  if (problems.length > 0) throw new BadCalendar(ref, problems);
  const inOrder = [...versions].sort((a, b) => (a.effective === b.effective ? 0 : a.effective - b.effective));
  const newest = inOrder.at(-1);
  if (!newest) throw new RangeError(`calendar ${ref} has no version`);
  const spans = inOrder.map(({ effective, definition }, i): Span => ({
    ...schedule(definition, tzdb),
    from: effective,
    to: inOrder[i + 1]?.effective ?? Infinity,
  }));

  const stretches = new Map<number, Stretch>();
  const stretchAt = (index: number): Stretch => {
    let stretch = stretches.get(index);
    if (!stretch) {
      stretch = layOut(spans, index * STRETCH);
      stretches.set(index, stretch);
    }
    return stretch;
  };

  const openSeconds = (from: EpochSeconds, to: EpochSeconds): number => {
    if (to <= from) return 0;
    const first = Math.floor(from / STRETCH);
    const last = Math.floor(to / STRETCH);
    let open =
      openUpTo(stretchAt(last), to - last * STRETCH) - openUpTo(stretchAt(first), from - first * STRETCH);
    for (let index = first; index < last; index++) open += total(stretchAt(index));
    return open;
  };

  const reach = (from: EpochSeconds, need: number): EpochSeconds => {
    if (need <= 0) return from;
    let index = Math.floor(from / STRETCH);
    let stretch = stretchAt(index);
    let goal = openUpTo(stretch, from - index * STRETCH) + need;
    while (goal > total(stretch)) {
      goal -= total(stretch);
      index++;
      if (index * STRETCH > from + HORIZON) throw new CalendarNeverOpens(ref);
      stretch = stretchAt(index);
    }
    const at = index * STRETCH + instantOf(stretch, goal);
    if (at > from + HORIZON) throw new CalendarNeverOpens(ref);
    return at;
  };

  const lines: Calendar['lines'] = (from, to) => {
    const found: CalendarLine[] = [];
    let at = from;
    for (let index = Math.floor(from / STRETCH); index * STRETCH < to; index++) {
      const { starts, ends } = stretchAt(index);
      const start = index * STRETCH;
      for (let i = 0; i < starts.length; i++) {
        const opens = Math.max(from, start + starts[i]!);
        const closes = Math.min(to, start + ends[i]!);
        if (closes <= opens) continue;
        found.push(...shut(spans, at, opens), { kind: 'open', from: opens, to: closes });
        at = closes;
      }
    }
    return joined([...found, ...shut(spans, at, to)]);
  };

  const businessDeadline: Calendar['businessDeadline'] = (receivedAt, days) => {
    if (!Number.isInteger(days) || days < 1) throw new RangeError(`not a positive number of days: ${days}`);
    const received = toSeconds(receivedAt);
    const inForce = spans.findLast((span) => span.from <= received) ?? spans[0]!;
    const dayOfReceipt = localDay(inForce.zone, received);
    let missing = days;
    for (let day = dayOfReceipt + 1; day <= dayOfReceipt + HORIZON / DAY; day++) {
      const end = lastEndOn(spans, day);
      if (end !== null && --missing === 0) return { date: formatDate(day), due: toInstant(end) };
    }
    throw new CalendarNeverOpens(ref);
  };

  return {
    ref,
    zone: newest.definition.zone,
    tzdb,
    versions,
    openSeconds,
    reach,
    lines,
    businessDeadline,
    businessDays: (receivedAt: Instant, days: number) => businessDeadline(receivedAt, days).due,
  };
}

function total({ before }: Stretch): number {
  return before[before.length - 1]!;
}

/** Open seconds from the stretch's start up to `offset`. */
function openUpTo({ starts, ends, before, byDay }: Stretch, offset: number): number {
  let i = byDay[Math.floor(offset / DAY)]!;
  while (i < ends.length && ends[i]! <= offset) i++;
  return i < starts.length && offset > starts[i]! ? before[i]! + offset - starts[i]! : before[i]!;
}

/** The earliest offset at which so many seconds (more than none, at most all) of the stretch were open. */
function instantOf({ starts, before }: Stretch, open: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before[middle + 1]! >= open) high = middle;
    else low = middle + 1;
  }
  return starts[low]! + open - before[low]!;
}

function layOut(spans: readonly Span[], start: EpochSeconds): Stretch {
  const end = start + STRETCH;
  const found: [from: EpochSeconds, to: EpochSeconds][] = [];
  for (const span of spans) {
    const from = Math.max(start, span.from);
    const to = Math.min(end, span.to);
    if (from >= to) continue;
    if (span.always) {
      found.push([from, to]);
      continue;
    }
    const opening = openings(span.zone);
    // Two days back: hours over midnight that were anchored earlier (domain.md C.4). One day on: where a
    // fall-back crosses midnight (St John's until 2011), the next date begins before this one ends.
    const lastDay = localDay(span.zone, to) + 1;
    for (let day = localDay(span.zone, from) - 2; day <= lastDay; day++) {
      for (const hours of span.on(day)) {
        const [opens, closes] = opening(day, hours);
        if (closes > from && opens < to && closes > opens)
          found.push([Math.max(opens, from), Math.min(closes, to)]);
      }
    }
  }
  found.sort((a, b) => a[0] - b[0]);

  const starts = new Int32Array(found.length);
  const ends = new Int32Array(found.length);
  let count = 0;
  for (const [from, to] of found) {
    if (count > 0 && from - start <= ends[count - 1]!) {
      ends[count - 1] = Math.max(ends[count - 1]!, to - start);
    } else {
      starts[count] = from - start;
      ends[count] = to - start;
      count++;
    }
  }
  const before = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) before[i + 1] = before[i]! + ends[i]! - starts[i]!;
  const byDay = new Uint32Array(STRETCH / DAY);
  for (let day = 0, i = 0; day < byDay.length; day++) {
    while (i < count && ends[i]! <= day * DAY) i++;
    byDay[day] = i;
  }
  return { starts: starts.slice(0, count), ends: ends.slice(0, count), before, byDay };
}

/** A stretch in which nothing is open, line by line. */
function shut(spans: readonly Span[], from: EpochSeconds, to: EpochSeconds): readonly CalendarLine[] {
  if (from >= to) return [];
  const found: CalendarLine[] = [];
  const begins = spans[0]!.from;
  if (from < begins) found.push({ kind: 'outside-calendar', from, to: Math.min(to, begins) });
  for (const span of spans) {
    let at = Math.max(from, span.from);
    const end = Math.min(to, span.to);
    if (at >= end) continue;
    for (const { opens, closes, date } of lost(span, at, end)) {
      const holiday = Math.max(at, opens);
      const over = Math.min(end, closes);
      if (over <= holiday) continue;
      if (holiday > at) found.push({ kind: 'closed', from: at, to: holiday });
      found.push({ kind: 'holiday', from: holiday, to: over, date });
      at = over;
    }
    if (at < end) found.push({ kind: 'closed', from: at, to: end });
  }
  return found;
}

/** Hours that closed dates take away around a stretch, by when they would open. */
function lost(
  { zone, lostOn }: Span,
  from: EpochSeconds,
  to: EpochSeconds,
): readonly { readonly opens: EpochSeconds; readonly closes: EpochSeconds; readonly date: string }[] {
  const found: { opens: EpochSeconds; closes: EpochSeconds; date: string }[] = [];
  const lastDay = localDay(zone, to) + 1;
  for (let day = localDay(zone, from) - 2; day <= lastDay; day++)
    for (const hours of lostOn(day))
      found.push({
        opens: zone.firstReading(day * DAY + hours.from),
        closes: zone.firstReading(day * DAY + hours.to),
        date: formatDate(day),
      });
  return found.sort((a, b) => a.opens - b.opens);
}

/** Neighbours of one kind as one line: what is laid out a year at a time, and by versions, is cut there. */
function joined(lines: readonly CalendarLine[]): readonly CalendarLine[] {
  const found: CalendarLine[] = [];
  for (const line of lines) {
    const last = found.at(-1);
    const same =
      last?.kind === line.kind && ('date' in last ? last.date : '') === ('date' in line ? line.date : '');
    if (last && same) found[found.length - 1] = { ...last, to: line.to };
    else found.push(line);
  }
  return found;
}

/**
 * The instants of hours anchored on a date, by the boundary rule. Asked for rising dates it looks the
 * offset up anew only around transitions.
 */
function openings(zone: Zone): (day: LocalDay, hours: Hours) => [opens: EpochSeconds, closes: EpochSeconds] {
  let calmFrom = Infinity;
  let calmTo = -Infinity;
  let offset = 0;
  return (day, { from, to }) => {
    const midnight = day * DAY;
    const earliest = midnight - FURTHEST;
    const latest = midnight + 2 * DAY + FURTHEST;
    if (earliest < calmFrom || latest >= calmTo) {
      calmFrom = earliest;
      calmTo = zone.nextTransition(earliest);
      offset = zone.offsetAt(earliest);
    }
    return latest < calmTo
      ? [midnight + from - offset, midnight + to - offset]
      : [zone.firstReading(midnight + from), zone.firstReading(midnight + to)];
  };
}

/** End of the last open interval anchored on a date, in the versions in force then; null where none is open. */
function lastEndOn(spans: readonly Span[], day: LocalDay): EpochSeconds | null {
  let last: EpochSeconds | null = null;
  for (const span of spans) {
    for (const { from, to } of span.on(day)) {
      const opens = Math.max(span.zone.firstReading(day * DAY + from), span.from);
      const closes = Math.min(span.zone.firstReading(day * DAY + to), span.to);
      if (closes > opens && (last === null || closes > last)) last = closes;
    }
  }
  return last;
}
