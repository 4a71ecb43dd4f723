import type { TicketEvent } from '#domain/desk';
import type { ClockName, ClockRecord } from '#domain/sla';
import type { Instant } from '#kernel';

/** A due instant that passed unanswered and was not annulled since; sticky through restarts. */
export interface BreachMark {
  readonly clock: ClockName;
  readonly cycle: number;
  readonly due: Instant;
}

/** Each clock in its latest form: events that moved one carry all of it. */
export function clocksAfter(clocks: readonly ClockRecord[], event: TicketEvent): readonly ClockRecord[] {
  switch (event.type) {
    case 'sla.clock-breached.v1':
      return marked(clocks, event.data, event.data.due);
    case 'sla.breach-annulled.v1':
      return marked(clocks, event.data, null);
    default:
      return 'clocks' in event.data ? withClocks(clocks, event.data.clocks) : clocks;
  }
}

function withClocks(clocks: readonly ClockRecord[], changed: readonly ClockRecord[]): readonly ClockRecord[] {
  if (changed.length === 0) return clocks;
  const fresh = new Map(changed.map((clock) => [clock.clock, clock]));
  return [...clocks.filter(({ clock }) => !fresh.has(clock)), ...fresh.values()].sort((a, b) =>
    a.clock < b.clock ? -1 : 1,
  );
}

/** A late fact about an earlier cycle leaves the present one alone. */
function marked(
  clocks: readonly ClockRecord[],
  of: { readonly clock: ClockName; readonly cycle: number },
  breachedAt: Instant | null,
): readonly ClockRecord[] {
  return clocks.map((clock) =>
    clock.clock === of.clock && clock.cycle === of.cycle ? { ...clock, breachedAt } : clock,
  );
}

export function breachesAfter(breaches: readonly BreachMark[], event: TicketEvent): readonly BreachMark[] {
  switch (event.type) {
    case 'sla.clock-breached.v1': {
      const { clock, cycle, due } = event.data;
      return [...without(breaches, event.data), { clock, cycle, due }];
    }
    case 'sla.breach-annulled.v1':
      return without(breaches, event.data);
    default:
      return breaches;
  }
}

function without(
  breaches: readonly BreachMark[],
  { clock, cycle }: { readonly clock: ClockName; readonly cycle: number },
): readonly BreachMark[] {
  return breaches.filter((breach) => breach.clock !== clock || breach.cycle !== cycle);
}
