import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clockFacts, type TicketState } from '#domain/desk';
import { CLOCKS, foldClock, type Policies } from '#domain/sla';
import { tickets, type TicketRow } from '#engine/views';
import { live, lives, type Life } from '#engine/views/testing';
import type { Instant } from '#kernel';

interface Stretch {
  readonly from: Instant;
  /** Null while it lasts. */
  readonly to: Instant | null;
}

/** When each clock stood still, from all that happened: no record of an event is looked at. */
function stillness(state: TicketState, policies: Policies): readonly Stretch[] {
  if (state.status === 'none') return [];
  return CLOCKS.flatMap((name) => {
    const { facts } = clockFacts(name, state.history, policies);
    const found: Stretch[] = [];
    let from: Instant | null = null;
    for (const [i, { at }] of facts.entries()) {
      const paused = foldClock(facts.slice(0, i + 1)).state === 'paused';
      if (paused) from ??= at;
      else if (from !== null) {
        found.push({ from, to: at });
        from = null;
      }
    }
    return from === null ? found : [...found, { from, to: null }];
  });
}

/** Since when, without a gap, one clock or another has stood still. */
function since(stretches: readonly Stretch[]): Instant | null {
  let least: Instant | null = null;
  for (const { from, to } of stretches) if (to === null && (least === null || from < least)) least = from;
  for (let before: Instant | null = null; least !== null && least !== before;) {
    before = least;
    for (const { from, to } of stretches) if (to !== null && to >= least && from < least) least = from;
  }
  return least;
}

function lived(life: Life): { readonly truth: Instant | null; readonly row: TicketRow } {
  let last: { readonly state: TicketState; readonly row: TicketRow } | null = null;
  live(life, tickets, (state, row) => {
    last = { state, row };
  });
  const { state, row } = last as unknown as { readonly state: TicketState; readonly row: TicketRow };
  return { truth: since(stillness(state, life.policies)), row };
}

it('what a ticket says of its pause is what all that happened in time comes to', () => {
  fc.assert(
    fc.property(lives, (life) => {
      // No two in one second: what ends in the second in which the next begins may be one pause or two.
      const steps = life.steps.map((step) => ({ ...step, after: step.after + 1, ago: 0 }));
      const { truth, row } = lived({ ...life, steps });
      expect(row.pausedSince).toBe(truth);
    }),
    { numRuns: 400 },
  );
});

it('whether its promises stand still it says rightly of facts that came late, too', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const { truth, row } = lived(life);
      expect(row.pausedSince === null).toBe(truth === null);
    }),
    { numRuns: 200 },
  );
});
