import type { ClockName, ClockRecord } from '#domain/sla';
import type { Instant } from '#kernel';
import type { TicketEvent } from './ticket-events.js';

/** What tells one warning from another. */
export interface WarningMark {
  readonly clock: ClockName;
  readonly cycle: number;
  readonly numerator: number;
  readonly denominator: number;
  /** When its share was used up. */
  readonly at: Instant;
}

export const sameWarning = (a: WarningMark, b: WarningMark): boolean =>
  a.clock === b.clock &&
  a.cycle === b.cycle &&
  a.numerator === b.numerator &&
  a.denominator === b.denominator &&
  a.at === b.at;

const markOf = ({ clock, cycle, numerator, denominator, at }: WarningMark): WarningMark => ({
  clock,
  cycle,
  numerator,
  denominator,
  at,
});

type Promise = Pick<ClockRecord, 'clock' | 'cycle' | 'warnings'>;

const dated = ({ clock, cycle, warnings = [] }: Promise): readonly WarningMark[] =>
  warnings.flatMap((warning) =>
    warning.at === null ? [] : [markOf({ ...warning, clock, cycle, at: warning.at })],
  );

/** The warnings of a clock that have an instant and no fact yet. */
export function unwarned(record: Promise, warned: readonly WarningMark[]): readonly WarningMark[] {
  return dated(record).filter((mark) => !warned.some((known) => sameWarning(known, mark)));
}

/**
 * The warnings that stand as facts after an event. Those of an adopted clock that had fired are facts of the
 * ticket that it comes from.
 */
export function warnedAfter(
  warned: readonly WarningMark[],
  event: TicketEvent & { readonly occurredAt: Instant },
): readonly WarningMark[] {
  if (event.type === 'sla.clock-warned.v1') return [...warned, markOf(event.data)];
  if (event.type === 'sla.warning-annulled.v1') {
    const { data } = event;
    return warned.filter((mark) => !sameWarning(mark, data));
  }
  if (event.type === 'desk.merge-completed.v1')
    return [
      ...warned,
      ...event.data.clocks
        .filter(({ change }) => change === 'adopted')
        .flatMap(dated)
        .filter((mark) => mark.at <= event.occurredAt && !warned.some((known) => sameWarning(known, mark))),
    ];
  return warned;
}
