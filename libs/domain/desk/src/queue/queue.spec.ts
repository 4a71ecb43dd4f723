import { describe, expect, it } from '@jest/globals';
import { factOf, scenario } from '#kernel/testing';
import { DESK, instant, type Actor, type Term, type Uuid } from '#kernel';
import { queueEvents } from './queue-events.js';
import { queue, type QueueCommand } from './queue.js';

const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const term = (n: number): Term => ({ id: id(n), of: DESK, text: `term ${n}` });
const BY: Actor = { id: id(9), role: 'supervisor' };
const defined = (title?: Term): QueueCommand => ({
  type: 'define-queue',
  occurredAt: instant('2026-11-02T09:00:00Z'),
  by: BY,
  group: term(1),
  ...(title && { title }),
});

const { given } = scenario(queue, queueEvents);

describe('A queue', () => {
  it('is defined once, however often it is asked', () => {
    expect(factOf(given().when(defined(term(2))), 'desk.queue-defined.v1').data).toEqual({
      group: term(1),
      title: term(2),
    });
    expect(given(defined(term(2))).when(defined(term(2)))).toMatchObject({ facts: [] });
    expect(given(defined()).when(defined())).toMatchObject({ facts: [] });
  });

  it('is renamed by defining it with another title', () => {
    expect(
      factOf(given(defined(term(2))).when(defined(term(3))), 'desk.queue-defined.v1').data.title,
    ).toEqual(term(3));
  });
});
