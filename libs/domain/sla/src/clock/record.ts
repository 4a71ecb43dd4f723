import type { Calendar } from '../calendar/calendar.js';
import type { Clock } from './clock.js';
import type { ClockName, ClockRecord } from './clock-events.js';

/** The form in which facts hold a clock: it names its policy and calendar by reference. */
export function toRecord(
  name: ClockName,
  clock: Clock,
  change: ClockRecord['change'],
  policy: { readonly ref: string },
): ClockRecord {
  return {
    clock: name,
    cycle: clock.cycle,
    change,
    state: recordedState(clock),
    startedAt: clock.startedAt,
    target: clock.target,
    consumed: clock.consumed,
    asOf: clock.asOf,
    due: clock.due,
    reasons: clock.reasons,
    breachedAt: clock.breachedAt,
    ...(clock.warnings.length > 0 && {
      warnings: clock.warnings.map(({ fraction: [numerator, denominator], at }) => ({
        numerator,
        denominator,
        at,
      })),
    }),
    policy: policy.ref,
    calendar: clock.calendar.ref,
    zone: clock.calendar.zone,
    tzdb: clock.calendar.tzdb,
  };
}

/**
 * A clock known only by its record, for a merge to adopt: its segments are not known here, so that what it
 * had consumed is carried as a sum.
 */
export function fromRecord(record: ClockRecord, calendar: Calendar): Clock {
  const { cycle, startedAt, target, consumed, asOf, due, breachedAt, reasons, state } = record;
  return {
    state: state === 'met' || state === 'missed' ? 'stopped' : state,
    cycle,
    startedAt,
    target,
    calendar,
    consumed,
    asOf,
    due,
    breachedAt,
    reasons,
    segments: [],
    carried: consumed,
    warnings: (record.warnings ?? []).map(({ numerator, denominator, at }) => ({
      fraction: [numerator, denominator],
      at,
      fired: at !== null && at <= asOf,
    })),
  };
}

function recordedState({ state, breachedAt }: Clock): ClockRecord['state'] {
  return state === 'stopped' ? (breachedAt === null ? 'met' : 'missed') : state;
}
