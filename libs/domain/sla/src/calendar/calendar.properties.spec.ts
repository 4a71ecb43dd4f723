import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { definitions, intlClock, openMinutes, TWENTY_ZONES, type LocalClock } from '#domain/sla/testing';
import { TZDB, TZDB_VERSIONS, zoneOf } from '../zones/zones.js';
import { formatDate } from '../zones/local.js';
import { CalendarNeverOpens, type Calendar, type CalendarDefinition } from './calendar.js';
import { compileCalendar } from './compile.js';

const DAY = 86_400;
const MINUTE = 60;
const HORIZON = 30 * 365.25 * DAY;

/** Stretches of four days, most of them around a change of the zone's clocks. */
const START = Date.UTC(2005, 0, 1) / 1000;
const END = Date.UTC(2060, 0, 1) / 1000;
function starts(zone: string): fc.Arbitrary<number> {
  const changes: number[] = [];
  for (
    let at = zoneOf(zone, rules).nextTransition(START);
    at < END;
    at = zoneOf(zone, rules).nextTransition(at)
  )
    changes.push(at);
  const anywhere = fc.integer({ min: START / MINUTE, max: END / MINUTE }).map((minute) => minute * MINUTE);
  if (changes.length === 0) return anywhere;
  const near = fc
    .record({ change: fc.constantFrom(...changes), before: fc.integer({ min: 0, max: 3 * 24 * 60 }) })
    .map(({ change, before }) => Math.floor(change / MINUTE - before) * MINUTE);
  return fc.oneof({ weight: 4, arbitrary: near }, { weight: 1, arbitrary: anywhere });
}

// Computed by the rules that this Node's Intl has; where no table has them, the wall clock is read from ours.
const here = process.versions.tz ?? '';
const rules = TZDB_VERSIONS.includes(here) ? here : TZDB;
const clocks = new Map<string, LocalClock>();
function clockOf(name: string): LocalClock {
  let clock = clocks.get(name);
  if (!clock) {
    const zone = zoneOf(name, rules);
    clock = rules === here ? intlClock(name) : (at) => at + zone.offsetAt(at);
    clocks.set(name, clock);
  }
  return clock;
}

const compiled = (definition: CalendarDefinition): Calendar =>
  compileCalendar('c', [{ effective: -Infinity, definition }], rules);

const cases = fc.constantFrom(...TWENTY_ZONES).chain((zone) =>
  starts(zone).chain((start) => {
    const around = [-1, 0, 1, 2, 3, 4].map((day) => formatDate(Math.floor(start / DAY) + day));
    return fc.record({
      start: fc.constant(start),
      length: fc.integer({ min: 1, max: 4 * 24 * 60 }),
      definition: definitions(zone, around),
    });
  }),
);

describe('a calendar', () => {
  test('agrees with a walk minute by minute along the wall clock, in twenty zones', () => {
    fc.assert(
      fc.property(cases, ({ start, length, definition }) => {
        const calendar = compiled(definition);
        const isOpen = openMinutes(definition, clockOf(definition.zone), start);
        let open = 0;
        for (let minute = 0; minute < length; minute++) {
          if (isOpen()) {
            open += MINUTE;
            // Where the walk first has so much, there reach says it is.
            if (minute % 97 === 0) expect(calendar.reach(start, open)).toBe(start + (minute + 1) * MINUTE);
          }
        }
        expect(calendar.openSeconds(start, start + length * MINUTE)).toBe(open);
      }),
      { numRuns: 60 },
    );
  });

  test('reaches a need at the earliest instant, and open seconds take it back', () => {
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 1, max: 10 * DAY }),
        fc.integer({ min: 0, max: 59 }),
        ({ start, definition }, need, second) => {
          const calendar = compiled(definition);
          const from = start + second;
          if (calendar.openSeconds(from, from + HORIZON) < need) {
            expect(() => calendar.reach(from, need)).toThrow(CalendarNeverOpens);
            return;
          }
          const reached = calendar.reach(from, need);
          expect(calendar.openSeconds(from, reached)).toBe(need);
          expect(calendar.openSeconds(from, reached - 1)).toBe(need - 1);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('counts every second of a span once, wherever it is cut', () => {
    fc.assert(
      fc.property(
        cases,
        fc.array(fc.integer({ min: 0, max: 900 * DAY }), { minLength: 1, maxLength: 6 }),
        ({ start, definition }, cuts) => {
          const calendar = compiled(definition);
          const points = [0, ...cuts.sort((a, b) => a - b), 900 * DAY].map((cut) => start + cut);
          const parts = points.slice(1).map((to, i) => calendar.openSeconds(points[i]!, to));
          expect(parts.reduce((a, b) => a + b, 0)).toBe(calendar.openSeconds(start, start + 900 * DAY));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('with versions is open as the version in force says, before, between and after', () => {
    fc.assert(
      fc.property(
        cases,
        cases,
        fc.integer({ min: 0, max: 4 * 24 * 60 }),
        ({ start, length, definition: first }, { definition: second }, minute) => {
          const effective = start + minute * MINUTE;
          const to = start + length * MINUTE;
          const both = compileCalendar(
            'c',
            [
              { effective: -Infinity, definition: first },
              { effective, definition: second },
            ],
            rules,
          );
          expect(both.openSeconds(start, to)).toBe(
            compiled(first).openSeconds(start, Math.min(to, effective)) +
              compiled(second).openSeconds(Math.max(start, effective), to),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test('tells its lines without a hole, the open ones as a walk along the wall clock finds them', () => {
    fc.assert(
      fc.property(cases, ({ start, length, definition }) => {
        const to = start + length * MINUTE;
        const lines = compiled(definition).lines(start, to);
        expect(lines[0]!.from).toBe(start);
        expect(lines.at(-1)!.to).toBe(to);
        for (const [i, line] of lines.entries()) {
          expect(line.to).toBeGreaterThan(line.from);
          if (i > 0) expect(line.from).toBe(lines[i - 1]!.to);
        }
        const isOpen = openMinutes(definition, clockOf(definition.zone), start);
        // What the dates' being closed takes away is what the same hours without them would have opened.
        const wouldBe = openMinutes({ ...definition, closed: [] }, clockOf(definition.zone), start);
        for (let minute = 0, i = 0; minute < length; minute++) {
          while (lines[i]!.to <= start + minute * MINUTE) i++;
          const open = isOpen();
          const kind = open ? 'open' : wouldBe() ? 'holiday' : 'closed';
          if (open) wouldBe();
          expect(lines[i]!.kind).toBe(kind);
        }
      }),
      { numRuns: 60 },
    );
  });
});
