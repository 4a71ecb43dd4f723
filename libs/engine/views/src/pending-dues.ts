import { ticketEvents, unwarned, warnedAfter, type TicketEvent, type WarningMark } from '#domain/desk';
import type { ClockRecord } from '#domain/sla';
import { earlier, never, toInstant, toSeconds, type Instant } from '#kernel';
import { promisedAfter, promiseState, type PromiseState } from './clocks.js';
import { streamId, Undigestible, viewOf } from './view.js';

/**
 * What the timekeeper waits for: a stream's earliest due instant that has neither passed into a fact nor
 * lost its reason. Written only by folding the log (ruling 51).
 */
export interface PendingDueRow {
  readonly ticket: string;
  readonly revision: number;
  /**
   * A second later something is to be recorded: a due instant, or the second before a warning (ruling 2). Null
   * while nothing is due, or while an import of the case is under way (ruling 17).
   */
  readonly due: Instant | null;
  readonly importing: boolean;
  readonly clocks: readonly PendingPromise[];
}

export interface PendingPromise extends PromiseState, Pick<ClockRecord, 'warnings'> {
  /** Its warnings that are facts already, of all its cycles; absent where there are none. */
  readonly warned?: readonly WarningMark[];
}

const pendingState = (record: ClockRecord): PendingPromise => ({
  ...promiseState(record),
  ...(record.warnings && { warnings: record.warnings }),
});

/** Each with what is known of its warnings after an event. */
function withWarned(
  before: readonly PendingPromise[],
  clocks: readonly PendingPromise[],
  event: TicketEvent & { readonly occurredAt: Instant },
): readonly PendingPromise[] {
  // Most policies state none, and this is done at every event.
  if (!clocks.some(({ warnings }) => warnings) && !before.some(({ warned }) => warned)) return clocks;
  const known = before.flatMap(({ warned = [] }) => warned);
  const warned = warnedAfter(known, event);
  return clocks.map((clock) => {
    const own = warned.filter((mark) => mark.clock === clock.clock);
    return own.length === 0 ? clock : { ...clock, warned: own };
  });
}

function earliestDue(clocks: readonly PendingPromise[]): Instant | null {
  let least: Instant | null = null;
  const take = (at: Instant): void => {
    least = least === null ? at : earlier(least, at);
  };
  for (const clock of clocks) {
    if (clock.state === 'running' && clock.due !== null && clock.breachedAt === null) take(clock.due);
    if (clock.warnings)
      for (const { at } of unwarned(clock, clock.warned ?? [])) take(toInstant(toSeconds(at) - 1));
  }
  return least;
}

function importingAfter(importing: boolean, event: TicketEvent): boolean {
  switch (event.type) {
    case 'desk.ticket-opened.v1':
      return event.data.importing;
    case 'desk.case-imported.v1':
      return false;
    case 'desk.message-received.v1':
    case 'desk.message-sent.v1':
    case 'desk.note-added.v1':
    case 'desk.ticket-classified.v1':
    case 'desk.ticket-prioritised.v1':
    case 'desk.ticket-retargeted.v1':
    case 'desk.ticket-assigned.v1':
    case 'desk.handover-offered.v1':
    case 'desk.handover-accepted.v1':
    case 'desk.handover-declined.v1':
    case 'desk.handover-withdrawn.v1':
    case 'desk.ticket-held.v1':
    case 'desk.ticket-resumed.v1':
    case 'desk.ticket-handed-to-vendor.v1':
    case 'desk.ticket-taken-back.v1':
    case 'desk.ticket-escalated.v1':
    case 'desk.ticket-resolved.v1':
    case 'desk.ticket-reopened.v1':
    case 'desk.ticket-closed.v1':
    case 'desk.merge-begun.v1':
    case 'desk.ticket-merged.v1':
    case 'desk.merge-completed.v1':
    case 'desk.merge-withdrawn.v1':
    case 'desk.tickets-linked.v1':
    case 'desk.ticket-rated.v1':
    case 'sla.clock-breached.v1':
    case 'sla.clock-warned.v1':
    case 'sla.warning-annulled.v1':
    case 'sla.breach-annulled.v1':
    case 'house.command-noted.v1':
      return importing;
    default:
      return never(event);
  }
}

export const pendingDues = viewOf<typeof ticketEvents, PendingDueRow>(ticketEvents, {
  name: 'pending_dues',
  version: 1,
  keyColumns: ['ticket'],
  fold: (row, event) => {
    if (row === null && event.type !== 'desk.ticket-opened.v1')
      throw new Undigestible(`${event.stream} begins with ${event.type}`);
    const before = row?.clocks ?? [];
    const promised = promisedAfter<PendingPromise>({ clocks: before, breaches: [] }, event, pendingState);
    const clocks = withWarned(before, promised.clocks, event);
    const importing = importingAfter(row?.importing ?? false, event);
    return {
      ticket: streamId(event),
      revision: event.revision,
      due: importing ? null : earliestDue(clocks),
      importing,
      clocks,
    };
  },
});
