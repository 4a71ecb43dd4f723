import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ticket } from '#domain/desk';
import { pendingDues } from '#engine/views';
import { live, lives } from '#engine/views/testing';
import { toInstant, toSeconds, type Instant } from '#kernel';

const EVER = '2200-01-01T00:00:00Z' as Instant;

it('a pending due is the earliest there is: a second later the ticket has something to record, and before that nothing', () => {
  fc.assert(
    fc.property(lives, (life) => {
      live(life, pendingDues, (state, { due }) => {
        if (due === null) {
          expect(ticket.due(state, EVER)).toEqual([]);
          return;
        }
        expect(ticket.due(state, due)).toEqual([]);
        expect(ticket.due(state, toInstant(toSeconds(due) + 1))).not.toEqual([]);
      });
    }),
    { numRuns: 300 },
  );
});
