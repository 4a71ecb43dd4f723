import {
  compileCalendar,
  foldClock,
  type Calendar,
  type CalendarDefinition,
  type Fraction,
} from '#domain/sla';
import { toInstant, toSeconds, type EpochSeconds, type Instant } from '#kernel';
import { percentile, type BenchContext } from './bench.js';

const CALENDARS = 1_000;
/** Of one round. */
const STARTS = 400_000;
const ROUNDS = 7;
const DAY = 86_400;
/** The starts lie in so many days from here on. */
const FROM: EpochSeconds = Date.UTC(2026, 0, 1) / 1000;
const DAYS = 365;

/** With daylight saving in both halves of the year and without, with odd offsets, all around the day. */
const ZONES = [
  'UTC',
  'Africa/Cairo',
  'Africa/Casablanca',
  'America/Havana',
  'America/New_York',
  'America/Los_Angeles',
  'America/Santiago',
  'America/Sao_Paulo',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Shanghai',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Australia/Sydney',
  'Europe/Berlin',
  'Europe/Dublin',
  'Europe/London',
  'Pacific/Auckland',
  'Pacific/Chatham',
] as const;

/** Business-seconds: from half an hour to two weeks of working days. */
const TARGETS = [1_800, 3_600, 4 * 3_600, 9 * 3_600, 27 * 3_600, 90 * 3_600] as const;
const WARNINGS: readonly Fraction[] = [
  [1, 2],
  [3, 4],
];

interface Start {
  readonly calendar: Calendar;
  readonly at: Instant;
  readonly target: number;
}

/**
 * What an opened ticket asks of a clock, again and again: the clock is started and its due instant is there,
 * as text. No start is asked twice, so that nothing answers but the computing. On one core: this thread alone.
 */
export async function due(bench: BenchContext): Promise<void> {
  const began = performance.now();
  const definitions = Array.from({ length: CALENDARS }, (_, i) => definition(i));
  const calendars = definitions.map((definition, i) =>
    compileCalendar(`bench ${i}@1`, [{ effective: -Infinity, definition }]),
  );
  bench.figure('compiling', (CALENDARS * 1000) / (performance.now() - began), 'calendars/s');

  const laying = performance.now();
  // Starts late in the last year are due in the next.
  for (const calendar of calendars) calendar.openSeconds(FROM, FROM + (DAYS + 366) * DAY);
  bench.figure('laying out two years', (CALENDARS * 1000) / (performance.now() - laying), 'calendars/s');

  const plain: number[] = [];
  const warned: number[] = [];
  const reached: number[] = [];
  for (let round = 0; round < ROUNDS && !bench.signal.aborted; round++) {
    const starts = distinctStarts(calendars, round);
    plain.push(rate(starts, (start) => startedDue(start)));
    warned.push(rate(starts, (start) => startedDue(start, WARNINGS)));
    const seconds = starts.map(({ at }) => toSeconds(at));
    let i = 0;
    reached.push(rate(starts, ({ calendar, target }) => calendar.reach(seconds[i++]!, target)));
    check(starts, round);
    bench.progress(`  round ${round + 1}: ${Math.round(plain.at(-1)!)} starts/s`);
  }
  bench.figure('clocks started, with their due instant', percentile(plain, 0.5), 'starts/s');
  bench.figure('the slowest round of them', Math.min(...plain), 'starts/s');
  bench.figure('clocks started with two warnings', percentile(warned, 0.5), 'starts/s');
  bench.figure('reach alone', percentile(reached, 0.5), 'dues/s');
  bench.bar('due instants a second on one core', percentile(plain, 0.5));
}

function startedDue({ calendar, at, target }: Start, warn?: readonly Fraction[]): EpochSeconds {
  const { due } = foldClock([{ type: 'start', at, target, calendar, ...(warn && { warn }) }]);
  // The length is asked so that the text is really made.
  return due!.length;
}

/** A second; what the work answers is added up, so that none of it can be left out. */
function rate(starts: readonly Start[], work: (start: Start) => number): number {
  const began = performance.now();
  let sum = 0;
  for (const start of starts) sum += work(start);
  const took = performance.now() - began;
  if (!Number.isFinite(sum)) throw new Error('a due instant was not finite');
  return (starts.length * 1000) / took;
}

/** Some of the dues again, by the other half of the calendar: exactly the target was open up to them. */
function check(starts: readonly Start[], round: number): void {
  for (let i = round; i < starts.length; i += 997) {
    const { calendar, at, target } = starts[i]!;
    const { due } = foldClock([{ type: 'start', at, target, calendar }]);
    const open = calendar.openSeconds(toSeconds(at), toSeconds(due!));
    const before = calendar.openSeconds(toSeconds(at), toSeconds(due!) - 1);
    if (open !== target || before !== target - 1)
      throw new Error(`${calendar.ref}: ${at} and ${target} s are not due at ${due}: ${open} s were open`);
  }
}

/** Each calendar in turn, each start another second: the steps have no factor in common with the span. */
function distinctStarts(calendars: readonly Calendar[], round: number): readonly Start[] {
  const span = DAYS * DAY;
  return Array.from({ length: STARTS }, (_, i) => {
    const n = round * STARTS + i;
    return {
      calendar: calendars[n % CALENDARS]!,
      at: toInstant(FROM + ((n * 7_919_999) % span)),
      target: TARGETS[n % TARGETS.length]!,
    };
  });
}

/** As desks have them: office hours, two shifts, late and night shifts, weekends, holidays, exceptions, one in fifty around the clock. */
function definition(i: number): CalendarDefinition {
  const zone = ZONES[i % ZONES.length]!;
  if (i % 50 === 49) return { zone, always: true };
  const opens = 6 + (i % 5);
  const time = (hour: number, minute = 0): string =>
    `${String(hour % 24).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
  const weekdays = [1, 2, 3, 4, 5];
  const closed = Array.from({ length: 10 }, (_, k) => date(2026 + (k % 2), (i * 7 + k * 37) % 360));
  const open = [{ date: date(2026, (i * 11) % 360), from: '10:00', to: '14:00' }];
  switch (i % 4) {
    case 0:
      return { zone, weekly: [{ days: weekdays, from: time(opens), to: time(opens + 9) }], closed, open };
    case 1:
      return {
        zone,
        weekly: [
          { days: weekdays, from: time(opens), to: time(opens + 4, 30) },
          { days: weekdays, from: time(opens + 6), to: time(opens + 10) },
          { days: [6], from: '09:00', to: '13:00' },
        ],
        closed,
        open,
      };
    case 2:
      return { zone, weekly: [{ days: [...weekdays, 6, 7], from: '22:00', to: '06:00' }], closed, open };
    default:
      return {
        zone,
        weekly: [
          { days: weekdays, from: '00:00', to: '24:00' },
          { days: [6, 7], from: '10:00', to: '18:00' },
        ],
        closed,
        open,
      };
  }
}

/** A date by its day of the year. */
function date(year: number, day: number): string {
  return new Date(Date.UTC(year, 0, 1 + day)).toISOString().slice(0, 10);
}
