import { describe, expect, test } from '@jest/globals';
import { instant, type Instant } from '#kernel';
import { TZDB } from '../zones/zones.js';
import { compileCalendar } from '../calendar/compile.js';
import { ClockNotStarted, foldClock, type Clock, type ClockFact } from './clock.js';
import { survivorOf } from './merge.js';
import { nextResponseCycles, updateWindows } from './cycles.js';
import { fromRecord, toRecord } from './record.js';

const HOUR = 3600;
const office = compileCalendar('office@1', [
  {
    effective: -Infinity,
    definition: {
      zone: 'America/New_York',
      weekly: [{ days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' }],
    },
  },
]);
const always = compileCalendar('always@1', [
  { effective: -Infinity, definition: { zone: 'UTC', always: true } },
]);

/** 8 June 2026 was a Monday; the office is open from 13:00Z to 21:00Z. */
const at = (time: string, day = 8): Instant => instant(`2026-06-${String(day).padStart(2, '0')}T${time}Z`);
const start = (when = at('13:00:00'), target = 4 * HOUR): ClockFact => ({
  type: 'start',
  at: when,
  target,
  calendar: office,
});
const shape = ({ state, consumed, due, breachedAt }: Clock) => ({ state, consumed, due, breachedAt });

describe('a clock', () => {
  test('without a start is no clock, nor is it one before its start', () => {
    expect(() => foldClock([])).toThrow(ClockNotStarted);
    expect(() => foldClock([start()], at('12:59:59'))).toThrow(ClockNotStarted);
    expect(() => foldClock([start(), start()])).toThrow(/starts once/);
  });

  test('is a breach from the second after the due on, and met in the due second', () => {
    expect(foldClock([start()], at('17:00:00')).breachedAt).toBeNull();
    expect(foldClock([start()], at('17:00:01')).breachedAt).toBe(at('17:00:00'));
    expect(shape(foldClock([start(), { type: 'stop', at: at('17:00:00') }]))).toMatchObject({
      state: 'stopped',
      breachedAt: null,
    });
  });

  test('answered in the evening after a due at closing has missed, though no open second passed', () => {
    const clock = foldClock([start(at('17:00:00')), { type: 'stop', at: at('23:00:00') }]);
    expect(shape(clock)).toEqual({
      state: 'stopped',
      consumed: 4 * HOUR,
      due: at('21:00:00'),
      breachedAt: at('21:00:00'),
    });
  });

  test('takes facts behind the fold where they belong', () => {
    const late: ClockFact = { type: 'pause', at: at('14:00:00'), reason: 'requester' };
    const facts: ClockFact[] = [start(), { type: 'stop', at: at('18:00:00') }];
    expect(foldClock(facts).breachedAt).toBe(at('17:00:00'));
    const corrected = foldClock([...facts, late]);
    expect(shape(corrected)).toEqual({ state: 'stopped', consumed: HOUR, due: null, breachedAt: null });
  });

  test('paused before its start starts paused', () => {
    const clock = foldClock([
      { type: 'pause', at: at('12:00:00'), reason: 'vendor' },
      start(),
      { type: 'resume', at: at('15:00:00'), reason: 'vendor' },
    ]);
    expect(shape(clock)).toEqual({ state: 'running', consumed: 0, due: at('19:00:00'), breachedAt: null });
  });

  test('forgets its reasons when it stops, and a pause means nothing to it afterwards', () => {
    const clock = foldClock([
      start(),
      { type: 'pause', at: at('14:00:00'), reason: 'requester' },
      { type: 'stop', at: at('15:00:00') },
      { type: 'pause', at: at('16:00:00'), reason: 'vendor' },
      { type: 'reopen', at: at('17:00:00'), mode: 'resume' },
    ]);
    expect(clock.reasons).toEqual([]);
    expect(shape(clock)).toEqual({ state: 'running', consumed: HOUR, due: at('20:00:00'), breachedAt: null });
  });

  test.each(['not-applicable', 'merged'] as const)(
    'that ended %s is revived by a reopen, consumption kept',
    (as) => {
      const ended: ClockFact[] = [start(), { type: 'end', at: at('15:00:00'), as }];
      expect(shape(foldClock(ended, at('20:00:00', 20)))).toEqual({
        state: as,
        consumed: 2 * HOUR,
        due: null,
        breachedAt: null,
      });
      const revived = foldClock([...ended, { type: 'reopen', at: at('13:00:00', 9), mode: 'resume' }]);
      expect(shape(revived)).toEqual({
        state: 'running',
        consumed: 2 * HOUR,
        due: at('15:00:00', 9),
        breachedAt: null,
      });
    },
  );

  test('that ended with a breach keeps it', () => {
    const clock = foldClock([start(), { type: 'end', at: at('18:00:00'), as: 'merged' }]);
    expect(shape(clock)).toMatchObject({ state: 'merged', due: at('17:00:00'), breachedAt: at('17:00:00') });
  });

  test('ended at its start never was due', () => {
    const clock = foldClock(
      [start(), { type: 'end', at: at('13:00:00'), as: 'not-evidenced' }],
      at('13:00:00', 20),
    );
    expect(shape(clock)).toEqual({ state: 'not-evidenced', consumed: 0, due: null, breachedAt: null });
  });

  test('restarted counts its cycles, and its breach belongs to the cycle before', () => {
    const clock = foldClock([
      start(),
      { type: 'stop', at: at('18:00:00') },
      { type: 'reopen', at: at('13:00:00', 22), mode: 'restart' },
    ]);
    expect(clock).toMatchObject({ cycle: 2, startedAt: at('13:00:00', 22), consumed: 0, breachedAt: null });
    expect(clock.due).toBe(at('17:00:00', 22));
  });

  test('scales what it consumed exactly, beyond what a double holds', () => {
    const big = 3_000_000_001;
    const clock = foldClock([
      { type: 'start', at: instant('1990-01-01T00:00:00Z'), target: 900_000_000, calendar: always },
      { type: 'retarget', at: instant('2010-01-01T00:00:00Z'), target: big, mode: 'proportional' },
    ]);
    const consumed = (Date.UTC(2010, 0, 1) - Date.UTC(1990, 0, 1)) / 1000;
    expect(clock.consumed).toBe(Number((BigInt(consumed) * BigInt(big)) / 900_000_000n));
  });

  test('counts again in another calendar, without its pauses and without what a restart wiped out', () => {
    const clock = foldClock([
      start(at('13:00:00'), 8 * HOUR),
      { type: 'pause', at: at('14:00:00'), reason: 'requester' },
      { type: 'resume', at: at('16:00:00'), reason: 'requester' },
      { type: 'retarget', at: at('00:00:00', 9), target: 20 * HOUR, calendar: always, mode: 'retroactive' },
    ]);
    expect(clock.consumed).toBe(9 * HOUR);
    expect(clock.due).toBe(at('11:00:00', 9));
  });

  test('its consumption is the open time of its segments', () => {
    const clock = foldClock(
      [
        start(),
        { type: 'pause', at: at('14:00:00'), reason: 'requester' },
        { type: 'resume', at: at('16:00:00'), reason: 'requester' },
        { type: 'retarget', at: at('17:00:00'), calendar: always, mode: 'keep' },
      ],
      at('23:00:00'),
    );
    expect(clock.segments.map(({ calendar, from, to }) => calendar.openSeconds(from, to))).toEqual([
      HOUR,
      HOUR,
      6 * HOUR,
    ]);
    expect(clock.consumed).toBe(8 * HOUR);
  });
});

describe('a merge', () => {
  const running = foldClock([start(at('14:00:00'))], at('16:00:00'));
  const paused = foldClock(
    [start(), { type: 'pause', at: at('15:00:00'), reason: 'requester' }],
    at('16:00:00'),
  );
  const breached = foldClock([start(at('13:00:00'), HOUR)], at('16:00:00'));
  const stopped = foldClock(
    [start(at('13:00:00'), HOUR), { type: 'stop', at: at('13:30:00') }],
    at('16:00:00'),
  );

  test('ranks a paused clock by when it would be due if it ran on, and leaves ended ones out', () => {
    // The paused one has two hours left: due 18:00 like the running one; the lower id decides.
    const contenders = [
      { id: 'b', clock: running },
      { id: 'a', clock: paused },
      { id: '0', clock: stopped },
    ];
    expect(survivorOf(contenders, at('16:00:00'))?.id).toBe('a');
    expect(survivorOf([...contenders, { id: 'z', clock: breached }], at('16:00:00'))?.id).toBe('z');
    expect(survivorOf([{ id: '0', clock: stopped }], at('16:00:00'))).toBeNull();
  });

  test('the survivor goes on as the other clock, under its own reasons', () => {
    const survivor: ClockFact[] = [
      start(at('15:00:00'), 8 * HOUR),
      { type: 'pause', at: at('15:30:00'), reason: 'vendor' },
      { type: 'adopt', at: at('16:00:00'), clock: running },
      { type: 'resume', at: at('17:00:00'), reason: 'vendor' },
    ];
    const merged = foldClock(survivor);
    expect(merged.startedAt).toBe(at('14:00:00'));
    expect(shape(merged)).toEqual({
      state: 'running',
      consumed: 2 * HOUR,
      due: at('19:00:00'),
      breachedAt: null,
    });
  });

  test('the other clock known only by its record goes on as well, and can be counted again', () => {
    const joined = foldClock([
      start(at('14:00:00'), 10 * HOUR),
      { type: 'end', at: at('16:00:00'), as: 'merged' },
    ]);
    const record = toRecord('resolution', joined, 'ended', { ref: 'p@1' });
    const merged = foldClock([
      start(at('15:00:00'), 8 * HOUR),
      { type: 'adopt', at: at('16:00:00'), clock: fromRecord(record, office) },
      { type: 'retarget', at: at('22:00:00'), calendar: always, target: 20 * HOUR, mode: 'retroactive' },
    ]);
    // Two hours carried, six hours of real time since.
    expect(shape(merged)).toMatchObject({ state: 'running', consumed: 8 * HOUR, due: at('10:00:00', 9) });
  });

  test('a breach that is adopted stays one', () => {
    const merged = foldClock([start(at('15:00:00')), { type: 'adopt', at: at('16:00:00'), clock: breached }]);
    expect(shape(merged)).toMatchObject({ due: at('14:00:00'), breachedAt: at('14:00:00') });
  });
});

describe('a clock record', () => {
  test.each([
    ['running', [start()], 'running'],
    ['paused', [start(), { type: 'pause', at: at('14:00:00'), reason: 'requester' }], 'paused'],
    ['stopped in time', [start(), { type: 'stop', at: at('14:00:00') }], 'met'],
    ['stopped late', [start(), { type: 'stop', at: at('18:00:00') }], 'missed'],
    ['ended', [start(), { type: 'end', at: at('14:00:00'), as: 'not-applicable' }], 'not-applicable'],
  ] as [string, ClockFact[], string][])(
    'says of a clock %s what became of the promise',
    (_, facts, state) => {
      const record = toRecord('resolution', foldClock(facts), 'started', { ref: 'default@1' });
      expect(record).toMatchObject({
        clock: 'resolution',
        state,
        policy: 'default@1',
        calendar: 'office@1',
        zone: 'America/New_York',
        tzdb: TZDB,
      });
    },
  );
});

describe('promises that come again', () => {
  const promised = { calendar: office, target: HOUR };

  test('an automatic answer answers nothing, and an automatic message asks nothing', () => {
    const message = { public: true, autoReply: false };
    const cycles = nextResponseCycles(
      [
        { ...message, at: at('13:00:00'), by: 'customer', autoReply: true },
        { ...message, at: at('13:30:00'), by: 'customer' },
        { ...message, at: at('13:40:00'), by: 'agent', autoReply: true },
        { ...message, at: at('13:50:00'), by: 'agent', public: false },
      ],
      promised,
    );
    expect(cycles).toEqual([
      { startedAt: at('13:30:00'), due: at('14:30:00'), answeredAt: null, consumed: null, outcome: 'open' },
    ]);
  });

  test('an update window is open while work goes on', () => {
    expect(updateWindows(at('13:00:00'), [at('13:30:00')], null, promised)).toEqual([
      { from: at('13:00:00'), due: at('14:00:00'), updatedAt: at('13:30:00'), outcome: 'met' },
      { from: at('13:30:00'), due: at('14:30:00'), updatedAt: null, outcome: 'open' },
    ]);
  });
});
