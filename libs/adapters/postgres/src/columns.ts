import { Column, type ColumnOptions, type ColumnType, type ValueTransformer } from 'typeorm';
import { toInstant, type Instant } from '#kernel';

export const unlessNull =
  <A, B>(convert: (value: A) => B) =>
  (value: A | null | undefined): B | null =>
    value === null || value === undefined ? null : convert(value);

/** `timestamptz` as the instant it is; all of ours are whole seconds. */
export const instants: ValueTransformer = {
  to: (at: Instant | null) => at,
  from: unlessNull((at: Date | string) => toInstant(new Date(at).getTime() / 1000)),
};
/** `bigint` that a JavaScript number holds exactly: microseconds, seconds, tokens, counts. */
export const numbers: ValueTransformer = {
  to: (value: number | null) => value,
  from: unlessNull((value: string | number) => Number(value)),
};

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A column named after its property, in snake case; every column says its type. */
export const columnOf =
  (type: ColumnType, given: ColumnOptions = {}) =>
  (options: ColumnOptions = {}): PropertyDecorator =>
  (target, property) =>
    Column({ type, name: snake(String(property)), ...given, ...options })(target, property);

/** Columns by what they hold. */
export const columns = {
  uuid: columnOf('uuid'),
  text: columnOf('text'),
  integer: columnOf('integer'),
  boolean: columnOf('boolean'),
  bytes: columnOf('bytea'),
  /** Kept as it was written: nothing is ever asked of what is inside, and `jsonb` would be paid for at each write. */
  json: columnOf('json'),
  instant: columnOf('timestamptz', { transformer: instants }),
  number: columnOf('bigint', { transformer: numbers }),
} as const;

export const orNull = { nullable: true } as const;
