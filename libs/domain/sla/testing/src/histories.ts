import { compileCalendar, HOLD_REASONS, type Calendar, type ClockFact, type RetargetMode } from '#domain/sla';
import { toInstant, type EpochSeconds, type Instant } from '#kernel';
import fc from 'fast-check';
import { definitions, TWENTY_ZONES } from './arbitrary.js';

const HOUR = 3600;
const DAY = 86_400;
const DATES = ['2026-03-27', '2026-03-28', '2026-03-29', '2026-03-30'];
const SPAN = 5 * DAY;

/** Around when clocks go forward in Europe. */
export const SPRING: EpochSeconds = Date.UTC(2026, 2, 27) / 1000;

/** Compiled, in twenty zones; open for at least 20 hours from SPRING on. */
export const calendars: fc.Arbitrary<Calendar> = fc
  .constantFrom(...TWENTY_ZONES)
  .chain((zone) => definitions(zone, DATES))
  .map((definition) => compileCalendar('c', [{ effective: -Infinity, definition }]))
  // A calendar of exceptions alone may have nothing left to reach.
  .filter((calendar) => calendar.openSeconds(SPRING, SPRING + 60 * DAY) > 20 * HOUR);

type Step = (at: Instant) => ClockFact;

function steps(targets: fc.Arbitrary<number>, modes: readonly RetargetMode[]): fc.Arbitrary<Step> {
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
          calendar: fc.option(calendars, { nil: undefined }),
          mode: fc.constantFrom(...modes),
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

export interface ClockHistory {
  /** The first is the start; in order. */
  readonly facts: readonly ClockFact[];
  /** May lie before some of them. */
  readonly until: Instant;
}

/**
 * What happens to one clock within five days, all instants multiples of so many seconds.
 *
 * @param modes of its re-targets
 */
export function clockHistories(
  unit: 1 | 60,
  modes: readonly RetargetMode[] = ['keep', 'retroactive', 'restart'],
): fc.Arbitrary<ClockHistory> {
  const targets = fc.integer({ min: 1, max: (20 * HOUR) / unit }).map((units) => units * unit);
  const within = (span: number): fc.Arbitrary<number> =>
    fc.integer({ min: 0, max: span / unit }).map((units) => units * unit);
  return fc
    .record({
      calendar: calendars,
      target: targets,
      begin: within(DAY),
      steps: fc.array(fc.record({ after: within(SPAN), step: steps(targets, modes) }), { maxLength: 8 }),
      until: within(SPAN),
    })
    .map(({ calendar, target, begin, steps, until }) => {
      const from = SPRING + begin;
      const facts: ClockFact[] = [
        { type: 'start', at: toInstant(from), target, calendar },
        ...steps.sort((a, b) => a.after - b.after).map(({ after, step }) => step(toInstant(from + after))),
      ];
      return { facts, until: toInstant(from + until) };
    });
}
