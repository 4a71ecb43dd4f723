import type { MERGE_REFUSALS, TicketRefusal, TicketState } from '#domain/desk';
import { idOf } from '#engine/catalogue';
import { never, type Uuid } from '#kernel';
import type { Flow, Step } from './flow.js';

/**
 * Merging two tickets is one fact in each (ruling 14). The survivor has begun it; the duplicate joins, and
 * then the survivor is told to complete it, or, where the duplicate refuses, to withdraw it.
 */
export const merging: Flow = {
  name: 'merging',
  types: ['desk.merge-begun.v1', 'desk.ticket-merged.v1'],
  steps: (event, before) => {
    if (event.type === 'desk.merge-begun.v1')
      return [join({ ...event.data, survivor: idOf(event.stream) as Uuid })];
    if (event.type === 'desk.ticket-merged.v1' && before.status !== 'none') {
      const { merge, into } = event.data;
      const duplicate = idOf(event.stream) as Uuid;
      return [
        {
          name: 'complete',
          on: into,
          command: (occasion) => ({
            type: 'complete-merge',
            ...occasion,
            merge,
            duplicate,
            mergedAt: event.occurredAt,
            // As they stood: the joining itself has ended them.
            clocks: Object.values(before.clocks),
          }),
          refused: alreadyDone,
        },
      ];
    }
    return [];
  },
};

interface Merge {
  readonly merge: Uuid;
  readonly survivor: Uuid;
  readonly duplicate: Uuid;
}

function join(merge: Merge): Step {
  const { survivor, duplicate } = merge;
  return {
    name: 'join',
    on: duplicate,
    // Withdrawn or completed since: the duplicate may be another case by now.
    provided: { of: survivor, holds: (state) => pending(state)?.merge === merge.merge },
    command: (occasion) => ({ type: 'join-ticket', ...occasion, merge: merge.merge, into: survivor }),
    // By how the duplicate stands now: what refused may have passed, by another runner of this flow too.
    refused: (refusal, state) => {
      // The mirror image won between the look at the survivor and the command: the survivor ended in the duplicate.
      if (refusal.code === 'merge-with-itself') return [withdraw(merge, survivor, 'mutual')];
      switch (state.status) {
        case 'none':
          return [withdraw(merge, survivor, 'unknown-ticket')];
        case 'merged':
          return state.merge === merge.merge ? [] : [withdraw(merge, survivor, 'already-merged')];
        case 'closed':
          return [withdraw(merge, survivor, 'closed')];
        case 'open':
        case 'resolved': {
          const theirs = state.merging;
          if (!theirs) return [join(merge)];
          if (theirs.duplicate !== survivor) return [withdraw(merge, survivor, 'merge-pending')];
          // Each has begun to take in the other. Whoever looks, in whatever order, lets the same one go on: the
          // one whose merge has the lesser id.
          if (merge.merge > theirs.merge) return [withdraw(merge, survivor, 'mutual')];
          const mirror = { merge: theirs.merge, survivor: duplicate, duplicate: survivor };
          return [withdraw(mirror, duplicate, 'mutual'), join(merge)];
        }
        default:
          return never(state);
      }
    },
  };
}

function withdraw({ merge }: Merge, on: Uuid, because: (typeof MERGE_REFUSALS)[number]): Step {
  return {
    name: `withdraw ${merge}`,
    on,
    command: (occasion) => ({ type: 'withdraw-merge', ...occasion, merge, because }),
    refused: alreadyDone,
  };
}

const pending = (state: TicketState): { readonly merge: Uuid; readonly duplicate: Uuid } | undefined =>
  state.status === 'none' ? undefined : state.merging;

/** Told again: the survivor has nothing of the kind under way any more. */
function alreadyDone({ code }: TicketRefusal): readonly Step[] {
  if (code === 'no-merge-pending') return [];
  throw new Error(`ending a merge was refused as ${code}`);
}
