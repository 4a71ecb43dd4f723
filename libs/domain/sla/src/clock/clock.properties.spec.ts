import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toInstant, toSeconds, type EpochSeconds, type Instant } from '#kernel';
import { calendars, clockHistories, SPRING } from '#domain/sla/testing';
import { foldClock, type Clock, type ClockFact } from './clock.js';

const MINUTE = 60;
const HOUR = 3600;

const targets = fc.integer({ min: 1, max: 20 * 60 }).map((minutes) => minutes * MINUTE);
/** All of it in whole minutes, so that the walk below can meet it. */
const histories = clockHistories(MINUTE);

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
