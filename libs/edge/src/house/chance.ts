import { randomFillSync } from 'node:crypto';
import { uuidV7, type Uuid } from '#kernel';
import type { Chance } from '#engine/store';

const POOL = 4096;

/** The system's randomness, drawn in pools: one call of the system for many ids. Bytes are given out once. */
export function systemChance(): Chance {
  let pool = Buffer.alloc(0);
  let used = 0;
  return {
    bytes: (count) => {
      if (used + count > pool.length) {
        pool = randomFillSync(Buffer.allocUnsafeSlow(Math.max(POOL, count)));
        used = 0;
      }
      used += count;
      return pool.subarray(used - count, used);
    },
  };
}

const chance = systemChance();

/** An id made freely, now (ruling 10). */
export const freshId = (milliseconds = Date.now()): Uuid => uuidV7(milliseconds, chance.bytes(10));
