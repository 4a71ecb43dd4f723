import { never, type Actor, type Instant, type Micros, type Position } from '#kernel';
import { streamId, type Noted, type View } from './view.js';

/** Who may see a line: `internal` ones only the desk and its auditors. */
export type Audience = 'public' | 'internal';

/** A ticket's history, a line an event. */
export interface TimelineRow {
  readonly ticket: string;
  readonly revision: number;
  readonly position: Position;
  readonly type: string;
  readonly audience: Audience;
  readonly occurredAt: Instant;
  readonly recordedAt: Micros;
  readonly actor: Actor;
  readonly data: object;
  /** Blobs by person, as in the log. */
  readonly sealed: Readonly<Record<string, string>> | null;
}

/**
 * What the requester may see of their own ticket: what was said to them and by them, and what became of
 * it; not how the desk passed it around.
 */
function audience(event: Noted): Audience {
  switch (event.type) {
    case 'desk.ticket-opened.v1':
    case 'desk.message-received.v1':
    case 'desk.message-sent.v1':
    case 'desk.ticket-held.v1':
    case 'desk.ticket-resumed.v1':
    case 'desk.ticket-prioritised.v1':
    case 'desk.ticket-reopened.v1':
    case 'desk.ticket-closed.v1':
    case 'desk.ticket-merged.v1':
    case 'desk.ticket-rated.v1':
      return 'public';
    case 'desk.ticket-resolved.v1':
    case 'desk.note-added.v1':
    case 'desk.ticket-classified.v1':
    case 'desk.ticket-assigned.v1':
    case 'desk.handover-offered.v1':
    case 'desk.handover-accepted.v1':
    case 'desk.handover-declined.v1':
    case 'desk.handover-withdrawn.v1':
    case 'desk.ticket-handed-to-vendor.v1':
    case 'desk.ticket-taken-back.v1':
    case 'desk.ticket-escalated.v1':
    case 'desk.merge-begun.v1':
    case 'desk.merge-completed.v1':
    case 'desk.merge-withdrawn.v1':
    case 'desk.tickets-linked.v1':
    case 'desk.case-imported.v1':
    case 'sla.clock-breached.v1':
    case 'sla.breach-annulled.v1':
    case 'house.command-noted.v1':
      return 'internal';
    case 'desk.queue-defined.v1':
    case 'people.person-named.v1':
      throw new Error(`${event.stream} holds ${event.type}, which is no fact about a ticket`);
    default:
      return never(event);
  }
}

export const timeline: View<TimelineRow> = {
  name: 'timeline',
  version: 1,
  categories: ['ticket'],
  keyColumns: ['ticket', 'revision'],
  key: (event) => `${streamId(event)}/${event.revision}`,
  appendOnly: true,
  fold: (_, event) => ({
    ticket: streamId(event),
    revision: event.revision,
    position: event.position,
    type: event.type,
    audience: audience(event),
    occurredAt: event.occurredAt,
    recordedAt: event.recordedAt,
    actor: event.actor,
    data: event.data,
    sealed: event.sealed ?? null,
  }),
};
