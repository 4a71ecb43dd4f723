import { problemOf, refusalOf } from '#adapters/postgres';
import { TablesUnavailable, ValueRefused } from '#engine/feed';

/**
 * A failed statement as its caller is told: a value that the tables never take, or tables that cannot be written
 * now. A statement that is wrong in itself counts as the latter: whoever waits loses nothing.
 */
export function failureOf(error: unknown): TablesUnavailable | ValueRefused {
  const refusal = refusalOf(error);
  return refusal === null ? new TablesUnavailable(problemOf(error)) : new ValueRefused(refusal);
}

export const told = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw failureOf(error);
  });
