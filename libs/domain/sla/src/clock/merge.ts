import { toInstant, toSeconds, type Instant } from '#kernel';
import { hasEnded, type Clock } from './clock.js';

/** A clock of a ticket that takes part in a merge. */
export interface Contender<Id extends string = string> {
  readonly id: Id;
  /** Brought up to the merge. */
  readonly clock: Clock;
}

/**
 * Merge (domain.md C.3): which clock survives. The one with the earliest due, of equal ones the lower id;
 * ended clocks take no part, a paused one ranks by when it would be due if it ran on from the merge.
 */
export function survivorOf<Id extends string>(
  contenders: readonly Contender<Id>[],
  mergedAt: Instant,
): Contender<Id> | null {
  const ranked = contenders
    .flatMap((contender) => {
      const due = rankingDue(contender.clock, mergedAt);
      return due === null ? [] : [{ contender, due }];
    })
    .sort((a, b) => (a.due !== b.due ? (a.due < b.due ? -1 : 1) : a.contender.id < b.contender.id ? -1 : 1));
  return ranked[0]?.contender ?? null;
}

function rankingDue(clock: Clock, mergedAt: Instant): Instant | null {
  if (hasEnded(clock)) return null;
  return clock.due ?? toInstant(clock.calendar.reach(toSeconds(mergedAt), clock.target - clock.consumed));
}
