import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, ValidateIf, ValidateBy, type ValidationOptions } from 'class-validator';
import { isUuid } from '#kernel';
import { Problem, valid } from '#edge';
import { instantFrom } from './instant.js';

/**
 * The kinds of fields that requests have: each says in one place what is checked, what the refusal reads and
 * what OpenAPI states. Limits are those of ruling 16. No message repeats what the client sent (ruling 31).
 */

/** 64 KiB of UTF-8. */
export const TEXT_BYTES = 65_536;
export const LINE_LENGTH = 500;
export const NAME_LENGTH = 200;

interface Asked {
  readonly about: string;
  readonly optional?: boolean;
  readonly example?: unknown;
}

type Decorate = (target: object, property: string) => void;

function field(
  api: Record<string, unknown>,
  { about, optional = false, example }: Asked,
  checks: readonly Decorate[],
) {
  return (target: object, property: string): void => {
    ApiProperty({
      ...api,
      description: about,
      required: !optional,
      ...(example !== undefined && { example }),
    })(target, property);
    if (optional) ValidateIf((_, value) => value !== undefined)(target, property);
    for (const check of checks) check(target, property);
  };
}

const check = (name: string, message: ValidationOptions['message'], holds: (value: unknown) => boolean) =>
  ValidateBy({ name, validator: { validate: holds } }, { message }) as Decorate;

const blank = /^\s*$/;
const breaks = /[\r\n\u2028\u2029]/;

/** Many lines. */
export const Text = (asked: Asked) =>
  field({ type: 'string', minLength: 1, maxLength: TEXT_BYTES }, asked, [
    check(
      'text',
      'must be a text of 1 byte to 64 KiB in UTF-8 that is not blank',
      (value) =>
        typeof value === 'string' &&
        value.length <= TEXT_BYTES &&
        Buffer.byteLength(value) <= TEXT_BYTES &&
        !blank.test(value),
    ),
  ]);

/** One line. */
export const Line = (asked: Asked, length = LINE_LENGTH) =>
  field({ type: 'string', minLength: 1, maxLength: length }, asked, [
    check(
      'line',
      `must be one line of 1 to ${length} characters that is not blank`,
      (value) =>
        typeof value === 'string' && value.length <= length && !breaks.test(value) && !blank.test(value),
    ),
  ]);

/** What people call a group, a category, a person. */
export const Name = (asked: Asked) => Line(asked, NAME_LENGTH);

export const Code = (values: readonly string[], asked: Asked) =>
  field({ type: 'string', enum: values }, asked, [
    IsIn(values, { message: `must be one of ${values.join(', ')}` }) as Decorate,
  ]);

export const Whole = (min: number, max: number, asked: Asked) =>
  field({ type: 'integer', minimum: min, maximum: max }, asked, [
    check(
      'whole',
      `must be a whole number from ${min} to ${max}`,
      (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    ),
  ]);

export const Flag = (asked: Asked) =>
  field({ type: 'boolean' }, asked, [IsBoolean({ message: 'must be true or false' }) as Decorate]);

export const Id = (asked: Asked) =>
  field({ type: 'string', format: 'uuid' }, asked, [
    check('id', 'must be an id (a UUID in lower case)', isUuid),
  ]);

export const Moment = (asked: Asked) =>
  field({ type: 'string', format: 'date-time' }, asked, [
    check(
      'moment',
      'must be an instant as in RFC 3339, for instance 2026-11-24T17:00:00Z',
      (value) => typeof value === 'string' && instantFrom(value) !== null,
    ),
  ]);

const ADDRESS = /^[^\s@<>",;:\\]+@[^\s@<>",;:\\]+$/;

export const Address = (asked: Asked) =>
  field({ type: 'string', format: 'email', maxLength: 254 }, asked, [
    check(
      'address',
      'must be an e-mail address of at most 254 characters',
      (value) => typeof value === 'string' && value.length <= 254 && ADDRESS.test(value),
    ),
  ]);

/** A record within the record, checked by its own class. */
export const Part = (of: new () => object, asked: Asked) => {
  const wrong = (value: unknown): string | null => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object';
    try {
      valid(of, value);
      return null;
    } catch (error) {
      if (error instanceof Problem) return error.detail;
      throw error;
    }
  };
  return field({ type: () => of }, asked, [
    check(
      'part',
      (args) => wrong(args?.value) ?? '',
      (value) => wrong(value) === null,
    ),
  ]);
};
