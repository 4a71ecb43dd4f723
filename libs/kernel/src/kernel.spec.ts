import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DESK, event, f, sealedFields, separate, toInstant, toSeconds, type PersonId } from './index.js';

describe('instants', () => {
  it('are floored to the second, whatever was asked before', () => {
    const seconds = fc.double({ min: -62_135_596_800, max: 253_402_300_799, noNaN: true });
    fc.assert(
      fc.property(fc.array(seconds, { minLength: 1, maxLength: 20 }), (asked) => {
        for (const each of [...asked, ...asked]) {
          const at = toInstant(each);
          expect(at).toBe(`${new Date(Math.floor(each) * 1000).toISOString().slice(0, 19)}Z`);
          expect(toSeconds(at) === Math.floor(each)).toBe(true);
        }
      }),
    );
  });

  it('that share a place in what is remembered are not taken for each other', () => {
    for (let i = 0; i < 3; i++)
      for (const seconds of [0, 256, 512, 2 ** 32])
        expect(toInstant(seconds)).toBe(`${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`);
  });

  it('that are none are refused', () => {
    for (const none of [NaN, Infinity]) expect(() => toInstant(none)).toThrow(RangeError);
  });
});

describe('what is typed and what is clear', () => {
  const definition = event(['ticket'], 'a test', 'A fact.', {
    number: f.name('a number'),
    group: f.optional(f.term('a group')),
    subject: f.text('a line'),
    text: f.optional(f.text('a text')),
  });
  const carol = '00000000-0000-8000-8000-00000000000c' as PersonId;

  it('is parted by whose key it is to be sealed under, and terms leave their ids', () => {
    const group = { id: carol, of: DESK, text: 'Network' };
    const parted = separate(
      { number: 'T-1', group, subject: { of: carol, text: 'Hello' }, text: { of: carol, text: 'World' } },
      sealedFields(definition),
    );
    expect(parted.clear).toStrictEqual({ number: 'T-1', group: carol });
    expect([...parted.typed]).toEqual([
      [DESK, { group: 'Network' }],
      [carol, { subject: 'Hello', text: 'World' }],
    ]);
  });

  it('leaves nothing of a text that is absent', () => {
    const parted = separate(
      { number: 'T-1', subject: { of: carol, text: 'Hello' } },
      sealedFields(definition),
    );
    expect(parted.clear).toStrictEqual({ number: 'T-1' });
    expect([...parted.typed]).toEqual([[carol, { subject: 'Hello' }]]);
  });
});
