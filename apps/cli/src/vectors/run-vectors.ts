import { readFile } from 'node:fs/promises';
import {
  businessDaysVector,
  calendarPeriodVector,
  clockVector,
  mergeVector,
  nextResponseVector,
  periodicUpdateVector,
} from './clock-vectors.js';
import { describe, differences } from './differences.js';

interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly title?: string;
  readonly input: never;
  readonly expected: unknown;
}

/** Each kind's answer, by the engine's public functions alone. Penalties come with the vendor agreements. */
const KINDS: Readonly<Record<string, (input: never) => unknown>> = {
  clock: clockVector,
  'next-response': nextResponseVector,
  'periodic-update': periodicUpdateVector,
  merge: mergeVector,
  'business-days': businessDaysVector,
  'calendar-period': calendarPeriodVector,
};

export interface VectorTally {
  readonly passed: number;
  readonly failed: number;
}

/**
 * `covenant vectors FILE…`: each vector of each file through the engine (DESIGN section 9). Prints each
 * difference, and last `N passed, N failed`; a kind that the engine does not know, a vector that throws and
 * a file that is no vector file count as failed.
 */
export async function runVectors(
  files: readonly string[],
  out: (line: string) => void,
): Promise<VectorTally> {
  let passed = 0;
  let failed = 0;
  for (const file of files) {
    const vectors = await readVectors(file);
    if ('problem' in vectors) {
      out(`${file}: ${vectors.problem}`);
      failed++;
      continue;
    }
    for (const vector of vectors.list) {
      const problems = judge(vector);
      for (const problem of problems) out(`${vector.id} (${vector.kind}): ${problem}`);
      if (problems.length === 0) passed++;
      else failed++;
    }
  }
  out(`${passed} passed, ${failed} failed`);
  return { passed, failed };
}

function judge({ kind, input, expected }: Vector): readonly string[] {
  const answer = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (!answer) return [`error: unknown kind; known are ${Object.keys(KINDS).join(', ')}`];
  try {
    return differences(expected, answer(input)).map(describe);
  } catch (error) {
    return [`error: ${(error as Error).message}`];
  }
}

async function readVectors(
  file: string,
): Promise<{ readonly list: readonly Vector[] } | { readonly problem: string }> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    return { problem: `error: ${(error as Error).message}` };
  }
  const list = (content as { vectors?: unknown } | null)?.vectors;
  if (!Array.isArray(list) || list.length === 0)
    return { problem: 'error: there is no list `vectors` in it' };
  const wrong = list.findIndex((vector) => !isVector(vector));
  if (wrong >= 0) return { problem: `error: vectors[${wrong}] has no id, kind, input or expected` };
  return { list: list as Vector[] };
}

function isVector(value: unknown): value is Vector {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string' &&
    'kind' in value &&
    typeof value.kind === 'string' &&
    'input' in value &&
    'expected' in value
  );
}
