import { ticketEvents, type Channel, type LinkKind, type TicketEvent, type Tier } from '#domain/desk';
import { hasEnded, type ClockRecord, type HoldReason } from '#domain/sla';
import {
  earlier,
  HOUSE,
  never,
  type Instant,
  type PersonId,
  type Position,
  type Recorded,
  type Uuid,
} from '#kernel';
import type { Sealed } from '#engine/store';
import { promisedAfter, type BreachMark } from './clocks.js';
import { streamId, termBlob, Undigestible, viewOf } from './view.js';

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

/** Term fields whose texts a ticket still needs, by the names that the page of a ticket calls them. */
export type LabelName =
  | 'externalReference'
  | 'customer'
  | 'group'
  | 'handoverGroup'
  | 'category'
  | 'subcategory'
  | 'service'
  | 'vendor'
  | 'vendorReference';

/** Where a term's text lies: `field` of the opened blob. */
export interface Label extends Sealed {
  readonly field: string;
}

/**
 * A ticket as one reads it in lists and on its page. Its subject lies sealed in the first line of its timeline,
 * with the first message in one blob (ruling 31), and is not copied into every state of the row.
 */
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
  readonly customer: Uuid | null;
  readonly policy: string;
  readonly queue: string;
  readonly group: Uuid | null;
  readonly agent: PersonId | null;
  readonly holds: readonly HoldReason[];
  /** Since when any of its promises has stood still; null while none does. */
  readonly pausedSince: Instant | null;
  /** The mark: the first due instant that passed of those promises that are still open; null where none did. */
  readonly overdueSince: Instant | null;
  readonly vendor: Uuid | null;
  readonly category: Uuid | null;
  readonly subcategory: Uuid | null;
  readonly service: Uuid | null;
  readonly externalReference: Uuid | null;
  readonly handover: Handover | null;
  readonly escalation: number;
  readonly rating: number | null;
  readonly pendingMerge: Uuid | null;
  readonly mergedInto: Uuid | null;
  readonly merged: readonly Uuid[];
  readonly links: readonly { readonly other: Uuid; readonly kind: LinkKind }[];
  readonly clocks: readonly ClockRecord[];
  readonly breaches: readonly BreachMark[];
  readonly labels: Readonly<Partial<Record<LabelName, Label>>>;
  readonly openedAt: Instant;
  /** The latest `occurredAt` of its events: a back-dated fact does not move it. */
  readonly updatedAt: Instant;
  readonly resolvedAt: Instant | null;
  readonly closedAt: Instant | null;
}

type TicketNoted = Recorded<TicketEvent>;

const whole = (record: ClockRecord): ClockRecord => record;

/** Labels after an event that says anew what these names stand for: a term field's name, or null for none. */
function relabelled(
  labels: TicketRow['labels'],
  event: TicketNoted,
  names: Readonly<Partial<Record<LabelName, string | null>>>,
): TicketRow['labels'] {
  const after: { -readonly [name in LabelName]?: Label } = { ...labels };
  const blob = termBlob(event);
  for (const [name, field] of Object.entries(names) as [LabelName, string | null][])
    if (blob !== null && field !== null && (event.data as Record<string, unknown>)[field] !== undefined)
      after[name] = { ...blob, field };
    else delete after[name];
  return after;
}

function opened(event: Extract<TicketNoted, { type: 'desk.ticket-opened.v1' }>): TicketRow {
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
    customer: data.customer ?? null,
    policy: data.policy,
    queue: INTAKE,
    group: null,
    agent: null,
    holds: [],
    pausedSince: null,
    overdueSince: null,
    vendor: null,
    category: null,
    subcategory: null,
    service: null,
    externalReference: data.externalReference ?? null,
    handover: null,
    escalation: 0,
    rating: null,
    pendingMerge: null,
    mergedInto: null,
    merged: [],
    links: [],
    ...promisedAfter({ clocks: [], breaches: [] }, event, whole),
    labels: relabelled({}, event, { externalReference: 'externalReference', customer: 'customer' }),
    openedAt: event.occurredAt,
    updatedAt: event.occurredAt,
    resolvedAt: null,
    closedAt: null,
  };
}

function foldTicket(row: TicketRow | null, event: TicketNoted): TicketRow {
  if (row === null) {
    if (event.type !== 'desk.ticket-opened.v1')
      throw new Undigestible(`${event.stream} begins with ${event.type}`);
    return opened(event);
  }
  const promised = promisedAfter(row, event, whole);
  return {
    ...changed(row, event),
    revision: event.revision,
    etag: event.actor.id === HOUSE && !event.key ? row.etag : event.revision,
    position: event.position,
    ...promised,
    pausedSince: pausedAfter(row.pausedSince, event, promised.clocks),
    overdueSince: overdueSince(promised.clocks),
    updatedAt: event.occurredAt > row.updatedAt ? event.occurredAt : row.updatedAt,
  };
}

function overdueSince(clocks: readonly ClockRecord[]): Instant | null {
  let since: Instant | null = null;
  for (const clock of clocks) {
    const { breachedAt } = clock;
    if (breachedAt !== null && !hasEnded(clock))
      since = since === null ? breachedAt : earlier(since, breachedAt);
  }
  return since;
}

/** A reason that was recorded late moves the beginning of a pause that lasts, if it pauses anything. */
function pausedAfter(
  since: Instant | null,
  event: TicketNoted,
  clocks: readonly ClockRecord[],
): Instant | null {
  const paused = clocks.filter(({ state }) => state === 'paused');
  if (paused.length === 0) return null;
  if (since === null) return paused.map(({ asOf }) => asOf).reduce(earlier);
  const reason = waitsFrom(event);
  const counts = reason !== null && paused.some(({ reasons }) => reasons.includes(reason));
  return counts ? earlier(since, event.occurredAt) : since;
}

/** Why work waits from the fact on, unless a later fact of its kind stands. */
function waitsFrom(event: TicketNoted): HoldReason | null {
  if (event.type === 'desk.ticket-held.v1') return event.data.superseded ? null : event.data.reason;
  if (event.type === 'desk.ticket-handed-to-vendor.v1') return event.data.superseded ? null : 'vendor';
  return null;
}

const waits = ({ status }: TicketRow): boolean => status === 'open' || status === 'on-hold';
const onHold = (holds: readonly HoldReason[]): TicketStatus => (holds.length > 0 ? 'on-hold' : 'open');

/** What a ticket that has ended waits for no longer. */
function ended(row: TicketRow, event: TicketNoted): TicketRow {
  return {
    ...row,
    holds: [],
    handover: null,
    vendor: null,
    labels: relabelled(row.labels, event, { handoverGroup: null, vendor: null, vendorReference: null }),
  };
}

/**
 * What the event changes beside the promises. A fact behind a later one of its kind (`superseded`) changes
 * nothing here: the later one stands.
 */
function changed(row: TicketRow, event: TicketNoted): TicketRow {
  // A late fact behind a later one of its kind moves the clocks alone.
  if ('superseded' in event.data && event.data.superseded) return row;
  switch (event.type) {
    case 'desk.ticket-opened.v1':
      throw new Undigestible(`${event.stream} is opened twice`);
    case 'desk.ticket-classified.v1':
      if (event.data.superseded) return row;
      return {
        ...row,
        category: event.data.category,
        subcategory: event.data.subcategory ?? null,
        service: event.data.service ?? null,
        labels: relabelled(row.labels, event, {
          category: 'category',
          subcategory: 'subcategory',
          service: 'service',
        }),
      };
    case 'desk.ticket-prioritised.v1':
      return event.data.superseded ? row : { ...row, priority: event.data.priority };
    case 'desk.ticket-assigned.v1':
      if (event.data.superseded) return row;
      return {
        ...row,
        group: event.data.group ?? null,
        agent: event.data.agent ?? null,
        queue: event.data.group ?? INTAKE,
        labels: relabelled(row.labels, event, { group: 'group' }),
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
        labels: relabelled(row.labels, event, { handoverGroup: 'group' }),
      };
    case 'desk.handover-accepted.v1': {
      const { group, agent } = event.data;
      const { handoverGroup, ...labels } = row.labels;
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
    case 'desk.handover-withdrawn.v1':
      return { ...row, handover: null, labels: relabelled(row.labels, event, { handoverGroup: null }) };
    case 'desk.ticket-held.v1': {
      if (event.data.superseded || !waits(row)) return row;
      const holds = [...new Set([...row.holds, event.data.reason])];
      return { ...row, holds, status: onHold(holds) };
    }
    case 'desk.ticket-resumed.v1': {
      if (event.data.superseded || !waits(row)) return row;
      const holds = row.holds.filter((reason) => reason !== event.data.reason);
      return { ...row, holds, status: onHold(holds) };
    }
    case 'desk.ticket-handed-to-vendor.v1':
      if (event.data.superseded || !waits(row)) return row;
      return {
        ...row,
        vendor: event.data.vendor,
        labels: relabelled(row.labels, event, { vendor: 'vendor', vendorReference: 'vendorReference' }),
      };
    case 'desk.ticket-taken-back.v1':
      if (event.data.superseded) return row;
      return {
        ...row,
        vendor: null,
        labels: relabelled(row.labels, event, { vendor: null, vendorReference: null }),
      };
    case 'desk.ticket-escalated.v1':
      return { ...row, escalation: event.data.level };
    case 'desk.ticket-resolved.v1':
      return { ...ended(row, event), status: 'resolved', resolvedAt: event.occurredAt };
    case 'desk.ticket-reopened.v1':
      return { ...row, status: 'open', resolvedAt: null, closedAt: null };
    case 'desk.ticket-closed.v1':
      return { ...ended(row, event), status: 'closed', closedAt: event.occurredAt };
    case 'desk.merge-begun.v1':
      return { ...row, pendingMerge: event.data.duplicate };
    case 'desk.ticket-merged.v1':
      return { ...ended(row, event), status: 'merged', mergedInto: event.data.into, pendingMerge: null };
    case 'desk.merge-completed.v1':
      return {
        ...row,
        pendingMerge: null,
        merged: [...new Set([...row.merged, event.data.duplicate])],
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
    case 'desk.message-received.v1':
    case 'desk.message-sent.v1':
    case 'desk.note-added.v1':
    case 'desk.case-imported.v1':
    case 'desk.ticket-retargeted.v1':
    case 'sla.clock-breached.v1':
    case 'sla.clock-warned.v1':
    case 'sla.warning-annulled.v1':
    case 'sla.breach-annulled.v1':
    case 'house.command-noted.v1':
      return row;
    default:
      return never(event);
  }
}

export const tickets = viewOf<typeof ticketEvents, TicketRow>(ticketEvents, {
  name: 'tickets',
  version: 3,
  keyColumns: ['id'],
  fold: foldTicket,
});
