import { median, rounded, type Comparison } from './bench.js';

export interface Compared {
  /** Median of the rounds’ ratios. */
  readonly ratio: number;
  /** Medians. */
  readonly ours: number;
  readonly reference: number;
  /** Why this run does not count (ruling 42). */
  readonly reason?: string;
}

export interface Conditions {
  /** Milliseconds left for the whole run. */
  readonly left: () => number;
  readonly progress: (text: string) => void;
}

const ROUNDS = 5;
/** Part of its recorded figure that a reference has to reach (ruling 42). */
const FLOOR = 0.7;
/** With less time than this no further round is begun. */
const RESERVE_MS = 30_000;

interface Round {
  readonly ours: number;
  readonly reference: number;
}

/** Interleaved rounds; all of them once more where the reference stayed below its floor. */
export async function compared(comparison: Comparison, conditions: Conditions): Promise<Compared> {
  let rounds = await measured(comparison, conditions);
  if (isSlow(comparison, rounds) && conditions.left() > RESERVE_MS) {
    conditions.progress(`  ${comparison.name}: the reference is below its floor; measuring again`);
    rounds = await measured(comparison, conditions);
  }
  const reference = median(rounds.map((round) => round.reference));
  return {
    ratio: median(rounds.map(({ ours, reference }) => ours / reference)),
    ours: median(rounds.map(({ ours }) => ours)),
    reference,
    ...(isSlow(comparison, rounds) && {
      reason: `the reference did ${rounded(reference)} ${comparison.unit}, less than 70 % of the ${comparison.recorded} it is known to do`,
    }),
  };
}

async function measured(comparison: Comparison, { left, progress }: Conditions): Promise<readonly Round[]> {
  const { name, unit, rounds = ROUNDS } = comparison;
  const done: Round[] = [];
  do {
    // Who comes first finds the machine as the other left it; so they take turns.
    const round = done.length % 2 === 0 ? await referenceFirst(comparison) : await oursFirst(comparison);
    done.push(round);
    progress(
      `  ${name}, round ${done.length}: ${rounded(round.ours)} against ${rounded(round.reference)} ${unit}`,
    );
  } while (done.length < rounds && left() > RESERVE_MS);
  return done;
}

async function referenceFirst({ ours, reference }: Comparison): Promise<Round> {
  const first = await reference();
  return { reference: first, ours: await ours() };
}

async function oursFirst({ ours, reference }: Comparison): Promise<Round> {
  const first = await ours();
  return { ours: first, reference: await reference() };
}

function isSlow({ recorded }: Comparison, rounds: readonly Round[]): boolean {
  return recorded !== undefined && median(rounds.map(({ reference }) => reference)) < FLOOR * recorded;
}
