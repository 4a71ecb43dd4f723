import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

describe('Property tests', () => {
  it('draw what the printed seed gives, so that a run can be repeated', () => {
    const seed = process.env.COVENANT_SEED;
    expect(fc.readConfigureGlobal().seed).toBe(seed === undefined ? undefined : Number(seed));
    const drawn: number[] = [];
    fc.assert(fc.property(fc.integer(), (n) => void drawn.push(n)));
    const again: number[] = [];
    fc.assert(fc.property(fc.integer(), (n) => void again.push(n)));
    if (seed !== undefined) expect(again).toEqual(drawn);
  });
});
