import { describe, expect, it } from '@jest/globals';
import { closedDays, NotICalendar } from './index.js';

/** A file as calendars write them; each event's lines. */
const file = (...events: readonly (readonly string[])[]): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//test//EN',
    ...events.flatMap((lines, i) => ['BEGIN:VEVENT', `UID:${i}`, ...lines, 'END:VEVENT']),
    'END:VCALENDAR',
    '',
  ].join('\r\n');
const event = (date: string, ...more: readonly string[]): readonly string[] => [
  `DTSTART;VALUE=DATE:${date}`,
  'SUMMARY:Day off',
  ...more,
];
const dates = (text: string, from = '2026-01-01', to = '2029-12-31'): readonly string[] =>
  closedDays(text, from, to).days.map(({ date }) => date);

describe('The closed days of an iCalendar file', () => {
  it('are its all-day events, each date once, in order, with what they are called', () => {
    const text = file(
      [
        'SUMMARY:Christmas Day',
        'DTSTART;VALUE=DATE:20261225',
        'DTEND;VALUE=DATE:20261226',
        'TRANSP:TRANSPARENT',
      ],
      ['SUMMARY:Année\\, fériée', 'DTSTART;VALUE=DATE:20260101'],
      ['SUMMARY:Works outing', 'DTSTART;VALUE=DATE:20261225'],
    );
    expect(closedDays(text, '2026-01-01', '2026-12-31')).toEqual({
      days: [
        { date: '2026-01-01', called: ['Année, fériée'] },
        { date: '2026-12-25', called: ['Christmas Day', 'Works outing'] },
      ],
      leftOut: [],
    });
    expect(dates(`\uFEFF${text}`, '2026-12-01', '2026-12-31')).toEqual(['2026-12-25']);
  });

  it('are each day of an event of several, up to before its end, or for its duration', () => {
    // From Wednesday to before Saturday: three days.
    expect(dates(file(event('20261230', 'DTEND;VALUE=DATE:20270102')))).toEqual([
      '2026-12-30',
      '2026-12-31',
      '2027-01-01',
    ]);
    expect(dates(file(event('20261230', 'DURATION:P2D')))).toEqual(['2026-12-30', '2026-12-31']);
    expect(dates(file(event('20261230', 'DTEND;VALUE=DATE:20261230')))).toEqual(['2026-12-30']);
    expect(dates(file(event('20251230', 'DTEND;VALUE=DATE:20260103')))).toEqual(['2026-01-01', '2026-01-02']);
  });

  it('come again as the file says, but for those taken out or moved', () => {
    expect(dates(file(event('20201225', 'RRULE:FREQ=YEARLY')))).toEqual([
      '2026-12-25',
      '2027-12-25',
      '2028-12-25',
      '2029-12-25',
    ]);
    // The fourth Thursday of November.
    expect(dates(file(event('20241128', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20271201')))).toEqual([
      '2026-11-26',
      '2027-11-25',
    ]);
    expect(dates(file(event('20260501', 'RRULE:FREQ=YEARLY;COUNT=3', 'EXDATE;VALUE=DATE:20270501')))).toEqual(
      ['2026-05-01', '2028-05-01'],
    );
    expect(dates(file(event('20260501', 'RDATE;VALUE=DATE:20260601,20270601')))).toEqual([
      '2026-05-01',
      '2026-06-01',
      '2027-06-01',
    ]);
    const moved = file(event('20260501', 'RRULE:FREQ=YEARLY;COUNT=2')).replace(
      'END:VCALENDAR',
      [
        'BEGIN:VEVENT',
        'UID:0',
        'RECURRENCE-ID;VALUE=DATE:20270501',
        ...event('20270503'),
        'END:VEVENT',
        'END:VCALENDAR',
      ].join('\r\n'),
    );
    expect(dates(moved)).toEqual(['2026-05-01', '2027-05-03']);
  });

  it('are never a date that a rule runs over the end of its month to', () => {
    // The parser would say 1 March; RFC 5545 leaves the year out.
    expect(dates(file(event('20240229', 'RRULE:FREQ=YEARLY')), '2024-01-01', '2032-12-31')).toEqual([
      '2024-02-29',
      '2028-02-29',
      '2032-02-29',
    ]);
    const february = event('20260130', 'RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30');
    expect(dates(file(february)).filter((date) => date > '2026-02-01')).toEqual([]);
  });

  it('are none of an event with a time of day, nor of a cancelled one, and both are told', () => {
    const text = file(
      ['SUMMARY:Stand-up', 'DTSTART:20260105T090000Z', 'DTEND:20260105T091500Z'],
      ['SUMMARY:Called off', 'DTSTART;VALUE=DATE:20260106', 'STATUS:CANCELLED'],
      event('20260107'),
    );
    expect(closedDays(text, '2026-01-01', '2026-12-31')).toEqual({
      days: [{ date: '2026-01-07', called: ['Day off'] }],
      leftOut: [
        { called: 'Stand-up', because: 'not-all-day' },
        { called: 'Called off', because: 'cancelled' },
      ],
    });
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a page that says 404', '<html><body>Not found</body></html>'],
    ['JSON', '{"holidays": []}'],
    ['a business card', 'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:x\r\nEND:VCARD'],
    ['a file that breaks off', file(event('20260101')).slice(0, -30)],
    ['an event without a start', file(['SUMMARY:x'])],
    ['a month that there is not', file(event('20261301'))],
    ['a day that there is not', file(event('20260230'))],
    ['a date with dashes', file(event('2026-01-01'))],
    ['a date that does not say it is one', file(['SUMMARY:x', 'DTSTART:20260101'])],
    ['no date', file(event('soon'))],
    ['an end before the start', file(event('20260103', 'DTEND;VALUE=DATE:20260101'))],
    ['an end centuries later', file(event('20260101', 'DTEND;VALUE=DATE:99990101'))],
    ['a rule of no frequency', file(event('20260101', 'RRULE:FREQ=NEVER'))],
    ['an added day that there is not', file(event('20260101', 'RDATE;VALUE=DATE:20260230'))],
    [
      'a day taken out that there is not',
      file(event('20260101', 'RRULE:FREQ=YEARLY', 'EXDATE;VALUE=DATE:20260230')),
    ],
    ['a rule until a day that there is not', file(event('20260101', 'RRULE:FREQ=YEARLY;UNTIL=20271301'))],
    ['no rule', file(event('20260101', 'RRULE:nonsense'))],
    ['a rule without an end to it', file(event('19000101', 'RRULE:FREQ=DAILY'))],
  ])('are refused whole with %s, however good the rest is', (_, text) => {
    expect(() => closedDays(text, '2026-01-01', '2026-12-31')).toThrow(NotICalendar);
  });

  it('are refused whole where one event among good ones is wrong', () => {
    const text = file(event('20260101'), event('20260230'), event('20260102'));
    expect(() => closedDays(text, '2026-01-01', '2026-12-31')).toThrow(
      'the event "Day off" has no DTSTART that is a date',
    );
  });
});
