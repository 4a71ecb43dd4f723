import type { Instant } from '#kernel';
import type { CalendarDefinition } from '../calendar/calendar.js';
import { calendarProblems } from '../calendar/hours.js';
import {
  ALWAYS_PROMISED,
  CLOCKS,
  type ClockName,
  type HoldReason,
  type OfPromised,
} from '../clock/clock-events.js';
import type { Fraction } from '../clock/clock.js';
import { TZDB } from '../zones/zones.js';
import { byKey } from './by-key.js';
import { PRIORITIES, type Priority } from './policy.js';
import type { PolicyActivated, PolicyTerms } from './policy-events.js';

/** A policy as people write it; a version is one of these in force from some instant on. */
export interface PolicyDefinition {
  readonly calendar: CalendarDefinition;
  /** Business-seconds, more than none. A clock is promised for every priority or for none. */
  readonly targets: Readonly<Record<Priority, OfPromised<number>>>;
  /** Absent: nothing pauses it. */
  readonly pausedBy: OfPromised<readonly HoldReason[]>;
  /** Shares of the target, above 0 and at most 1, at which a clock warns; absent: it never does. */
  readonly warnAt?: Readonly<Partial<Record<ClockName, readonly Fraction[]>>>;
  readonly reopenWithinDays: number;
}

export interface PolicyProblem {
  readonly code:
    | 'bad-calendar'
    | 'bad-target'
    | 'target-beyond-horizon'
    | 'promise-undefined'
    | 'not-promised'
    | 'not-pausable'
    | 'bad-warning'
    | 'bad-reopen-window';
  /** Path in the definition, `targets.1.resolution`. */
  readonly field: string;
  readonly problem: string;
}

/** A target that no calendar of ordinary hours could fill within the horizon of 30 years. */
const LONGEST_TARGET = 5 * 366 * 86_400;

/** Everything wrong with a policy; empty where it may be activated. */
export function policyProblems(definition: PolicyDefinition, tzdb: string = TZDB): readonly PolicyProblem[] {
  return [
    ...calendarProblems(definition.calendar, tzdb).map(({ field, problem }): PolicyProblem => ({
      code: 'bad-calendar',
      field: `calendar.${field}`,
      problem,
    })),
    ...PRIORITIES.flatMap((priority) =>
      promisedBy(definition).flatMap((clock): PolicyProblem[] => {
        const target = definition.targets[priority][clock];
        const field = `targets.${priority}.${clock}`;
        if (target === undefined)
          return [{ code: 'promise-undefined', field, problem: 'leaves a promised target undefined' }];
        if (!Number.isInteger(target) || target <= 0)
          return [{ code: 'bad-target', field, problem: 'is no whole number of seconds above 0' }];
        return target > LONGEST_TARGET
          ? [{ code: 'target-beyond-horizon', field, problem: 'is more than five years of open time' }]
          : [];
      }),
    ),
    ...CLOCKS.flatMap((clock) => problemsOf(clock, definition)),
    ...(Number.isInteger(definition.reopenWithinDays) && definition.reopenWithinDays >= 1
      ? []
      : [
          {
            code: 'bad-reopen-window' as const,
            field: 'reopenWithinDays',
            problem: 'is no whole number of days above 0',
          },
        ]),
  ];
}

/** The clocks that a policy promises, in the order of CLOCKS. */
export function promisedBy({ targets }: Pick<PolicyDefinition, 'targets'>): readonly ClockName[] {
  const always: readonly ClockName[] = ALWAYS_PROMISED;
  return CLOCKS.filter(
    (clock) =>
      always.includes(clock) || PRIORITIES.some((priority) => targets[priority][clock] !== undefined),
  );
}

/** What is said of a clock beside its targets. */
function problemsOf(clock: ClockName, definition: PolicyDefinition): readonly PolicyProblem[] {
  const reasons = definition.pausedBy[clock] ?? [];
  const fractions = definition.warnAt?.[clock] ?? [];
  const promised = promisedBy(definition).includes(clock);
  const unpromised = (field: string, said: readonly unknown[]): PolicyProblem[] =>
    promised || said.length === 0
      ? []
      : [{ code: 'not-promised', field, problem: 'is about a clock that has no target' }];
  const distinct = new Set(fractions.map(([numerator, denominator]) => numerator / denominator));
  return [
    ...unpromised(`pausedBy.${clock}`, reasons),
    ...(clock === 'hand-over-acceptance' && reasons.length > 0
      ? [{ code: 'not-pausable' as const, field: `pausedBy.${clock}`, problem: 'is paused by nothing' }]
      : []),
    ...unpromised(`warnAt.${clock}`, fractions),
    ...fractions.flatMap(([numerator, denominator], i): PolicyProblem[] =>
      Number.isSafeInteger(numerator) &&
      Number.isSafeInteger(denominator) &&
      numerator > 0 &&
      numerator <= denominator
        ? []
        : [
            {
              code: 'bad-warning',
              field: `warnAt.${clock}.${i}`,
              problem: 'is no share above 0 and at most 1, as two whole numbers',
            },
          ],
    ),
    ...(distinct.size === fractions.length
      ? []
      : [{ code: 'bad-warning' as const, field: `warnAt.${clock}`, problem: 'names a share twice' }]),
  ];
}

const byShare = (a: Fraction, b: Fraction): number => a[0] / a[1] - b[0] / b[1];

const MINUTE = 60;
const HOUR = 3600;

/** The built-in policies of ruling 46, in the desk's or the import's zone. */
export function builtIn(zone: string): PolicyDefinition {
  return {
    calendar: { zone, weekly: [{ days: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' }] },
    targets: {
      1: { 'first-response': 30 * MINUTE, resolution: 4 * HOUR },
      2: { 'first-response': HOUR, resolution: 9 * HOUR },
      3: { 'first-response': 4 * HOUR, resolution: 27 * HOUR },
      4: { 'first-response': 9 * HOUR, resolution: 45 * HOUR },
    },
    pausedBy: { 'first-response': [], resolution: ['requester'] },
    reopenWithinDays: 5,
  };
}

/** Names of the built-in policies. */
export const BUILT_INS = ['default', 'import-default'] as const;
export type BuiltInName = (typeof BUILT_INS)[number];

/** A definition in the form in which facts hold it. */
export function termsOf({
  calendar,
  targets,
  pausedBy,
  warnAt = {},
  reopenWithinDays,
}: PolicyDefinition): PolicyTerms {
  const promised = promisedBy({ targets });
  const warnings = promised.flatMap((clock) =>
    [...(warnAt[clock] ?? [])]
      .sort(byShare)
      .map(([numerator, denominator]) => ({ clock, numerator, denominator })),
  );
  return {
    zone: calendar.zone,
    always: calendar.always ?? false,
    weekly: calendar.weekly ?? [],
    closed: calendar.closed ?? [],
    open: calendar.open ?? [],
    targets: PRIORITIES.flatMap((priority) =>
      promised.flatMap((clock) => {
        const target = targets[priority][clock];
        return target === undefined ? [] : [{ priority, clock, target }];
      }),
    ),
    pausedBy: promised.map((clock) => ({ clock, reasons: pausedBy[clock] ?? [] })),
    ...(warnings.length > 0 && { warnings }),
    reopenWithinDays,
  };
}

/** The fact that activates a version. */
export function activation(
  definition: PolicyDefinition,
  as: {
    readonly name: string;
    readonly version: number;
    readonly source: PolicyActivated['source'];
    readonly effective: Instant;
  },
): { readonly type: 'sla.policy-activated.v1'; readonly data: PolicyActivated } {
  return { type: 'sla.policy-activated.v1', data: { ...as, ...termsOf(definition) } };
}

/** The calendar of a version. */
export function calendarOf({ zone, always, weekly, closed, open }: PolicyTerms): CalendarDefinition {
  return always ? { zone, always } : { zone, weekly, closed, open };
}

/** A definition out of the form in which facts hold it. */
export function definitionOf(terms: PolicyTerms): PolicyDefinition {
  const { targets, pausedBy, warnings = [], reopenWithinDays } = terms;
  const warnAt = Object.fromEntries(
    CLOCKS.map((clock) => [clock, warnings.filter((row) => row.clock === clock)] as const)
      .filter(([, rows]) => rows.length > 0)
      .map(([clock, rows]) => [
        clock,
        rows.map(({ numerator, denominator }): Fraction => [numerator, denominator]),
      ]),
  );
  return {
    calendar: calendarOf(terms),
    targets: byKey(PRIORITIES, (priority) =>
      ofPromised(targets.filter((row) => row.priority === priority).map((row) => [row.clock, row.target])),
    ),
    pausedBy: ofPromised(pausedBy.map(({ clock, reasons }) => [clock, reasons])),
    ...(Object.keys(warnAt).length > 0 && { warnAt }),
    reopenWithinDays,
  };
}

/** What `policyProblems` finds missing where it is. */
export function ofPromised<V>(entries: readonly (readonly [ClockName, V])[]): OfPromised<V> {
  return Object.fromEntries(entries) as OfPromised<V>;
}
