import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toInstant, toSeconds, type EpochSeconds, type Instant } from '#kernel';
import { definitions, TWENTY_ZONES } from '#domain/sla/testing';
import type { Calendar } from '../calendar/calendar.js';
import { compileCalendar } from '../calendar/compile.js';
import { HOLD_REASONS } from './clock-events.js';
import { foldClock, type Clock, type ClockFact } from './clock.js';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const SPRING = Date.UTC(2026, 2, 27) / 1000;
const DATES = ['2026-03-27', '2026-03-28', '2026-03-29', '2026-03-30'];
const SPAN = 5 * DAY;

type Step = (at: Instant) => ClockFact;

const calendars = fc
  .constantFrom(...TWENTY_ZONES)
  .chain((zone) => definitions(zone, DATES))
  .map((definition) => compileCalendar('c', [{ effective: -Infinity, definition }]))
  // A calendar of exceptions alone may have nothing left to reach.
  .filter((calendar) => calendar.openSeconds(SPRING, SPRING + 60 * DAY) > 20 * HOUR);
const targets = fc.integer({ min: 1, max: 20 * 60 }).map((minutes) => minutes * MINUTE);

/** Steps of which the minute walk below knows the meaning. */
function steps(others: fc.Arbitrary<Calendar>): fc.Arbitrary<Step> {
  const reason = fc.constantFrom(...HOLD_REASONS.slice(0, 2));
  return fc.oneof(
    { weight: 4, arbitrary: reason.map((reason): Step => (at) => ({ type: 'pause', at, reason })) },
    { weight: 4, arbitrary: reason.map((reason): Step => (at) => ({ type: 'resume', at, reason })) },
    { weight: 2, arbitrary: fc.constant<Step>((at) => ({ type: 'stop', at })) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom('resume' as const, 'restart' as const)
        .map((mode): Step => (at) => ({ type: 'reopen', at, mode })),
    },
    { weight: 1, arbitrary: fc.constant<Step>((at) => ({ type: 'end', at, as: 'not-applicable' })) },
    {
      weight: 3,
      arbitrary: fc
        .record({
          target: targets,
          calendar: fc.option(others, { nil: undefined }),
          mode: fc.constantFrom('keep' as const, 'retroactive' as const, 'restart' as const),
        })
        .map(({ calendar, ...change }): Step => (at) => ({
          type: 'retarget',
          at,
          ...change,
          ...(calendar && { calendar }),
        })),
    },
  );
}

const histories = fc
  .record({
    calendar: calendars,
    target: targets,
    begin: fc.integer({ min: 0, max: 24 * 60 }),
    steps: fc.array(
      fc.record({ minute: fc.integer({ min: 0, max: SPAN / MINUTE }), step: steps(calendars) }),
      { maxLength: 8 },
    ),
    until: fc.integer({ min: 0, max: SPAN / MINUTE }),
  })
  .map(({ calendar, target, begin, steps, until }) => {
    const from = SPRING + begin * MINUTE;
    const facts: ClockFact[] = [
      { type: 'start', at: toInstant(from), target, calendar },
      ...steps
        .sort((a, b) => a.minute - b.minute)
        .map(({ minute, step }) => step(toInstant(from + minute * MINUTE))),
    ];
    return { facts, until: toInstant(from + until * MINUTE) };
  });

/** The same clock by walking minute after minute, with nothing but whether the calendar is open in each. */
function walk(
  facts: readonly ClockFact[],
  until: Instant,
): Pick<Clock, 'state' | 'consumed' | 'breachedAt' | 'cycle'> {
  const [first, ...rest] = facts;
  if (first?.type !== 'start') throw new Error('a walk begins with the start');
  let { calendar, target } = first;
  let state: Clock['state'] = 'running';
  let cycle = 1;
  let breachedAt: EpochSeconds | null = null;
  let reasons = new Set<string>();
  /** Minutes in which it ran, and whether each counts. */
  let ran: { minute: EpochSeconds; counts: boolean }[] = [];
  const open = (minute: EpochSeconds): boolean => calendar.openSeconds(minute, minute + MINUTE) === MINUTE;
  const counted = (): number => ran.filter(({ counts }) => counts).length * MINUTE;
  let consumed = 0;
  for (let now = toSeconds(first.at); ; now += MINUTE) {
    while (rest[0] && toSeconds(rest[0].at) === now && rest[0].at <= until) {
      const fact = rest.shift()!;
      const live = state === 'running' || state === 'paused';
      if (fact.type === 'pause' && live) reasons.add(fact.reason);
      if (fact.type === 'resume' && live) reasons.delete(fact.reason);
      if ((fact.type === 'stop' || fact.type === 'end') && live) {
        state = fact.type === 'stop' ? 'stopped' : fact.as;
        reasons = new Set();
      }
      if (fact.type === 'reopen' && (fact.mode === 'restart' || !live)) {
        if (fact.mode === 'restart') {
          ran = [];
          breachedAt = null;
          cycle++;
        }
        state = 'running';
      }
      if (fact.type === 'retarget') {
        target = fact.target ?? target;
        calendar = fact.calendar ?? calendar;
        if (fact.mode === 'restart') ran = [];
        if (fact.mode === 'retroactive') ran = ran.map(({ minute }) => ({ minute, counts: open(minute) }));
      }
      consumed = counted();
      if (state === 'running' || state === 'paused') state = reasons.size > 0 ? 'paused' : 'running';
    }
    if (now >= toSeconds(until)) break;
    if (state !== 'running') continue;
    if (consumed >= target) breachedAt ??= now;
    const counts = open(now);
    ran.push({ minute: now, counts });
    if (counts) consumed += MINUTE;
  }
  return {
    state,
    consumed,
    breachedAt: breachedAt === null ? null : toInstant(breachedAt),
    cycle,
  };
}

describe('a clock', () => {
  test('agrees with a walk minute by minute', () => {
    fc.assert(
      fc.property(histories, ({ facts, until }) => {
        const { state, consumed, breachedAt, cycle } = foldClock(facts, until);
        expect({ state, consumed, breachedAt, cycle }).toEqual(walk(facts, until));
      }),
      { numRuns: 100 },
    );
  });

  test('is due at the earliest instant at which it has consumed its target', () => {
    fc.assert(
      fc.property(histories, ({ facts }) => {
        const clock = foldClock(facts);
        if (clock.state !== 'running' || clock.breachedAt !== null) return;
        const due = clock.due!;
        const left = clock.target - clock.consumed;
        const open = (to: number): number => clock.calendar.openSeconds(toSeconds(clock.asOf), to);
        expect(open(toSeconds(due))).toBe(Math.max(0, left));
        if (left > 0) expect(open(toSeconds(due) - 1)).toBe(left - 1);
        else expect(due).toBe(clock.asOf);
      }),
      { numRuns: 300 },
    );
  });

  test('has consumed the open time of the segments in which it ran', () => {
    fc.assert(
      fc.property(histories, ({ facts, until }) => {
        const { segments, consumed } = foldClock(facts, until);
        expect(
          segments.reduce((sum, { calendar, from, to }) => sum + calendar.openSeconds(from, to), 0),
        ).toBe(consumed);
        for (const [i, segment] of segments.slice(1).entries())
          expect(segment.from).toBeGreaterThanOrEqual(segments[i]!.to);
      }),
      { numRuns: 300 },
    );
  });

  test('does not depend on the order in which facts of different instants were recorded', () => {
    fc.assert(
      fc.property(
        histories.chain(({ facts, until }) => {
          const distinct = facts.filter(({ at }, i) => facts.findIndex((other) => other.at === at) === i);
          return fc.record({
            facts: fc.constant(distinct),
            shuffled: fc.shuffledSubarray(distinct, { minLength: distinct.length }),
            until: fc.constant(until),
          });
        }),
        ({ facts, shuffled, until }) => {
          expect(foldClock(shuffled, until)).toEqual(foldClock(facts, until));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('asked in between, it is what it was: looking changes nothing', () => {
    fc.assert(
      fc.property(histories, ({ facts, until }) => {
        const seen = foldClock(
          facts.filter(({ at }) => at <= until),
          until,
        );
        expect(foldClock(facts, until)).toEqual(seen);
      }),
      { numRuns: 200 },
    );
  });

  test('re-targeted with its consumption kept, it loses no second, and a breach stays', () => {
    fc.assert(
      fc.property(histories, calendars, targets, ({ facts, until }, calendar, target) => {
        const asked = facts.filter(({ at }) => at <= until);
        const before = foldClock(asked, until);
        const after = foldClock([...asked, { type: 'retarget', at: until, target, calendar, mode: 'keep' }]);
        expect(after.consumed).toBe(before.consumed);
        expect(after.breachedAt).toBe(before.breachedAt);
        expect(after.state).toBe(before.state);
        if (before.breachedAt !== null) expect(after.due).toBe(before.due);
      }),
      { numRuns: 200 },
    );
  });

  test('warns at the share of the target, rounded up, and before it is due', () => {
    fc.assert(
      fc.property(
        calendars,
        fc.integer({ min: 1, max: 20 * HOUR }),
        fc.integer({ min: 1, max: 20 }),
        (calendar, target, tenth) => {
          const warn = [[tenth, 20]] as const;
          const [warning] = foldClock([
            { type: 'start', at: toInstant(SPRING), target, calendar, warn },
          ]).warnings;
          const share = Math.ceil((target * tenth) / 20);
          expect(calendar.openSeconds(SPRING, toSeconds(warning!.at!))).toBe(share);
          expect(calendar.openSeconds(SPRING, toSeconds(warning!.at!) - 1)).toBe(share - 1);
        },
      ),
      { numRuns: 200 },
    );
  });
});
