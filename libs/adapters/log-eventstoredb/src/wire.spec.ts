import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Uuid } from '#kernel';
import { APPEND_LIMIT, EVENT_LIMIT } from '#engine/store';
import { bodyOf, positionOf, toWire } from './wire.js';

const TYPE = 't'.repeat(200);
const event = (body: string, id = 'i') => ({ id: id as Uuid, type: TYPE, body });
const back = ({ data, metadata = {} }: ReturnType<typeof toWire>[number]): string => bodyOf(data, metadata);
/** As the server counts (eventstoredb.md, source). */
const size = (events: ReturnType<typeof toWire>): number =>
  events.reduce(
    (sum, { data, type, metadata }) =>
      sum + data.length + 2 * type.length + (metadata ? Buffer.byteLength(JSON.stringify(metadata)) : 0),
    0,
  );

describe('a body on the wire', () => {
  test('is its own bytes, and comes back character for character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (body) => {
        const [wire] = toWire([event(body)], null);
        expect(wire!.data.toString()).toBe(body);
        expect(wire!.metadata).toBeUndefined();
        expect(back(wire!)).toBe(body);
      }),
    );
  });

  test.each([
    ['letters', () => 'a'.repeat(EVENT_LIMIT - 2)],
    ['sealed text', () => randomBytes(((EVENT_LIMIT - 4) / 4) * 3 - 3).toString('base64')],
    [
      'any letter at all',
      () =>
        Array.from(randomBytes((EVENT_LIMIT - 2) / 2), (byte) => String.fromCodePoint(0x80 + byte * 7))
          .join('')
          .slice(0, (EVENT_LIMIT - 2) / 2),
    ],
  ])('of %s fits into what the server takes, at the very limit of the desk', (_, text) => {
    const body = `"${text()}"`;
    const count = APPEND_LIMIT / EVENT_LIMIT;
    const wire = toWire(
      Array.from({ length: count }, (_, i) => event(body, `i${i}`)),
      'AAAAAAAA',
    );
    expect(size(wire)).toBeLessThanOrEqual(1024 * 1024);
    for (const each of wire) expect(back(each)).toBe(body);
    expect(wire[0]!.metadata?.try).toBe('AAAAAAAA');
  });
});

test('a position that no number holds is refused', () => {
  expect(positionOf({ position: 2 ** 53 - 1 })).toHaveLength(16);
  expect(() => positionOf({ position: 2 ** 53 })).toThrow(RangeError);
  expect(() => positionOf({ position: NaN })).toThrow(RangeError);
});
