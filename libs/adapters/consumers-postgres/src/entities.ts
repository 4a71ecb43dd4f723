import {
  Column,
  Entity,
  PrimaryColumn,
  type ColumnOptions,
  type ColumnType,
  type ValueTransformer,
} from 'typeorm';
import type { BrokenPromise, TicketMeasures } from '#engine/analytics';
import type { ConsumerState, Pinned } from '#engine/feed';
import type { Candidate } from '#engine/knowledge';
import { toInstant, type Instant } from '#kernel';

/**
 * Entities name no schema: each consumer has a data source of its own, whose schema is the consumer's name.
 */
const unlessNull =
  <A, B>(convert: (value: A) => B) =>
  (value: A | null | undefined): B | null =>
    value === null || value === undefined ? null : convert(value);

/** `timestamptz` as the instant it is; all of ours are whole seconds. */
export const instants: ValueTransformer = {
  to: (at: Instant | null) => at,
  from: unlessNull((at: Date | string) => toInstant(new Date(at).getTime() / 1000)),
};
/** `bigint` that a JavaScript number holds exactly. */
export const numbers: ValueTransformer = {
  to: (value: number | null) => value,
  from: unlessNull((value: string | number) => Number(value)),
};

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
/** A column of that name in snake case; every column says its type. */
const as =
  (type: ColumnType, options: ColumnOptions = {}): PropertyDecorator =>
  (target, property) =>
    Column({ type, name: snake(String(property)), ...options })(target, property);

const uuid = (options?: ColumnOptions) => as('uuid', options);
const text = (options?: ColumnOptions) => as('text', options);
const integer = (options?: ColumnOptions) => as('integer', options);
const json = (options?: ColumnOptions) => as('json', options);
const boolean = (options?: ColumnOptions) => as('boolean', options);
const instant = (options?: ColumnOptions) => as('timestamptz', { transformer: instants, ...options });
const number = (options?: ColumnOptions) => as('bigint', { transformer: numbers, ...options });
const orNull = { nullable: true } as const;

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
  @as('bytea') key!: Buffer;
  @as('bytea') value!: Buffer;
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
