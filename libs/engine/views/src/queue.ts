import { queueEvents, ticketEvents, type TicketEvent } from '#domain/desk';
import type { HoldReason } from '#domain/sla';
import {
  earlier,
  HOUSE,
  never,
  toSeconds,
  type EpochSeconds,
  type Instant,
  type PersonId,
  type Position,
  type Recorded,
} from '#kernel';
import type { Sealed } from '#engine/store';
import { promisedAfter, promiseState, type PromiseState } from './clocks.js';
import { INTAKE, type TicketStatus } from './tickets.js';
import { streamId, termBlob, Undigestible, viewOf } from './view.js';

/**
 * Where a ticket stands in its one queue (ruling 47). It waits while it is open, nobody has it and nothing
 * it waits for holds it; agents take it by assigning themselves until claims come with the fair queue.
 */
export const STANDINGS = ['waiting', 'held', 'assigned', 'gone'] as const;
export type Standing = (typeof STANDINGS)[number];

/** Where a ticket stands and in which order; what is shown of it is the ticket's own row. */
export interface QueueItemRow {
  readonly ticket: string;
  readonly revision: number;
  readonly queue: string;
  readonly standing: Standing;
  /** κ: smaller is served first; null unless waiting (ruling 23). */
  readonly rank: EpochSeconds | null;
  /** Position of its opening: ties go by it. */
  readonly opened: Position;
  /** Beginning of the present wait, or of the last one. */
  readonly enteredAt: Instant;
  readonly status: TicketStatus;
  readonly holds: readonly HoldReason[];
  readonly agent: PersonId | null;
  readonly clocks: readonly PromiseState[];
  /** Blob with the field `group`. */
  readonly groupLabel: Sealed | null;
  /** Of a group it is offered to, likewise. */
  readonly offeredLabel: Sealed | null;
}

/** Whose due instant is a waiting ticket's key: the earliest of the first that run, else of the next (ruling 23). */
const NEXT_PROMISES: readonly (readonly PromiseState['clock'][])[] = [
  ['first-response', 'next-response', 'hand-over-acceptance'],
  ['periodic-update'],
  ['resolution'],
];

/** Due instant of the next open promise; a paused or ended clock promises nothing now. */
function dueOfNextPromise(clocks: readonly PromiseState[]): Instant | null {
  for (const names of NEXT_PROMISES) {
    const dues = clocks.flatMap(({ clock, state, due }) =>
      names.includes(clock) && state === 'running' && due !== null ? [due] : [],
    );
    if (dues.length > 0) return dues.reduce(earlier);
  }
  return null;
}

function standing(row: QueueItemRow): Standing {
  switch (row.status) {
    case 'open':
      return row.agent === null ? 'waiting' : 'assigned';
    case 'on-hold':
      return 'held';
    case 'resolved':
    case 'closed':
    case 'merged':
      return 'gone';
    default:
      return never(row.status);
  }
}

/**
 * Settles where the row stands after an event, and its key: at every entry no older than the entry, while
 * it waits only ever smaller, and never older than the entry either (domain.md D.3, P4).
 */
function settled(before: QueueItemRow | null, row: QueueItemRow, at: Instant): QueueItemRow {
  const stands = standing(row);
  if (stands !== 'waiting') return { ...row, standing: stands, rank: null };
  const due = dueOfNextPromise(row.clocks);
  const stays = before !== null && before.rank !== null && before.queue === row.queue;
  const entry = toSeconds(stays ? before.enteredAt : at);
  const key = Math.max(due === null ? entry : toSeconds(due), entry);
  if (stays)
    return { ...row, standing: stands, rank: due === null ? before.rank : Math.min(before.rank!, key) };
  return { ...row, standing: stands, enteredAt: at, rank: key };
}

const clocksAfter = (clocks: readonly PromiseState[], event: TicketEvent): readonly PromiseState[] =>
  promisedAfter({ clocks, breaches: [] }, event, promiseState).clocks;

function foldItem(row: QueueItemRow | null, event: Recorded<TicketEvent>): QueueItemRow {
  if (row === null) {
    if (event.type !== 'desk.ticket-opened.v1')
      throw new Undigestible(`${event.stream} begins with ${event.type}`);
    const item: QueueItemRow = {
      ticket: streamId(event),
      revision: event.revision,
      queue: INTAKE,
      standing: 'waiting',
      rank: null,
      opened: event.position,
      enteredAt: event.occurredAt,
      status: 'open',
      holds: [],
      agent: null,
      clocks: clocksAfter([], event),
      groupLabel: null,
      offeredLabel: null,
    };
    return settled(null, item, event.occurredAt);
  }
  const after = {
    ...changed(row, event),
    revision: event.revision,
    clocks: clocksAfter(row.clocks, event),
  };
  return settled(row, after, event.occurredAt);
}

function holding(row: QueueItemRow, holds: readonly HoldReason[]): QueueItemRow {
  if (row.status !== 'open' && row.status !== 'on-hold') return row;
  return { ...row, holds, status: holds.length > 0 ? 'on-hold' : 'open' };
}

/** As in the tickets: what is superseded changes nothing but the promises. */
function changed(row: QueueItemRow, event: Recorded<TicketEvent>): QueueItemRow {
  // A late fact behind a later one of its kind moves the clocks alone.
  if ('superseded' in event.data && event.data.superseded) return row;
  switch (event.type) {
    case 'desk.ticket-opened.v1':
      throw new Undigestible(`${event.stream} is opened twice`);
    case 'desk.ticket-assigned.v1':
      if (event.data.superseded) return row;
      return {
        ...row,
        agent: event.data.agent ?? null,
        queue: event.data.group ?? INTAKE,
        groupLabel: event.data.group === undefined ? null : termBlob(event),
      };
    case 'desk.handover-offered.v1':
      return { ...row, offeredLabel: event.data.group === undefined ? null : termBlob(event) };
    case 'desk.handover-accepted.v1': {
      const { group, agent } = event.data;
      return {
        ...row,
        agent,
        queue: group ?? row.queue,
        groupLabel: group === undefined ? row.groupLabel : row.offeredLabel,
        offeredLabel: null,
      };
    }
    case 'desk.handover-declined.v1':
    case 'desk.handover-withdrawn.v1':
      return { ...row, offeredLabel: null };
    case 'desk.ticket-held.v1':
      return event.data.superseded ? row : holding(row, [...new Set([...row.holds, event.data.reason])]);
    case 'desk.ticket-resumed.v1':
      if (event.data.superseded) return row;
      return holding(
        row,
        row.holds.filter((reason) => reason !== event.data.reason),
      );
    case 'desk.ticket-resolved.v1':
      return { ...row, status: 'resolved', holds: [], offeredLabel: null };
    case 'desk.ticket-reopened.v1':
      return { ...row, status: 'open' };
    case 'desk.ticket-closed.v1':
      return { ...row, status: 'closed', holds: [], offeredLabel: null };
    case 'desk.ticket-merged.v1':
      return { ...row, status: 'merged', holds: [], offeredLabel: null };
    case 'desk.message-received.v1':
    case 'desk.message-sent.v1':
    case 'desk.note-added.v1':
    case 'desk.ticket-classified.v1':
    case 'desk.ticket-prioritised.v1':
    case 'desk.ticket-retargeted.v1':
    case 'desk.ticket-handed-to-vendor.v1':
    case 'desk.ticket-taken-back.v1':
    case 'desk.ticket-escalated.v1':
    case 'desk.merge-begun.v1':
    case 'desk.merge-completed.v1':
    case 'desk.merge-withdrawn.v1':
    case 'desk.tickets-linked.v1':
    case 'desk.ticket-rated.v1':
    case 'desk.case-imported.v1':
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

export const queueItems = viewOf<typeof ticketEvents, QueueItemRow>(ticketEvents, {
  name: 'queue_items',
  version: 1,
  keyColumns: ['ticket'],
  fold: foldItem,
  tallies: (row) => (row.standing === 'gone' ? [] : [{ subject: row.queue, kind: row.standing }]),
});

/** A queue that the desk defined; a group's tickets wait in its queue whether it was defined or not. */
export interface QueueRow {
  readonly id: string;
  readonly revision: number;
  readonly etag: number;
  readonly definedAt: Instant;
  /** Blob with the fields `group` and, where it was given one, `title`. */
  readonly label: Sealed | null;
}

export const queues = viewOf<typeof queueEvents, QueueRow>(queueEvents, {
  name: 'queues',
  version: 1,
  keyColumns: ['id'],
  fold: (row, event) => {
    const stands = {
      id: streamId(event),
      revision: event.revision,
      etag: row !== null && event.actor.id === HOUSE && !event.key ? row.etag : event.revision,
    };
    switch (event.type) {
      case 'desk.queue-defined.v1':
        return { ...stands, definedAt: row?.definedAt ?? event.occurredAt, label: termBlob(event) };
      case 'house.command-noted.v1':
        if (row === null) throw new Undigestible(`${event.stream} begins with ${event.type}`);
        return { ...row, ...stands };
      default:
        return never(event);
    }
  },
});
