import type { Instant } from '#kernel';
import type { CalendarDefinition } from '../calendar/calendar.js';
import { calendarProblems } from '../calendar/hours.js';
import { CLOCKS, type ClockName, type HoldReason } from '../clock/clock-events.js';
import { TZDB } from '../zones/zones.js';
import { PRIORITIES, type Priority } from './policy.js';
import type { PolicyActivated } from './policy-events.js';

/** A policy as people write it; a version is one of these in force from some instant on. */
export interface PolicyDefinition {
  readonly calendar: CalendarDefinition;
  /** Business-seconds, more than none. */
  readonly targets: Readonly<Record<Priority, Readonly<Record<ClockName, number>>>>;
  readonly pausedBy: Readonly<Record<ClockName, readonly HoldReason[]>>;
  readonly reopenWithinDays: number;
}

export interface PolicyProblem {
  readonly code: 'bad-calendar' | 'bad-target' | 'target-beyond-horizon' | 'bad-reopen-window';
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
      CLOCKS.flatMap((clock): PolicyProblem[] => {
        const target = definition.targets[priority][clock];
        const field = `targets.${priority}.${clock}`;
        if (!Number.isInteger(target) || target <= 0)
          return [{ code: 'bad-target', field, problem: 'is no whole number of seconds above 0' }];
        return target > LONGEST_TARGET
          ? [{ code: 'target-beyond-horizon', field, problem: 'is more than five years of open time' }]
          : [];
      }),
    ),
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

/** The fact that activates a version. */
export function activation(
  { calendar, targets, pausedBy, reopenWithinDays }: PolicyDefinition,
  as: {
    readonly name: string;
    readonly version: number;
    readonly source: PolicyActivated['source'];
    readonly effective: Instant;
  },
): { readonly type: 'sla.policy-activated.v1'; readonly data: PolicyActivated } {
  return {
    type: 'sla.policy-activated.v1',
    data: {
      ...as,
      zone: calendar.zone,
      always: calendar.always ?? false,
      weekly: calendar.weekly ?? [],
      closed: calendar.closed ?? [],
      open: calendar.open ?? [],
      targets: PRIORITIES.flatMap((priority) =>
        CLOCKS.map((clock) => ({ priority, clock, target: targets[priority][clock] })),
      ),
      pausedBy: CLOCKS.map((clock) => ({ clock, reasons: pausedBy[clock] })),
      reopenWithinDays,
    },
  };
}

/** The calendar that a version was activated with. */
export function calendarOf({ zone, always, weekly, closed, open }: PolicyActivated): CalendarDefinition {
  return always ? { zone, always } : { zone, weekly, closed, open };
}
