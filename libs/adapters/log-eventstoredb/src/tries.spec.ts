import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { uuidV7, uuidV8, type Uuid } from '#kernel';
import { Tries } from './tries.js';

const NOON = Date.UTC(2026, 0, 1, 12);
const some = (made: number, nth = 0): Uuid => uuidV7(made, new Uint8Array(10).fill(nth));

describe('a try of an append', () => {
  test('is surely the first where its ids were made just now, and nobody here has tried them', () => {
    const tries = new Tries(() => NOON);
    expect(tries.begin([some(NOON), some(NOON, 1)])).toBe(true);
    expect(tries.isAlone([some(NOON), some(NOON, 1)])).toBe(true);
  });

  test('may be a repeat where one of its ids was tried, and the first try is no longer alone', () => {
    const tries = new Tries(() => NOON);
    tries.begin([some(NOON), some(NOON, 1)]);
    expect(tries.begin([some(NOON, 1), some(NOON, 2)])).toBe(false);
    expect(tries.isAlone([some(NOON), some(NOON, 1)])).toBe(false);
  });

  test.each([
    ['derived', uuidV8(new Uint8Array(16))],
    ['made a minute ago', some(NOON - 60_000)],
    ['made by a clock far ahead', some(NOON + 60_000)],
  ])('may be a repeat where its id was %s', (_, id) => {
    expect(new Tries(() => NOON).begin([id])).toBe(false);
  });

  test('is remembered for as long as its id counts as made just now', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 6 }), fc.nat(14_999), (pauses, late) => {
        let now = NOON;
        const tries = new Tries(() => now);
        for (const pause of pauses) tries.begin([some((now += pause), 7)]);
        const id = some(now, 1);
        tries.begin([id]);
        const began = now;
        for (; now < began + late; now += 1_000) tries.begin([some(now, 2)]);
        now = began + late;
        expect(tries.begin([id])).toBe(false);
      }),
    );
  });
});
