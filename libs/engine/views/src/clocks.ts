import type { TicketEvent } from '#domain/desk';
import type { ClockName, ClockRecord } from '#domain/sla';
import { never, type Instant } from '#kernel';

/** A due instant that passed unanswered and was not annulled since; sticky through restarts. */
export interface BreachMark {
  readonly clock: ClockName;
  readonly cycle: number;
  readonly due: Instant;
}

/** What tells whether a promise is open, and until when. */
export type PromiseState = Pick<ClockRecord, 'clock' | 'cycle' | 'state' | 'due' | 'breachedAt'>;

export const promiseState = ({ clock, cycle, state, due, breachedAt }: ClockRecord): PromiseState => ({
  clock,
  cycle,
  state,
  due,
  breachedAt,
});

/** The promises of a ticket as its events left them. */
export interface Promised<C extends PromiseState = ClockRecord> {
  /** Each clock in its latest form: an event that moved one carries all of it. */
  readonly clocks: readonly C[];
  readonly breaches: readonly BreachMark[];
}

/** @param keep what the view keeps of a clock */
export function promisedAfter<C extends PromiseState>(
  { clocks, breaches }: Promised<C>,
  event: TicketEvent,
  keep: (record: ClockRecord) => C,
): Promised<C> {
  switch (event.type) {
    case 'desk.ticket-opened.v1':
    case 'desk.message-received.v1':
    case 'desk.message-sent.v1':
    case 'desk.ticket-prioritised.v1':
    case 'desk.ticket-retargeted.v1':
    case 'desk.ticket-held.v1':
    case 'desk.ticket-resumed.v1':
    case 'desk.ticket-handed-to-vendor.v1':
    case 'desk.ticket-taken-back.v1':
    case 'desk.ticket-resolved.v1':
    case 'desk.ticket-reopened.v1':
    case 'desk.ticket-merged.v1':
    case 'desk.merge-completed.v1':
      return { clocks: withClocks(clocks, event.data.clocks, keep), breaches };
    case 'desk.handover-offered.v1':
    case 'desk.handover-accepted.v1':
    case 'desk.handover-declined.v1':
    case 'desk.handover-withdrawn.v1':
      return { clocks: withClocks(clocks, event.data.clocks ?? [], keep), breaches };
    case 'sla.clock-breached.v1': {
      const { clock, cycle, due } = event.data;
      return {
        clocks: clocks.map((each) => (isOf(each, event.data) ? { ...each, breachedAt: due } : each)),
        breaches: [...breaches, { clock, cycle, due }],
      };
    }
    case 'sla.breach-annulled.v1': {
      // A moved breach is an annulment and a new breach, in either order (domain.md C.3): only the due one named falls.
      const { due } = event.data;
      return {
        clocks: clocks.map((each) =>
          isOf(each, event.data) && each.breachedAt === due ? { ...each, breachedAt: null } : each,
        ),
        breaches: breaches.filter((each) => !isOf(each, event.data) || each.due !== due),
      };
    }
    case 'desk.note-added.v1':
    case 'desk.ticket-classified.v1':
    case 'desk.ticket-assigned.v1':
    case 'desk.ticket-escalated.v1':
    case 'desk.ticket-closed.v1':
    case 'desk.merge-begun.v1':
    case 'desk.merge-withdrawn.v1':
    case 'desk.tickets-linked.v1':
    case 'desk.ticket-rated.v1':
    case 'desk.case-imported.v1':
    case 'sla.clock-warned.v1':
    case 'sla.warning-annulled.v1':
    case 'house.command-noted.v1':
      return { clocks, breaches };
    default:
      return never(event);
  }
}

/** In the order of their names, however they came. */
function withClocks<C extends PromiseState>(
  clocks: readonly C[],
  changed: readonly ClockRecord[],
  keep: (record: ClockRecord) => C,
): readonly C[] {
  if (changed.length === 0) return clocks;
  const rest = clocks.filter(({ clock }) => !changed.some((record) => record.clock === clock));
  // Of several cycles the present one stands last.
  const present = changed.filter(
    ({ clock }, i) => !changed.slice(i + 1).some((next) => next.clock === clock),
  );
  return [...rest, ...present.map(keep)].sort((a, b) => (a.clock < b.clock ? -1 : 1));
}

/** A late fact about an earlier cycle leaves the present one alone. */
const isOf = (
  { clock, cycle }: Pick<BreachMark, 'clock' | 'cycle'>,
  of: Pick<BreachMark, 'clock' | 'cycle'>,
): boolean => clock === of.clock && cycle === of.cycle;
