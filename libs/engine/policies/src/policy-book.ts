import {
  activated,
  policies,
  policyStream,
  type Policies,
  type PolicyActivated,
  type PolicyEvent,
} from '#domain/sla';
import { NO_STREAM, type Codec, type EventStore } from '#engine/store';
import type { Recorded } from '#kernel';
import { decodePolicyEvents } from './policy-stream.js';

/** The policies as this process last read them from the log. */
export interface PolicyBook {
  /** A value: it does not change under a handler that keeps it across conflict retries (ruling 6). */
  current(): Policies;
  /** What those were activated as, each policy's in the order of recording. */
  activated(): readonly PolicyActivated[];
  /** Reads what has been recorded since; the value stays the same object where that is nothing. */
  refresh(): Promise<Policies>;
}

/**
 * @param names of the policies to follow, `default`
 * @throws OlderThanLog; BadCalendar where a version names a zone this program's rules do not know
 */
export async function policyBook(
  store: EventStore,
  codec: Codec,
  names: readonly string[],
): Promise<PolicyBook> {
  const read = new Map<string, readonly Recorded<PolicyEvent>[]>();
  let value: Policies | null = null;

  const readOn = async (): Promise<Policies> => {
    let news = false;
    for (const name of names) {
      const known = read.get(name) ?? [];
      const next = (known.at(-1)?.revision ?? NO_STREAM) + 1;
      const recorded = decodePolicyEvents(codec, await store.readStream(policyStream(name), next));
      if (recorded.length === 0) continue;
      read.set(name, [...known, ...recorded]);
      news = true;
    }
    if (news || !value) value = policies([...read.values()].flat());
    return value;
  };
  // One after the other: each sees all that was recorded before it was asked for, and reads nothing twice.
  let last: Promise<unknown> = Promise.resolve();
  const refresh = (): Promise<Policies> => {
    const mine = last.then(readOn, readOn);
    last = mine;
    return mine;
  };

  const first = await refresh();
  return {
    current: () => value ?? first,
    activated: () => activated([...read.values()].flat()),
    refresh,
  };
}
