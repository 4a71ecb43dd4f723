import { Injectable, type PipeTransform } from '@nestjs/common';
import { registerDecorator, type ValidationOptions } from 'class-validator';
import type { Uuid } from '#kernel';
import { readId } from './headers.js';

/** Bytes of UTF-8 of a long text (ruling 16). */
export const MAX_TEXT = 64 * 1024;
/** Bytes of one that stands on one line. */
export const MAX_LINE = 1024;

const LINE_BREAK = /[\u0000-\u001f\u007f\u0085\u2028\u2029]/;

/** A text of at least one character other than space, and of at most so many bytes in UTF-8. */
export function Text(
  options: { readonly bytes: number; readonly line?: boolean } & ValidationOptions,
): PropertyDecorator {
  const { bytes, line = false, ...rest } = options;
  return (target, property) =>
    registerDecorator({
      name: 'text',
      target: target.constructor,
      propertyName: property as string,
      options: rest,
      validator: {
        validate: (value: unknown) =>
          typeof value === 'string' &&
          (value.length * 3 <= bytes || Buffer.byteLength(value) <= bytes) &&
          value.trim() !== '' &&
          !(line && LINE_BREAK.test(value)),
        defaultMessage: () =>
          `must be a text${line ? ' on one line' : ''} of at least one character and at most ${bytes} bytes`,
      },
    });
}

/** One line: a subject, a name, a title. */
export const OneLine = (options: ValidationOptions & { readonly bytes?: number } = {}): PropertyDecorator =>
  Text({ bytes: MAX_LINE, ...options, line: true });

/** What somebody says at length. */
export const LongText = (options: ValidationOptions = {}): PropertyDecorator =>
  Text({ bytes: MAX_TEXT, ...options });

/** `@Param('id', IdOf) id: Uuid`: what is no UUID is answered as an unknown id is. */
@Injectable()
export class IdOf implements PipeTransform<unknown, Uuid> {
  transform(value: unknown): Uuid {
    return readId(value);
  }
}
