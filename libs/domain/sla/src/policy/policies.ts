import { never } from '#kernel';
import type { CalendarVersion } from '../calendar/calendar.js';
import { compileCalendar } from '../calendar/compile.js';
import { ALWAYS_PROMISED, CLOCKS, type ClockName, type OfPromised } from '../clock/clock-events.js';
import type { Fraction } from '../clock/clock.js';
import { TZDB, TZDB_VERSIONS } from '../zones/zones.js';
import { byKey } from './by-key.js';
import { calendarOf } from './definition.js';
import {
  PRIORITIES,
  UnknownPolicy,
  type Policies,
  type Priority,
  type ServiceLevelPolicy,
} from './policy.js';
import type { PolicyActivated, PolicyEvent } from './policy-events.js';

/** What has been activated, in the order in which it was recorded. */
export function activated(events: readonly PolicyEvent[]): readonly PolicyActivated[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case 'sla.policy-activated.v1':
        return [event.data];
      case 'sla.policy-proposed.v1':
      case 'sla.policy-proposal-withdrawn.v1':
      case 'house.command-noted.v1':
        return [];
      default:
        return never(event);
    }
  });
}

/**
 * The policies that have been activated, as a value (ruling 6).
 *
 * @param events of all policy streams, each stream's in order
 * @throws BadCalendar where a version names a zone that this version of the zone rules does not know
 */
export function policies(events: readonly PolicyEvent[], tzdb: string = TZDB): Policies {
  const byName = new Map<string, ServiceLevelPolicy[]>();
  const byRef = new Map<string, ServiceLevelPolicy>();
  for (const data of activated(events)) {
    const policy = compiled(data, tzdb);
    byName.set(data.name, [...(byName.get(data.name) ?? []), policy]);
    byRef.set(policy.ref, policy);
  }
  const version = (ref: string): ServiceLevelPolicy => {
    const policy = byRef.get(ref);
    if (!policy) throw new UnknownPolicy(ref);
    return policy;
  };
  return {
    version,
    inForce: (name, at) => {
      if (name.includes('@')) return version(name);
      let best: ServiceLevelPolicy | undefined;
      for (const policy of byName.get(name) ?? [])
        if (policy.effective <= at && (!best || policy.effective >= best.effective)) best = policy;
      if (!best) throw new UnknownPolicy(`${name} in force at ${at}`);
      return best;
    },
  };
}

/**
 * The same policies, their calendars computed by the zone rules that a recorded fact names (ruling 7). Rules
 * that this program does not have leave them as they are.
 */
export function underRules(given: Policies, tzdb: string): Policies {
  if (!TZDB_VERSIONS.includes(tzdb)) return given;
  const known = new Map<string, ServiceLevelPolicy>();
  const under = (policy: ServiceLevelPolicy): ServiceLevelPolicy => {
    if (policy.calendar.tzdb === tzdb) return policy;
    const { ref, versions } = policy.calendar;
    const found = known.get(policy.ref) ?? { ...policy, calendar: compileCalendar(ref, versions, tzdb) };
    known.set(policy.ref, found);
    return found;
  };
  return {
    version: (ref) => under(given.version(ref)),
    inForce: (name, at) => under(given.inForce(name, at)),
  };
}

function compiled(data: PolicyActivated, tzdb: string): ServiceLevelPolicy {
  const ref = `${data.name}@${data.version}`;
  const hours: CalendarVersion = { effective: -Infinity, definition: calendarOf(data) };
  const targets = (priority: Priority): OfPromised<number> => {
    const stated = data.targets.filter((row) => row.priority === priority);
    for (const clock of ALWAYS_PROMISED)
      if (!stated.some((row) => row.clock === clock))
        throw new Error(`policy ${ref} promises no ${clock} for priority ${priority}`);
    return Object.fromEntries(stated.map(({ clock, target }) => [clock, target])) as OfPromised<number>;
  };
  const warnAt = (clock: ClockName): readonly Fraction[] =>
    (data.warnings ?? [])
      .filter((row) => row.clock === clock)
      .map(({ numerator, denominator }) => [numerator, denominator]);
  return {
    name: data.name,
    version: data.version,
    ref,
    effective: data.effective,
    calendar: compileCalendar(ref, [hours], tzdb),
    targets: byKey(PRIORITIES, targets),
    warnAt: byKey(CLOCKS, warnAt),
    pausedBy: byKey(CLOCKS, (clock) => data.pausedBy.find((row) => row.clock === clock)?.reasons ?? []),
    reopenWithinDays: data.reopenWithinDays,
  };
}
