import { describe, expect, test } from '@jest/globals';
import { instant, type Instant } from '#kernel';
import { compileCalendar } from '../calendar/compile.js';
import type { CalendarDefinition } from '../calendar/calendar.js';
import { foldClock, type Clock, type ClockFact } from './clock.js';
import { ledger, type BreachOnRecord, type LedgerLine, type Sourced } from './ledger.js';

const HOUR = 3600;
const calendar = (ref: string, definition: CalendarDefinition) =>
  compileCalendar(ref, [{ effective: -Infinity, definition }]);

/** Monday to Friday, eight hours a day; Wednesday 10 June 2026 is a holiday. 8 June 2026 was a Monday. */
const office = calendar('office@1', {
  zone: 'UTC',
  weekly: [{ days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' }],
  closed: ['2026-06-10'],
});
const always = calendar('always@1', { zone: 'UTC', always: true });

/** `8 14:00`: on the eighth of June 2026. */
const at = (text: string): Instant => {
  const [day = '', time = ''] = text.split(' ');
  return instant(`2026-06-${day.padStart(2, '0')}T${time.length === 5 ? `${time}:00` : time}Z`);
};

/** Each fact's source is its type, with its instant where several are alike. */
const facts = (...given: readonly (ClockFact & { called?: string })[]): readonly Sourced<string>[] =>
  given.map(({ called, ...fact }) => ({ ...fact, source: called ?? fact.type }));

const start = (when: string, hours: number, by = office): ClockFact => ({
  type: 'start',
  at: at(when),
  target: hours * HOUR,
  calendar: by,
});
const pause = (when: string, reason: 'requester' | 'vendor' = 'requester', called = 'pause') =>
  ({ type: 'pause', at: at(when), reason, called }) as const;
const resume = (when: string, reason: 'requester' | 'vendor' = 'requester', called = 'resume') =>
  ({ type: 'resume', at: at(when), reason, called }) as const;

const hours = (seconds: number): string => {
  const of = Math.abs(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${Math.floor(of / HOUR)}:${two(Math.floor((of % HOUR) / 60))}`;
  return `${seconds < 0 ? '-' : ''}${time}${of % 60 === 0 ? '' : `:${two(of % 60)}`}`;
};
const day = (when: Instant): string =>
  `${Number(when.slice(8, 10))} ${when.slice(11, when.endsWith(':00Z') ? 16 : 19)}`;

/** A line as one reads it: when, what, counted, sum; a `>` before what lies ahead, and behind it what it follows from. */
function told(line: LedgerLine<string>): string {
  const when = line.from === line.to ? day(line.from) : `${day(line.from)} – ${day(line.to)}`;
  const reasons = 'reasons' in line && line.reasons.map(({ reason, source }) => `${reason} by ${source}`);
  const more = [
    'date' in line && line.date,
    'reasons' in line && `${String(reasons)}, ${hours(line.open)} open`,
    'mode' in line && `${line.mode} to ${hours(line.target)}`,
    'cause' in line && `by ${line.cause}`,
    'state' in line && line.state,
  ]
    .filter(Boolean)
    .map((text) => ` ${text}`)
    .join('');
  const cycle = line.cycle === 1 ? '' : ` (${line.cycle})`;
  return `${line.ahead ? '> ' : ''}${when} ${line.kind}${more} ${hours(line.counted)} = ${hours(line.sum)}${cycle} ${line.source ?? 'nothing yet'}`;
}

function explained(
  given: readonly Sourced<string>[],
  until: string,
  recorded: readonly BreachOnRecord<string>[] = [],
): { readonly lines: readonly string[]; readonly clock: Clock } {
  const { clock, lines } = ledger(given, at(until), recorded);
  expect(clock).toEqual(foldClock(given, at(until)));
  return { clock, lines: lines.map(told) };
}

describe('the ledger of a clock', () => {
  test('counts a pause across closing time by what it shares with open hours, never by its length', () => {
    const { clock, lines } = explained(
      facts(start('8 14:00', 8), pause('8 16:00'), resume('9 10:00')),
      '9 12:00',
    );
    // 2 h on Monday; the pause of 18 h takes 1 h of Monday and 1 h of Tuesday; 2 h until noon; 4 h are left,
    // so it is due at 16:00.
    expect(lines).toEqual([
      '8 14:00 started 0:00 = 0:00 start',
      '8 14:00 – 8 16:00 open 2:00 = 2:00 start',
      '8 16:00 – 9 10:00 paused requester by pause, 2:00 open 0:00 = 2:00 pause',
      '9 10:00 – 9 12:00 open 2:00 = 4:00 resume',
      '> 9 12:00 – 9 16:00 open 4:00 = 8:00 resume',
    ]);
    expect(clock.due).toBe(at('9 16:00'));
  });

  test('tells the night from a holiday, and goes on to the due instant', () => {
    const { clock, lines } = explained(facts(start('9 16:00', 2)), '9 16:30');
    // Half an hour is gone, half an hour is left of Tuesday, Wednesday is closed, the last hour is Thursday's first.
    expect(lines).toEqual([
      '9 16:00 started 0:00 = 0:00 start',
      '9 16:00 – 9 16:30 open 0:30 = 0:30 start',
      '> 9 16:30 – 9 17:00 open 0:30 = 1:00 start',
      '> 9 17:00 – 10 09:00 closed 0:00 = 1:00 start',
      '> 10 09:00 – 10 17:00 holiday 2026-06-10 0:00 = 1:00 start',
      '> 10 17:00 – 11 09:00 closed 0:00 = 1:00 start',
      '> 11 09:00 – 11 10:00 open 1:00 = 2:00 start',
    ]);
    expect(clock.due).toBe(at('11 10:00'));
  });

  test('used up at closing time it is due there, and the evening after is past it', () => {
    const { clock, lines } = explained(
      facts(start('8 13:00', 4), { type: 'stop', at: at('8 23:00') }),
      '12 00:00',
    );
    expect(lines).toEqual([
      '8 13:00 started 0:00 = 0:00 start',
      '8 13:00 – 8 17:00 open 4:00 = 4:00 start',
      '8 17:00 breached 0:00 = 4:00 nothing yet',
      '8 17:00 – 8 23:00 closed 0:00 = 4:00 start',
      '8 23:00 ended missed 0:00 = 4:00 stop',
    ]);
    expect(clock.consumed).toBe(4 * HOUR);
  });

  test('a night shift in which clocks go forward counts seven hours', () => {
    const shift = calendar('night@1', {
      zone: 'America/New_York',
      weekly: [{ days: [6, 7], from: '22:00', to: '06:00' }],
    });
    const from = instant('2026-03-08T03:00:00Z'); // Saturday 22:00, five hours behind UTC.
    const { clock, lines } = ledger(
      facts({ type: 'start', at: from, target: 8 * HOUR, calendar: shift }),
      instant('2026-03-08T12:00:00Z'),
    );
    // 22:00 to 06:00 with an hour that there is not: 03:00Z to 10:00Z. The eighth hour is Sunday's, four behind.
    expect(
      lines.map(({ from, to, kind, counted, ahead }) => [
        from.slice(5, 16),
        to.slice(5, 16),
        kind,
        counted / HOUR,
        ahead,
      ]),
    ).toEqual([
      ['03-08T03:00', '03-08T03:00', 'started', 0, false],
      ['03-08T03:00', '03-08T10:00', 'open', 7, false],
      ['03-08T10:00', '03-08T12:00', 'closed', 0, false],
      ['03-08T12:00', '03-09T02:00', 'closed', 0, true],
      ['03-09T02:00', '03-09T03:00', 'open', 1, true],
    ]);
    expect(clock.due).toBe('2026-03-09T03:00:00Z');
  });

  test('names each reason of a pause and who gave it, and starts a line where the reasons change', () => {
    const { lines } = explained(
      facts(
        pause('8 08:00', 'vendor', 'early'),
        start('8 09:00', 8),
        pause('8 10:00', 'requester', 'ask'),
        pause('8 10:30', 'requester', 'ask again'),
        resume('8 11:00', 'vendor', 'back'),
        resume('8 12:00', 'requester', 'answer'),
        resume('8 13:00', 'requester', 'answer again'),
      ),
      '8 14:00',
    );
    expect(lines).toEqual([
      '8 09:00 started 0:00 = 0:00 start',
      '8 09:00 – 8 10:00 paused vendor by early, 1:00 open 0:00 = 0:00 early',
      '8 10:00 – 8 11:00 paused vendor by early,requester by ask, 1:00 open 0:00 = 0:00 early',
      '8 11:00 – 8 12:00 paused requester by ask, 1:00 open 0:00 = 0:00 ask',
      '8 12:00 – 8 14:00 open 2:00 = 2:00 answer',
      '> 8 14:00 – 8 17:00 open 3:00 = 5:00 answer',
      '> 8 17:00 – 9 09:00 closed 0:00 = 5:00 answer',
      '> 9 09:00 – 9 12:00 open 3:00 = 8:00 answer',
    ]);
  });

  test.each<[string, ClockFact, string, string]>([
    // 4 h are consumed by 13:00.
    [
      'keeps',
      { type: 'retarget', at: at('8 13:00'), target: 6 * HOUR, mode: 'keep' },
      '0:00 = 4:00',
      '8 15:00',
    ],
    // Half of 6 h: 3 h are consumed, 3 h are left.
    [
      'scales',
      { type: 'retarget', at: at('8 13:00'), target: 6 * HOUR, mode: 'proportional' },
      '-1:00 = 3:00',
      '8 16:00',
    ],
    // From nothing: 2 h are left to 15:00.
    [
      'wipes',
      { type: 'retarget', at: at('8 13:00'), target: 2 * HOUR, mode: 'restart' },
      '-4:00 = 0:00',
      '8 15:00',
    ],
    // Around the clock from 07:00 on, 6 h are consumed by 13:00, of 9 h three are left.
    [
      'counts again',
      { type: 'retarget', at: at('8 13:00'), target: 9 * HOUR, calendar: always, mode: 'retroactive' },
      '2:00 = 6:00',
      '8 16:00',
    ],
  ])('a re-target that %s what was consumed says so in its own line', (_, retarget, sums, due) => {
    const { clock, lines } = explained(facts(start('8 07:00', 8), retarget), '8 14:00');
    const line = lines.find((text) => text.includes('retargeted'))!;
    expect(line).toContain(sums);
    expect(clock.due).toBe(at(due));
    expect(lines.at(-1)).toMatch(/^> .* retarget$/);
    expect(lines.at(-1)).toContain(`– ${due} open`);
  });

  test('re-targeted while paused with nothing left, it is due at the resume', () => {
    const given = [
      start('8 09:00', 8),
      pause('8 12:00'),
      { type: 'retarget', at: at('8 13:00'), target: 2 * HOUR, mode: 'keep' } as const,
    ];
    const paused = explained(facts(...given), '8 14:00');
    expect(paused.clock.due).toBeNull();
    expect(paused.lines.at(-1)).toBe(
      '8 13:00 – 8 14:00 paused requester by pause, 1:00 open 0:00 = 3:00 pause',
    );
    const resumed = explained(facts(...given, resume('8 14:00')), '8 14:30');
    expect(resumed.clock.breachedAt).toBe(at('8 14:00'));
    expect(resumed.lines.slice(-2)).toEqual([
      '8 14:00 breached 0:00 = 3:00 nothing yet',
      '8 14:00 – 8 14:30 open 0:30 = 3:30 resume',
    ]);
  });

  test('reopened in time it goes on, and what lay between counts nothing', () => {
    const { lines } = explained(
      facts(
        start('8 09:00', 4),
        { type: 'stop', at: at('8 11:00') },
        { type: 'reopen', at: at('8 15:00'), mode: 'resume' },
      ),
      '8 16:00',
    );
    expect(lines).toEqual([
      '8 09:00 started 0:00 = 0:00 start',
      '8 09:00 – 8 11:00 open 2:00 = 2:00 start',
      '8 11:00 ended met 0:00 = 2:00 stop',
      '8 11:00 – 8 15:00 rested 0:00 = 2:00 stop',
      '8 15:00 reopened 0:00 = 2:00 reopen',
      '8 15:00 – 8 16:00 open 1:00 = 3:00 reopen',
      '> 8 16:00 – 8 17:00 open 1:00 = 4:00 reopen',
    ]);
  });

  test('restarted it begins a cycle of its own, and the breach stays with the one before', () => {
    const { clock, lines } = explained(
      facts(
        start('8 09:00', 1),
        { type: 'stop', at: at('8 11:00') },
        { type: 'reopen', at: at('9 09:00'), mode: 'restart' },
      ),
      '9 09:30',
      [{ cycle: 1, due: at('8 10:00'), source: 'breach', annulled: null }],
    );
    expect(lines).toEqual([
      '8 09:00 started 0:00 = 0:00 start',
      '8 09:00 – 8 10:00 open 1:00 = 1:00 start',
      '8 10:00 breached 0:00 = 1:00 breach',
      '8 10:00 – 8 11:00 open 1:00 = 2:00 start',
      '8 11:00 ended missed 0:00 = 2:00 stop',
      '8 11:00 – 9 09:00 rested 0:00 = 2:00 stop',
      '9 09:00 restarted 0:00 = 0:00 (2) reopen',
      '9 09:00 – 9 09:30 open 0:30 = 0:30 (2) reopen',
      '> 9 09:30 – 9 10:00 open 0:30 = 1:00 (2) reopen',
    ]);
    expect(clock).toMatchObject({ cycle: 2, consumed: HOUR / 2, breachedAt: null });
  });

  test('met, it still says where its due would have been', () => {
    const { lines } = explained(facts(start('8 16:00', 2), { type: 'stop', at: at('8 16:30') }), '20 00:00');
    expect(lines).toEqual([
      '8 16:00 started 0:00 = 0:00 start',
      '8 16:00 – 8 16:30 open 0:30 = 0:30 start',
      '8 16:30 ended met 0:00 = 0:30 stop',
      '> 8 16:30 – 8 17:00 open 0:30 = 1:00 stop',
      '> 8 17:00 – 9 09:00 closed 0:00 = 1:00 stop',
      '> 9 09:00 – 9 10:00 open 1:00 = 2:00 stop',
    ]);
  });

  test.each(['not-applicable', 'not-evidenced', 'merged'] as const)('ended %s it has no line ahead', (as) => {
    const when = as === 'not-evidenced' ? '8 09:00' : '8 11:00';
    const { lines } = explained(facts(start('8 09:00', 4), { type: 'end', at: at(when), as }), '20 00:00');
    expect(lines.at(-1)).toMatch(new RegExp(`^${when} ended ${as} `));
  });

  test('a breach that a late fact made untrue stands with what annulled it', () => {
    // Breached at 10:00 on the record; then it became known that the customer had been asked at 09:30.
    const { clock, lines } = explained(
      facts(start('8 09:00', 1), pause('8 09:30', 'requester', 'late')),
      '8 12:00',
      [{ cycle: 1, due: at('8 10:00'), source: 'breach', annulled: { source: 'annulment', cause: 'held' } }],
    );
    expect(lines).toEqual([
      '8 09:00 started 0:00 = 0:00 start',
      '8 09:00 – 8 09:30 open 0:30 = 0:30 start',
      '8 09:30 – 8 10:00 paused requester by late, 0:30 open 0:00 = 0:30 late',
      '8 10:00 breached 0:00 = 0:30 breach',
      '8 10:00 annulled by held 0:00 = 0:30 annulment',
      '8 10:00 – 8 12:00 paused requester by late, 2:00 open 0:00 = 0:30 late',
    ]);
    expect(clock).toMatchObject({ breachedAt: null, due: null });
  });

  test('a breach stays, whatever is promised or paused afterwards', () => {
    const { clock, lines } = explained(
      facts(start('8 09:00', 1), pause('8 11:00'), {
        type: 'retarget',
        at: at('8 12:00'),
        target: 9 * HOUR,
        mode: 'keep',
      }),
      '8 13:00',
    );
    expect(lines.filter((line) => line.includes('breached'))).toEqual([
      '8 10:00 breached 0:00 = 1:00 nothing yet',
    ]);
    expect(clock).toMatchObject({ due: at('8 10:00'), breachedAt: at('8 10:00'), state: 'paused' });
  });

  test('goes on as the clock of another ticket with what that one had consumed', () => {
    const other = foldClock([start('8 09:00', 4)], at('8 11:00'));
    const { clock, lines } = explained(
      facts(start('8 10:00', 8), { type: 'adopt', at: at('8 12:00'), clock: other }),
      '8 12:30',
    );
    // Its own 2 h fall away; the other's 2 h and the hour until the merge are 3 h of 4.
    expect(lines).toEqual([
      '8 10:00 started 0:00 = 0:00 start',
      '8 10:00 – 8 12:00 open 2:00 = 2:00 start',
      '8 12:00 adopted 1:00 = 3:00 adopt',
      '8 12:00 – 8 12:30 open 0:30 = 3:30 adopt',
      '> 8 12:30 – 8 13:00 open 0:30 = 4:00 adopt',
    ]);
    expect(clock.due).toBe(at('8 13:00'));
  });

  test('before a calendar is in force nothing counts', () => {
    const late = compileCalendar('late@1', [
      { effective: Date.parse(at('8 12:00')) / 1000, definition: { zone: 'UTC', always: true } },
    ]);
    const { lines } = explained(facts(start('8 09:00', 1, late)), '8 12:00');
    expect(lines).toEqual([
      '8 09:00 started 0:00 = 0:00 start',
      '8 09:00 – 8 12:00 outside-calendar 0:00 = 0:00 start',
      '> 8 12:00 – 8 13:00 open 1:00 = 1:00 start',
    ]);
  });

  test('a year without a change is as exact as an hour', () => {
    const { clock, lines } = explained(facts(start('8 09:00', 3000)), '8 09:00');
    const last = lines.at(-1)!;
    expect(last).toContain(' = 3000:00 start');
    // 375 days of eight hours: with one holiday 376 weekdays from 8 June 2026 on, 75 weeks and a day.
    expect(clock.due).toBe('2027-11-15T17:00:00Z');
    expect(lines.length).toBeGreaterThan(700);
  });
});
