import { event, f, houseEvents, type EventOf, type FactOf } from '#kernel';

/** Stream `queue-<id of the group's term>`. A ticket waits in exactly one queue (ruling 47). */
export const queueEvents = {
  'desk.queue-defined.v1': event(['queue'], 'define-queue', 'A group has a queue of its own, by this name.', {
    group: f.term('group whose tickets wait here'),
    title: f.optional(f.term('what the desk calls it')),
  }),
  ...houseEvents,
} as const;

export type QueueFact = FactOf<typeof queueEvents>;
export type QueueEvent = EventOf<typeof queueEvents>;
