import { Entity, PrimaryColumn, type ValueTransformer } from 'typeorm';
import { columnOf, columns, orNull, unlessNull } from '#adapters/postgres';
import type { Channel, Tier } from '#domain/desk';
import type { ClockRecord, HoldReason } from '#domain/sla';
import type {
  AttainmentRow,
  Audience,
  BreachMark,
  Checkpoint,
  Handover,
  ParkedStream,
  PendingDueRow,
  PendingPromise,
  PersonRow,
  PrioritySince,
  PromiseCycle,
  PromiseState,
  QueueItemRow,
  QueueRow,
  Rest,
  Standing,
  TicketRow,
  TicketStatus,
  TimelineRow,
} from '#engine/views';
import type { Sealed } from '#engine/store';
import {
  toOrdinal,
  toPosition,
  type Actor,
  type Instant,
  type PersonId,
  type Position,
  type Uuid,
} from '#kernel';

/** Schema of the live views; a view being rebuilt stands in BESIDE until it is swapped in. */
export const LIVE = 'views';
export const BESIDE = 'views_next';

/** `bigint` as a position: ordinals in sixteen digits. */
export const positions: ValueTransformer = {
  to: unlessNull(toOrdinal),
  from: unlessNull((ordinal: string | number) => toPosition(Number(ordinal))),
};

const { uuid, text, integer, json, boolean, instant: instantColumn, number: numberColumn } = columns;
const positionColumn = columnOf('bigint', { transformer: positions });
/** Where an index looks inside. */
const jsonb = columnOf('jsonb');

@Entity({ schema: LIVE, name: 'tickets' })
export class TicketEntity implements TicketRow {
  @PrimaryColumn({ type: 'uuid' }) id!: string;
  @text() number!: string;
  @integer() revision!: number;
  @integer() etag!: number;
  @positionColumn() opened!: Position;
  @positionColumn() position!: Position;
  @text() status!: TicketStatus;
  @text() channel!: Channel;
  @text() tier!: Tier;
  @integer() priority!: number;
  @uuid() requester!: PersonId;
  @uuid(orNull) customer!: Uuid | null;
  @text() policy!: string;
  @text() queue!: string;
  @uuid(orNull) group!: Uuid | null;
  @uuid(orNull) agent!: PersonId | null;
  @json() holds!: readonly HoldReason[];
  @instantColumn(orNull) pausedSince!: Instant | null;
  @instantColumn(orNull) overdueSince!: Instant | null;
  @uuid(orNull) vendor!: Uuid | null;
  @uuid(orNull) category!: Uuid | null;
  @uuid(orNull) subcategory!: Uuid | null;
  @uuid(orNull) service!: Uuid | null;
  @uuid(orNull) externalReference!: Uuid | null;
  @json(orNull) handover!: Handover | null;
  @integer() escalation!: number;
  @integer(orNull) rating!: number | null;
  @uuid(orNull) pendingMerge!: Uuid | null;
  @uuid(orNull) mergedInto!: Uuid | null;
  @json() merged!: readonly Uuid[];
  @json() links!: TicketRow['links'];
  @json() clocks!: readonly ClockRecord[];
  @json() breaches!: readonly BreachMark[];
  @json() labels!: TicketRow['labels'];
  @instantColumn() openedAt!: Instant;
  @instantColumn() updatedAt!: Instant;
  @instantColumn(orNull) resolvedAt!: Instant | null;
  @instantColumn(orNull) closedAt!: Instant | null;
}

@Entity({ schema: LIVE, name: 'timeline' })
export class TimelineEntity implements TimelineRow {
  @PrimaryColumn({ type: 'uuid' }) ticket!: string;
  @PrimaryColumn({ type: 'integer' }) revision!: number;
  @positionColumn() position!: Position;
  @text() type!: string;
  @text() audience!: Audience;
  @instantColumn() occurredAt!: Instant;
  @numberColumn() recordedAt!: number;
  @json() actor!: Actor;
  @json() data!: object;
  @json(orNull) sealed!: Readonly<Record<string, string>> | null;
}

@Entity({ schema: LIVE, name: 'queue_items' })
export class QueueItemEntity implements QueueItemRow {
  @PrimaryColumn({ type: 'uuid' }) ticket!: string;
  @integer() revision!: number;
  @text() queue!: string;
  @text() standing!: Standing;
  @numberColumn(orNull) rank!: number | null;
  @positionColumn() opened!: Position;
  @instantColumn() enteredAt!: Instant;
  @text() status!: TicketStatus;
  @json() holds!: readonly HoldReason[];
  @uuid(orNull) agent!: PersonId | null;
  @json() clocks!: readonly PromiseState[];
  @json(orNull) groupLabel!: Sealed | null;
  @json(orNull) offeredLabel!: Sealed | null;
}

@Entity({ schema: LIVE, name: 'queues' })
export class QueueEntity implements QueueRow {
  @PrimaryColumn({ type: 'uuid' }) id!: string;
  @integer() revision!: number;
  @integer() etag!: number;
  @instantColumn() definedAt!: Instant;
  @json(orNull) label!: Sealed | null;
}

@Entity({ schema: LIVE, name: 'people' })
export class PersonEntity implements PersonRow {
  @PrimaryColumn({ type: 'uuid' }) id!: string;
  @integer() revision!: number;
  @json(orNull) called!: Sealed | null;
}

@Entity({ schema: LIVE, name: 'pending_dues' })
export class PendingDueEntity implements PendingDueRow {
  @PrimaryColumn({ type: 'uuid' }) ticket!: string;
  @integer() revision!: number;
  @instantColumn(orNull) due!: Instant | null;
  @boolean() importing!: boolean;
  @json() clocks!: readonly PendingPromise[];
}

@Entity({ schema: LIVE, name: 'attainment' })
export class AttainmentEntity implements AttainmentRow {
  @PrimaryColumn({ type: 'uuid' }) ticket!: string;
  @integer() revision!: number;
  @text() tier!: Tier;
  @json() priorities!: readonly PrioritySince[];
  @json() rests!: readonly Rest[];
  @json() cycles!: readonly PromiseCycle[];
  @jsonb() waitedIn!: readonly string[];
  @instantColumn(orNull) metAt!: Instant | null;
}

/** Counts kept by the events (DESIGN section 6). */
@Entity({ schema: LIVE, name: 'tallies' })
export class TallyEntity {
  @PrimaryColumn({ type: 'text' }) view!: string;
  @PrimaryColumn({ type: 'text' }) subject!: string;
  @PrimaryColumn({ type: 'text' }) kind!: string;
  @numberColumn() count!: number;
}

@Entity({ schema: LIVE, name: 'checkpoints' })
export class CheckpointEntity implements Checkpoint {
  @PrimaryColumn({ type: 'text' }) view!: string;
  @integer() version!: number;
  @numberColumn() token!: number;
  @uuid() log!: Uuid;
  @positionColumn() position!: Position;
  @uuid(orNull) event!: Uuid | null;
  @numberColumn() recordedAt!: number;
}

@Entity({ schema: LIVE, name: 'parked' })
export class ParkedEntity implements ParkedStream {
  @PrimaryColumn({ type: 'text' }) view!: string;
  @PrimaryColumn({ type: 'text' }) stream!: string;
  @integer({ name: 'from_revision' }) from!: number;
  @integer({ name: 'up_to_revision' }) upTo!: number;
  @positionColumn() position!: Position;
  @text() reason!: string;
}

/** Row entities by the view's name. */
export const rowEntities = {
  tickets: TicketEntity,
  timeline: TimelineEntity,
  queue_items: QueueItemEntity,
  queues: QueueEntity,
  people: PersonEntity,
  pending_dues: PendingDueEntity,
  attainment: AttainmentEntity,
} as const;

export const entities = [...Object.values(rowEntities), TallyEntity, CheckpointEntity, ParkedEntity];
