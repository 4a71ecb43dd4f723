import type { Channel, LinkKind, Tier } from '#domain/desk';
import type { ClockName, ClockRecord, HoldReason } from '#domain/sla';
import { HOUSE, never, type Instant, type PersonId, type Position, type Uuid } from '#kernel';
import type { Sealed } from '#engine/store';
import { guarded, streamId, termBlob, textBlob, type Noted, type View } from './view.js';

export const STATUSES = ['open', 'on-hold', 'resolved', 'closed', 'merged'] as const;
export type TicketStatus = (typeof STATUSES)[number];

/** Before a ticket has a group it waits here (ruling 47). */
export const INTAKE = 'intake';

export interface Handover {
  readonly id: Uuid;
  readonly group: Uuid | null;
  readonly agent: PersonId | null;
  readonly offeredAt: Instant;
  readonly offeredBy: PersonId;
}

/** A ticket as one reads it in lists and on its page. Texts stay sealed; the edge opens them. */
export interface TicketRow {
  readonly id: string;
  readonly number: string;
  readonly revision: number;
  /** Revision of the last append that an actor caused (ruling 4). */
  readonly etag: number;
  /** Of the opening event: lists are in this order. */
  readonly opened: Position;
  readonly position: Position;
  readonly status: TicketStatus;
  readonly channel: Channel;
  readonly tier: Tier;
  readonly priority: number;
  readonly requester: PersonId;
  readonly queue: string;
  readonly group: Uuid | null;
  readonly agent: PersonId | null;
  readonly holds: readonly HoldReason[];
  readonly vendor: Uuid | null;
  readonly category: Uuid | null;
  readonly externalReference: Uuid | null;
  readonly handover: Handover | null;
  readonly escalation: number;
  readonly rating: number | null;
  readonly pendingMerge: Uuid | null;
  readonly mergedInto: Uuid | null;
  readonly merged: readonly Uuid[];
  readonly links: readonly { readonly other: Uuid; readonly kind: LinkKind }[];
  readonly clocks: readonly ClockRecord[];
  readonly breached: readonly ClockName[];
  /** Blob with the field `subject`. */
  readonly subject: Sealed | null;
  /** By the name of a term field, the blob that holds its text. */
  readonly labels: Readonly<Record<string, Sealed>>;
  readonly openedAt: Instant;
  readonly updatedAt: Instant;
  readonly resolvedAt: Instant | null;
  readonly closedAt: Instant | null;
}

/** Each clock in its latest form. */
export function withClocks(
  row: readonly ClockRecord[],
  changed: readonly ClockRecord[],
): readonly ClockRecord[] {
  if (changed.length === 0) return row;
  const byName = new Map(row.map((clock) => [clock.clock, clock]));
  for (const clock of changed) byName.set(clock.clock, clock);
  return [...byName.values()];
}

function labelled(row: TicketRow, event: Noted, fields: readonly string[]): Readonly<Record<string, Sealed>> {
  const blob = termBlob(event);
  if (!blob) return row.labels;
  const present = fields.filter((field) => (event.data as Record<string, unknown>)[field] !== undefined);
  return { ...row.labels, ...Object.fromEntries(present.map((field) => [field, blob])) };
}

function foldTicket(row: TicketRow | null, event: Noted): TicketRow {
  if (row === null) {
    if (event.type !== 'desk.ticket-opened.v1') throw new Error(`${event.stream} begins with ${event.type}`);
    const { data } = event;
    return {
      id: streamId(event),
      number: data.number,
      revision: event.revision,
      etag: event.revision,
      opened: event.position,
      position: event.position,
      status: 'open',
      channel: data.channel,
      tier: data.tier,
      priority: data.priority,
      requester: data.requester,
      queue: INTAKE,
      group: null,
      agent: null,
      holds: [],
      vendor: null,
      category: null,
      externalReference: data.externalReference ?? null,
      handover: null,
      escalation: 0,
      rating: null,
      pendingMerge: null,
      mergedInto: null,
      merged: [],
      links: [],
      clocks: data.clocks,
      breached: [],
      subject: textBlob(event),
      labels: data.externalReference === undefined ? {} : { externalReference: termBlob(event)! },
      openedAt: event.occurredAt,
      updatedAt: event.occurredAt,
      resolvedAt: null,
      closedAt: null,
    };
  }
  return {
    ...changed(row, event),
    revision: event.revision,
    etag: event.actor.id === HOUSE && !event.key ? row.etag : event.revision,
    position: event.position,
    updatedAt: event.occurredAt > row.updatedAt ? event.occurredAt : row.updatedAt,
  };
}

const afterHold = (holds: readonly HoldReason[]): TicketStatus => (holds.length > 0 ? 'on-hold' : 'open');

/** Nothing is pending on a ticket that has ended. */
const ended = { holds: [], handover: null, vendor: null } as const;

function changed(row: TicketRow, event: Noted): TicketRow {
  switch (event.type) {
    case 'desk.ticket-opened.v1':
      throw new Error(`${event.stream} is opened twice`);
    case 'desk.message-received.v1':
    case 'desk.message-sent.v1':
      return { ...row, clocks: withClocks(row.clocks, event.data.clocks) };
    case 'desk.note-added.v1':
      return row;
    case 'desk.ticket-classified.v1':
      return {
        ...row,
        category: event.data.category,
        labels: labelled(row, event, ['category', 'subcategory', 'service']),
      };
    case 'desk.ticket-prioritised.v1':
      return { ...row, priority: event.data.priority, clocks: withClocks(row.clocks, event.data.clocks) };
    case 'desk.ticket-assigned.v1':
      return {
        ...row,
        group: event.data.group ?? null,
        agent: event.data.agent ?? null,
        queue: event.data.group ?? INTAKE,
        labels: labelled(row, event, ['group']),
      };
    case 'desk.handover-offered.v1':
      return {
        ...row,
        handover: {
          id: event.data.handover,
          group: event.data.group ?? null,
          agent: event.data.agent ?? null,
          offeredAt: event.occurredAt,
          offeredBy: event.actor.id,
        },
        // The label of the group it is offered to waits beside the present one.
        labels:
          event.data.group === undefined ? row.labels : { ...row.labels, handoverGroup: termBlob(event)! },
      };
    case 'desk.handover-accepted.v1': {
      const { handoverGroup, ...labels } = row.labels;
      const { group, agent } = event.data;
      return {
        ...row,
        handover: null,
        group: group ?? row.group,
        agent,
        queue: group ?? row.queue,
        labels: group !== undefined && handoverGroup ? { ...labels, group: handoverGroup } : labels,
      };
    }
    case 'desk.handover-declined.v1':
    case 'desk.handover-withdrawn.v1': {
      const { handoverGroup: _, ...labels } = row.labels;
      return { ...row, handover: null, labels };
    }
    case 'desk.ticket-held.v1': {
      const holds = [...new Set([...row.holds, event.data.reason])];
      return { ...row, holds, status: afterHold(holds), clocks: withClocks(row.clocks, event.data.clocks) };
    }
    case 'desk.ticket-resumed.v1': {
      const holds = row.holds.filter((reason) => reason !== event.data.reason);
      const status = row.status === 'on-hold' || row.status === 'open' ? afterHold(holds) : row.status;
      return { ...row, holds, status, clocks: withClocks(row.clocks, event.data.clocks) };
    }
    case 'desk.ticket-handed-to-vendor.v1':
      return {
        ...row,
        vendor: event.data.vendor,
        labels: labelled(row, event, ['vendor', 'vendorReference']),
        clocks: withClocks(row.clocks, event.data.clocks),
      };
    case 'desk.ticket-taken-back.v1':
      return { ...row, vendor: null, clocks: withClocks(row.clocks, event.data.clocks) };
    case 'desk.ticket-escalated.v1':
      return { ...row, escalation: event.data.level };
    case 'desk.ticket-resolved.v1':
      return {
        ...row,
        ...ended,
        status: 'resolved',
        resolvedAt: event.occurredAt,
        clocks: withClocks(row.clocks, event.data.clocks),
      };
    case 'desk.ticket-reopened.v1':
      return {
        ...row,
        status: 'open',
        resolvedAt: null,
        closedAt: null,
        clocks: withClocks(row.clocks, event.data.clocks),
      };
    case 'desk.ticket-closed.v1':
      return { ...row, ...ended, status: 'closed', closedAt: event.occurredAt };
    case 'desk.merge-begun.v1':
      return { ...row, pendingMerge: event.data.duplicate };
    case 'desk.ticket-merged.v1':
      return {
        ...row,
        ...ended,
        status: 'merged',
        mergedInto: event.data.into,
        pendingMerge: null,
        clocks: withClocks(row.clocks, event.data.clocks),
      };
    case 'desk.merge-completed.v1':
      return {
        ...row,
        pendingMerge: null,
        merged: [...new Set([...row.merged, event.data.duplicate])],
        clocks: withClocks(row.clocks, event.data.clocks),
      };
    case 'desk.merge-withdrawn.v1':
      return { ...row, pendingMerge: null };
    case 'desk.tickets-linked.v1': {
      const { other, kind } = event.data;
      const known = row.links.some((link) => link.other === other && link.kind === kind);
      return known ? row : { ...row, links: [...row.links, { other, kind }] };
    }
    case 'desk.ticket-rated.v1':
      return { ...row, rating: event.data.score };
    case 'sla.clock-breached.v1':
      return { ...row, breached: [...new Set([...row.breached, event.data.clock])] };
    case 'sla.breach-annulled.v1':
      return { ...row, breached: row.breached.filter((clock) => clock !== event.data.clock) };
    case 'desk.case-imported.v1':
    case 'house.command-noted.v1':
      return row;
    case 'desk.queue-defined.v1':
    case 'people.person-named.v1':
      throw new Error(`${event.stream} holds ${event.type}, which is no fact about a ticket`);
    default:
      return never(event);
  }
}

export const tickets: View<TicketRow> = {
  name: 'tickets',
  version: 1,
  categories: ['ticket'],
  keyColumns: ['id'],
  key: streamId,
  fold: guarded(foldTicket),
};
