import { Entity, PrimaryColumn } from 'typeorm';
import { columns, numbers, orNull } from '#adapters/postgres';
import type { BrokenPromise, TicketMeasures } from '#engine/analytics';
import type { ConsumerState, Pinned } from '#engine/feed';
import type { Candidate } from '#engine/knowledge';
import type { Instant } from '#kernel';

/** Entities name no schema: each consumer has a data source of its own, whose schema is the consumer's name. */
const { uuid, text, integer, json, boolean, bytes, instant, number } = columns;

/** The one row that is true of all tables of a consumer. */
@Entity({ name: 'state' })
export class StateEntity implements ConsumerState {
  @PrimaryColumn({ type: 'boolean' }) only!: boolean;
  @integer() version!: number;
  @json() pinned!: Pinned;
  @text(orNull) source!: string | null;
  @number() generation!: number;
}

@Entity({ name: 'positions' })
export class PositionEntity {
  @PrimaryColumn({ type: 'text' }) feed!: string;
  @PrimaryColumn({ type: 'text' }) topic!: string;
  @PrimaryColumn({ type: 'integer' }) partition!: number;
  @text() next!: string;
  @number() digested!: number;
  @number() repeats!: number;
  @number() buried!: number;
  @number(orNull) recordedAt!: number | null;
}

/** Ids of the messages taken in, digested or buried. */
@Entity({ name: 'seen' })
export class SeenEntity {
  @PrimaryColumn({ type: 'uuid' }) id!: string;
}

/** Key and value as bytes: what is no message may hold what no text column takes. */
@Entity({ name: 'dead_letters' })
export class DeadLetterEntity {
  @PrimaryColumn({ type: 'bigint', transformer: numbers }) number!: number;
  @text() feed!: string;
  @text() topic!: string;
  @integer() partition!: number;
  @text() offset!: string;
  @bytes() key!: Buffer;
  @bytes() value!: Buffer;
  @text() reason!: string;
  @boolean() told!: boolean;
}

const runtimeEntities = [StateEntity, PositionEntity, SeenEntity, DeadLetterEntity] as const;

@Entity({ name: 'tickets' })
export class TicketMeasuresEntity implements TicketMeasures {
  @PrimaryColumn({ type: 'uuid' }) ticket!: string;
  @integer() revision!: number;
  @text() tier!: string;
  @text() channel!: string;
  @text() standing!: TicketMeasures['standing'];
  @instant() openedAt!: Instant;
  @instant(orNull) answeredAt!: Instant | null;
  @json() resolvedAt!: readonly Instant[];
  @json() reopenedAt!: readonly Instant[];
  @instant(orNull) mergedAt!: Instant | null;
  @json() breaches!: readonly BrokenPromise[];
}

/** How often something happened on a day, by tier and channel. */
@Entity({ name: 'days' })
export class DayEntity {
  @PrimaryColumn({ type: 'date' }) day!: string;
  @PrimaryColumn({ type: 'text' }) tier!: string;
  @PrimaryColumn({ type: 'text' }) channel!: string;
  @PrimaryColumn({ type: 'text' }) measure!: string;
  @number() count!: number;
}

@Entity({ name: 'tickets' })
export class CandidateEntity implements Candidate {
  @PrimaryColumn({ type: 'uuid' }) ticket!: string;
  @integer() revision!: number;
  @text() number!: string;
  @uuid(orNull) category!: string | null;
  @uuid(orNull) subcategory!: string | null;
  @text(orNull) resolution!: string | null;
  @instant(orNull) resolvedAt!: Instant | null;
  @boolean() gone!: boolean;
  @boolean() candidate!: boolean;
}

/** Candidates by category; tickets without one count under a name of their own. */
@Entity({ name: 'categories' })
export class CategoryEntity {
  @PrimaryColumn({ type: 'text' }) category!: string;
  @number() count!: number;
}

export const analyticsEntities = [...runtimeEntities, TicketMeasuresEntity, DayEntity];
export const knowledgeEntities = [...runtimeEntities, CandidateEntity, CategoryEntity];
