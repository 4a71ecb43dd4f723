import { ticketEvents } from '#domain/desk';
import type { Actor, EventDefinition, Instant, Micros, Position } from '#kernel';
import { streamId, viewOf } from './view.js';

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

type TicketEvents = typeof ticketEvents;
type FieldsOf<T extends keyof TicketEvents> =
  TicketEvents[T] extends EventDefinition<infer F> ? keyof F & string : never;

/**
 * What the requester may see of their own ticket: what was said to them and by them, and what became of it;
 * not how the desk passed it around, nor what staff wrote for staff. By event type either `internal`, or
 * the fields that are shown; texts opened from a line's blobs obey it like any other field.
 */
const SHOWN: { readonly [T in keyof TicketEvents]: 'internal' | readonly FieldsOf<T>[] } = {
  'desk.ticket-opened.v1': ['number', 'channel', 'requester', 'priority', 'subject', 'text', 'clocks'],
  'desk.message-received.v1': ['author', 'channel', 'autoReply', 'text'],
  'desk.message-sent.v1': ['author', 'channel', 'autoReply', 'text', 'clocks'],
  'desk.note-added.v1': 'internal',
  'desk.ticket-classified.v1': 'internal',
  'desk.ticket-prioritised.v1': ['priority', 'from', 'clocks'],
  'desk.ticket-retargeted.v1': ['clocks'],
  'desk.ticket-assigned.v1': 'internal',
  'desk.handover-offered.v1': 'internal',
  'desk.handover-accepted.v1': 'internal',
  'desk.handover-declined.v1': 'internal',
  'desk.handover-withdrawn.v1': 'internal',
  'desk.ticket-held.v1': ['reason', 'clocks'],
  'desk.ticket-resumed.v1': ['reason', 'clocks'],
  'desk.ticket-handed-to-vendor.v1': 'internal',
  'desk.ticket-taken-back.v1': 'internal',
  'desk.ticket-escalated.v1': 'internal',
  'desk.ticket-resolved.v1': ['resolution', 'clocks'],
  'desk.ticket-reopened.v1': ['reason', 'clocks'],
  'desk.ticket-closed.v1': [],
  'desk.merge-begun.v1': 'internal',
  'desk.ticket-merged.v1': ['into', 'clocks'],
  'desk.merge-completed.v1': 'internal',
  'desk.merge-withdrawn.v1': 'internal',
  'desk.tickets-linked.v1': 'internal',
  'desk.ticket-rated.v1': ['score', 'comment'],
  'desk.case-imported.v1': 'internal',
  'sla.clock-breached.v1': 'internal',
  'sla.clock-warned.v1': 'internal',
  'sla.warning-annulled.v1': 'internal',
  'sla.breach-annulled.v1': 'internal',
  'house.command-noted.v1': 'internal',
};

/** Fields of an event that its requester may see, or null where they may not see the line at all. */
export function shownToRequester(type: keyof TicketEvents): readonly string[] | null {
  const shown = SHOWN[type];
  return shown === 'internal' ? null : shown;
}

export const timeline = viewOf<TicketEvents, TimelineRow>(ticketEvents, {
  name: 'timeline',
  version: 1,
  keyColumns: ['ticket', 'revision'],
  key: (event) => `${streamId(event)}/${event.revision}`,
  appendOnly: true,
  fold: (_, event) => ({
    ticket: streamId(event),
    revision: event.revision,
    position: event.position,
    type: event.type,
    audience: SHOWN[event.type] === 'internal' ? 'internal' : 'public',
    occurredAt: event.occurredAt,
    recordedAt: event.recordedAt,
    actor: event.actor,
    data: event.data,
    sealed: event.sealed ?? null,
  }),
});
