import {
  accept,
  never,
  type Actor,
  type Decider,
  type Instant,
  type Refusal,
  type Term,
  type Uuid,
} from '#kernel';
import type { QueueEvent, QueueFact } from './queue-events.js';

/** Stream: `queue-<id of the group's term>`. */
export const queueStream = (group: Uuid): string => `queue-${group}`;

/** A group gets a queue by a name of its own; saying it again with another title renames it. */
export interface DefineQueue {
  readonly type: 'define-queue';
  readonly occurredAt: Instant;
  readonly by: Actor;
  readonly group: Term;
  readonly title?: Term;
}

export type QueueCommand = DefineQueue;

export type QueueState = { readonly status: 'none' } | { readonly status: 'defined'; readonly title?: Uuid };

/** Nothing about a queue is refused yet: who may define one is the access table's business. */
export type QueueRefusal = Refusal<never>;

export const queue: Decider<QueueState, QueueCommand, QueueFact, QueueEvent, QueueRefusal> = {
  initial: { status: 'none' },
  evolve: (state, event) => {
    switch (event.type) {
      case 'desk.queue-defined.v1':
        return { status: 'defined', ...(event.data.title !== undefined && { title: event.data.title }) };
      case 'house.command-noted.v1':
        return state;
      default:
        return never(event);
    }
  },
  due: () => [],
  decide: ({ group, title }, state) =>
    state.status === 'defined' && state.title === title?.id
      ? accept()
      : accept<QueueFact>({ type: 'desk.queue-defined.v1', data: { group, ...(title && { title }) } }),
};
