import type { Tier } from '#domain/desk';
import type { ClockRecord } from '#domain/sla';
import { never, toSeconds, type Instant, type PersonId, type Position, type Uuid } from '#kernel';
import type { Sealed } from '#engine/store';
import { INTAKE, withClocks, type TicketStatus } from './tickets.js';
import { guarded, streamId, termBlob, textBlob, type Noted, type View } from './view.js';

/**
 * Where a ticket stands in its one queue (ruling 47). It waits while it is open, nobody has it and nothing
 * it waits for holds it; agents take it by assigning themselves until claims come with the fair queue.
 */
export type Standing = 'waiting' | 'held' | 'assigned' | 'gone';

export interface QueueItemRow {
  readonly ticket: string;
  readonly number: string;
  readonly revision: number;
  readonly queue: string;
  readonly standing: Standing;
  /** κ in epoch seconds: smaller is served first; null unless waiting (ruling 23). */
  readonly rank: number | null;
  /** Ties go by the order of opening. */
  readonly opened: Position;
  /** Of the present wait. */
  readonly enteredAt: Instant;
  readonly tier: Tier;
  readonly priority: number;
  readonly status: TicketStatus;
  readonly holds: readonly string[];
  readonly agent: PersonId | null;
  readonly group: Uuid | null;
  readonly clocks: readonly ClockRecord[];
  readonly breached: boolean;
  readonly requester: PersonId;
  readonly subject: Sealed | null;
  readonly groupLabel: Sealed | null;
  /** Of a group it is offered to. */
  readonly offeredLabel: Sealed | null;
}

/**
 * κ of a ticket that waits (ruling 23): the due instant of its next open promise, first response before
 * resolution; a paused or ended clock promises nothing now. Without any promise: its entry.
 */
function dueOfNextPromise(clocks: readonly ClockRecord[]): Instant | null {
  const due = (name: ClockRecord['clock']) =>
    clocks.find((clock) => clock.clock === name && clock.state === 'running')?.due ?? null;
  return due('first-response') ?? due('resolution');
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

/** Settles where the row stands after an event, and its key: at an entry no older than the entry, later only smaller. */
function settled(before: QueueItemRow | null, row: QueueItemRow, at: Instant): QueueItemRow {
  const now = standing(row);
  if (now !== 'waiting') return { ...row, standing: now, rank: null };
  const stays = before !== null && before.standing === 'waiting' && before.queue === row.queue;
  const due = dueOfNextPromise(row.clocks);
  const key = due === null ? null : toSeconds(due);
  if (stays) return { ...row, standing: now, rank: Math.min(before.rank!, key ?? before.rank!) };
  const entry = toSeconds(at);
  return { ...row, standing: now, enteredAt: at, rank: Math.max(key ?? entry, entry) };
}

function foldItem(row: QueueItemRow | null, event: Noted): QueueItemRow {
  if (row === null) {
    if (event.type !== 'desk.ticket-opened.v1') throw new Error(`${event.stream} begins with ${event.type}`);
    const { data } = event;
    return settled(
      null,
      {
        ticket: streamId(event),
        number: data.number,
        revision: event.revision,
        queue: INTAKE,
        standing: 'waiting',
        rank: null,
        opened: event.position,
        enteredAt: event.occurredAt,
        tier: data.tier,
        priority: data.priority,
        status: 'open',
        holds: [],
        agent: null,
        group: null,
        clocks: data.clocks,
        breached: false,
        requester: data.requester,
        subject: textBlob(event),
        groupLabel: null,
        offeredLabel: null,
      },
      event.occurredAt,
    );
  }
  return settled(row, { ...changed(row, event), revision: event.revision }, event.occurredAt);
}

const held = (row: QueueItemRow, holds: readonly string[]): QueueItemRow => ({
  ...row,
  holds,
  status:
    row.status === 'open' || row.status === 'on-hold' ? (holds.length > 0 ? 'on-hold' : 'open') : row.status,
});

function changed(row: QueueItemRow, event: Noted): QueueItemRow {
  switch (event.type) {
    case 'desk.ticket-opened.v1':
      throw new Error(`${event.stream} is opened twice`);
    case 'desk.message-received.v1':
    case 'desk.message-sent.v1':
    case 'desk.ticket-taken-back.v1':
    case 'desk.ticket-handed-to-vendor.v1':
    case 'desk.merge-completed.v1':
      return { ...row, clocks: withClocks(row.clocks, event.data.clocks) };
    case 'desk.ticket-prioritised.v1':
      return { ...row, priority: event.data.priority, clocks: withClocks(row.clocks, event.data.clocks) };
    case 'desk.ticket-assigned.v1':
      return {
        ...row,
        group: event.data.group ?? null,
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
        group: group ?? row.group,
        queue: group ?? row.queue,
        groupLabel: group === undefined ? row.groupLabel : row.offeredLabel,
        offeredLabel: null,
      };
    }
    case 'desk.ticket-held.v1':
      return {
        ...held(row, [...new Set([...row.holds, event.data.reason])]),
        clocks: withClocks(row.clocks, event.data.clocks),
      };
    case 'desk.ticket-resumed.v1':
      return {
        ...held(
          row,
          row.holds.filter((reason) => reason !== event.data.reason),
        ),
        clocks: withClocks(row.clocks, event.data.clocks),
      };
    case 'desk.ticket-resolved.v1':
      return { ...row, status: 'resolved', holds: [], clocks: withClocks(row.clocks, event.data.clocks) };
    case 'desk.ticket-reopened.v1':
      return { ...row, status: 'open', clocks: withClocks(row.clocks, event.data.clocks) };
    case 'desk.ticket-closed.v1':
      return { ...row, status: 'closed', holds: [] };
    case 'desk.ticket-merged.v1':
      return { ...row, status: 'merged', holds: [], clocks: withClocks(row.clocks, event.data.clocks) };
    case 'sla.clock-breached.v1':
      return { ...row, breached: true };
    case 'desk.handover-declined.v1':
    case 'desk.handover-withdrawn.v1':
      return { ...row, offeredLabel: null };
    case 'desk.note-added.v1':
    case 'desk.ticket-classified.v1':
    case 'desk.ticket-escalated.v1':
    case 'desk.merge-begun.v1':
    case 'desk.merge-withdrawn.v1':
    case 'desk.tickets-linked.v1':
    case 'desk.ticket-rated.v1':
    case 'desk.case-imported.v1':
    case 'sla.breach-annulled.v1':
    case 'house.command-noted.v1':
      return row;
    case 'desk.queue-defined.v1':
    case 'people.person-named.v1':
      throw new Error(`${event.stream} holds ${event.type}, which is no fact about a ticket`);
    default:
      return never(event);
  }
}

export const queueItems: View<QueueItemRow> = {
  name: 'queue_items',
  version: 1,
  categories: ['ticket'],
  keyColumns: ['ticket'],
  key: streamId,
  fold: guarded(foldItem),
  tallies: (row) => (row.standing === 'gone' ? [] : [{ subject: row.queue, kind: row.standing }]),
};

/** A queue that the desk defined; a group's tickets wait in its queue whether it was defined or not. */
export interface QueueRow {
  readonly id: string;
  readonly revision: number;
  readonly etag: number;
  readonly definedAt: Instant;
  /** Blob with the field `group`. */
  readonly label: Sealed | null;
  /** Blob with the field `title`, where it was given one. */
  readonly title: Sealed | null;
}

export const queues: View<QueueRow> = {
  name: 'queues',
  version: 1,
  categories: ['queue'],
  keyColumns: ['id'],
  key: streamId,
  fold: guarded((row: QueueRow | null, event: Noted): QueueRow => {
    const stands = { revision: event.revision, etag: event.revision };
    if (event.type === 'desk.queue-defined.v1')
      return {
        id: streamId(event),
        ...stands,
        definedAt: row?.definedAt ?? event.occurredAt,
        label: termBlob(event),
        title: textBlob(event) ?? termBlob(event),
      };
    if (event.type === 'house.command-noted.v1' && row !== null) return { ...row, ...stands };
    throw new Error(`${event.stream} holds ${event.type}, which is no fact about a queue`);
  }),
};
