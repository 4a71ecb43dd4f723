import { describe, expect, test } from '@jest/globals';
import { instant, toInstant, toSeconds } from '#kernel';
import { BadCalendar, CalendarNeverOpens, type CalendarDefinition } from './calendar.js';
import { compileCalendar } from './compile.js';
import { calendarProblems } from './hours.js';
import { calendarPeriod, warningInDays } from './periods.js';
import { corrected, edited } from './versions.js';

const OFFICE: CalendarDefinition = {
  zone: 'America/New_York',
  weekly: [{ days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' }],
};
const HOUR = 3600;

const at = (text: string): number => toSeconds(instant(text));
const calendar = (definition: CalendarDefinition) =>
  compileCalendar('c@1', [{ effective: -Infinity, definition }]);
const codes = (definition: CalendarDefinition): string[] =>
  calendarProblems(definition).map(({ code }) => code);

describe('a calendar', () => {
  test('names what it was compiled from', () => {
    const { ref, zone, tzdb } = calendar(OFFICE);
    expect({ ref, zone, tzdb }).toEqual({ ref: 'c@1', zone: 'America/New_York', tzdb: '2026f' });
  });

  test('is due at closing time when the target is used up there, not at the next opening', () => {
    const due = calendar(OFFICE).reach(at('2026-06-08T20:00:00Z'), HOUR);
    expect(toInstant(due)).toBe('2026-06-08T21:00:00Z');
  });

  test('needs nothing from where it stands, open or closed', () => {
    const sunday = at('2026-06-14T00:00:00Z');
    expect(calendar(OFFICE).reach(sunday, 0)).toBe(sunday);
    expect(calendar(OFFICE).reach(sunday, -5)).toBe(sunday);
    expect(calendar(OFFICE).openSeconds(sunday, sunday - 1)).toBe(0);
  });

  test('jumps over decades', () => {
    const c = calendar(OFFICE);
    const need = 20 * 52 * 40 * HOUR;
    const due = c.reach(at('2026-06-08T13:00:00Z'), need);
    expect(toInstant(due).slice(0, 4)).toBe('2046');
    expect(c.openSeconds(at('2026-06-08T13:00:00Z'), due)).toBe(need);
  });

  test('that never opens is an error within a horizon of 30 years, not a loop', () => {
    const once = calendar({ zone: 'UTC', open: [{ date: '2026-06-08', from: '09:00', to: '10:00' }] });
    expect(once.openSeconds(at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z'))).toBe(HOUR);
    expect(() => once.reach(at('2026-01-01T00:00:00Z'), HOUR + 1)).toThrow(CalendarNeverOpens);
    expect(() => once.businessDays(instant('2026-06-08T00:00:00Z'), 1)).toThrow(CalendarNeverOpens);
    const always = calendar({ zone: 'UTC', always: true });
    expect(() => always.reach(0, 31 * 366 * 24 * HOUR)).toThrow(CalendarNeverOpens);
  });

  test('is closed before its first version takes effect', () => {
    const c = compileCalendar('c', [{ effective: at('2026-06-10T16:00:00Z'), definition: OFFICE }]);
    expect(toInstant(c.reach(at('2026-06-08T13:00:00Z'), HOUR))).toBe('2026-06-10T17:00:00Z');
  });

  test('changes its zone with a version', () => {
    const moved = compileCalendar('c', [
      { effective: -Infinity, definition: OFFICE },
      { effective: at('2026-06-09T00:00:00Z'), definition: { ...OFFICE, zone: 'Europe/Berlin' } },
    ]);
    expect(moved.zone).toBe('Europe/Berlin');
    // An hour of Monday's in New York, then Tuesday's from 09:00 in Berlin.
    expect(toInstant(moved.reach(at('2026-06-08T20:00:00Z'), 2 * HOUR))).toBe('2026-06-09T08:00:00Z');
  });

  test('is corrected in its first version alone', () => {
    const edits = edited([{ effective: -Infinity, definition: OFFICE }], at('2026-07-01T00:00:00Z'), {
      zone: 'UTC',
      always: true,
    });
    const holiday = { ...OFFICE, closed: ['2026-06-09'] };
    expect(corrected(edits, holiday).map(({ definition }) => definition)).toEqual([
      holiday,
      { zone: 'UTC', always: true },
    ]);
  });

  test('with unreadable parts is refused whole, with every problem named', () => {
    const bad: CalendarDefinition = {
      zone: 'Europe/Atlantis',
      weekly: [{ days: [1, 8], from: '24:00', to: '25:00' }],
      closed: ['2026-02-30'],
    };
    expect(() => calendar(bad)).toThrow(BadCalendar);
    expect(calendarProblems(bad).map(({ field, code }) => `${field} ${code}`)).toEqual([
      'zone unknown-zone',
      'weekly[0].from bad-time',
      'weekly[0].to bad-time',
      'weekly[0].days bad-weekday',
      'closed[0] bad-date',
    ]);
  });

  test.each<[string, CalendarDefinition, string[]]>([
    ['office hours', OFFICE, []],
    [
      'a split day',
      {
        zone: 'UTC',
        weekly: [
          { days: [1], from: '09:00', to: '12:00' },
          { days: [1], from: '12:00', to: '17:00' },
        ],
      },
      [],
    ],
    [
      'a night shift every day',
      { zone: 'UTC', weekly: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '22:00', to: '06:00' }] },
      [],
    ],
    [
      'a day and a night of 24 hours',
      { zone: 'UTC', weekly: [{ days: [1, 2], from: '08:00', to: '08:00' }] },
      [],
    ],
    ['nothing', { zone: 'UTC' }, ['never-opens']],
    [
      'two intervals that share time',
      {
        zone: 'UTC',
        weekly: [
          { days: [1], from: '09:00', to: '12:00' },
          { days: [1, 2], from: '11:59', to: '13:00' },
        ],
      },
      ['overlapping-intervals'],
    ],
    [
      'a Sunday night that runs into Monday',
      {
        zone: 'UTC',
        weekly: [
          { days: [7], from: '22:00', to: '06:00' },
          { days: [1], from: '05:00', to: '09:00' },
        ],
      },
      ['overlapping-intervals'],
    ],
    [
      'a weekday named twice',
      { zone: 'UTC', weekly: [{ days: [3, 3], from: '09:00', to: '12:00' }] },
      ['overlapping-intervals'],
    ],
    [
      'exceptions that share time',
      {
        ...OFFICE,
        open: [
          { date: '2026-06-13', from: '09:00', to: '12:00' },
          { date: '2026-06-13', from: '10:00', to: '11:00' },
        ],
      },
      ['overlapping-intervals'],
    ],
    ['a date closed twice', { ...OFFICE, closed: ['2026-12-25', '2026-12-25'] }, ['closed-twice']],
    ['always, with hours', { zone: 'UTC', always: true, closed: ['2026-12-25'] }, ['always-with-hours']],
  ])('is judged before it is defined: %s', (_, definition, problems) => {
    expect(codes(definition)).toEqual(problems);
  });
});

describe('a deadline in days', () => {
  test('counts only later dates that open, whatever part of the day of receipt is left', () => {
    const c = calendar({ ...OFFICE, closed: ['2026-06-09'] });
    expect(c.businessDeadline(instant('2026-06-08T04:00:00Z'), 2)).toEqual({
      date: '2026-06-11',
      due: '2026-06-11T21:00:00Z',
    });
    expect(() => c.businessDays(instant('2026-06-08T04:00:00Z'), 0)).toThrow(RangeError);
  });

  test('leaves out a date whose hours fall into the gap of the clocks', () => {
    const night = calendar({ zone: 'America/New_York', weekly: [{ days: [7], from: '02:10', to: '02:50' }] });
    expect(night.businessDeadline(instant('2026-03-01T12:00:00Z'), 1).date).toBe('2026-03-15');
  });

  test('in civil time ends with the last second of its last day', () => {
    expect(calendarPeriod('Europe/Berlin', instant('2026-01-31T10:00:00Z'), { months: 1 })).toEqual({
      lastDay: '2026-02-28',
      due: '2026-02-28T22:59:59Z',
    });
    expect(calendarPeriod('UTC', instant('2026-12-31T10:00:00Z'), { months: 14 }).lastDay).toBe('2028-02-29');
    expect(calendarPeriod('UTC', instant('2026-12-31T10:00:00Z'), { weeks: 1 }).lastDay).toBe('2027-01-07');
  });

  test('warns after a share of the real time, rounded up', () => {
    expect(warningInDays(1000, 1010, [3, 4])).toBe(1008);
  });
});
