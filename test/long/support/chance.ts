import { randomInt } from 'node:crypto';

/** Chance that the run's seed repeats: COVENANT_SEED, else a new one, printed. */
export interface Seeded {
  readonly seed: number;
  /** From 0 up to, not including, `below`. */
  int(below: number): number;
  pick<T>(list: readonly T[]): T;
}

export function seeded(): Seeded {
  const given = process.env.COVENANT_SEED;
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  process.stderr.write(`seed of this run: COVENANT_SEED=${seed}\n`);
  let state = seed >>> 0;
  // mulberry32, 32 bits of state; good enough to choose moments and commands.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return { seed, int, pick: (list) => list[int(list.length)]! };
}
