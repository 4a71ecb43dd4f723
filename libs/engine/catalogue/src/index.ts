import { queueEvents, ticketEvents, type QueueEvent, type TicketEvent } from '#domain/desk';
import { personEvents, type PersonEvent } from '#domain/people';
import { policyEvents, type PolicyEvent } from '#domain/sla';
import type { Upcaster } from '#engine/store';
import { deskEvents, type DeskEvent } from '#kernel';

/** Every event there is, by stored name; docs/events.md is made from it. */
export const everyEvent = {
  ...ticketEvents,
  ...queueEvents,
  ...personEvents,
  ...policyEvents,
  ...deskEvents,
} as const;

export type HouseEvent = TicketEvent | QueueEvent | PersonEvent | PolicyEvent | DeskEvent;

/** Old versions to newer ones, by the old stored name; none has been superseded yet. */
export const upcasters: Readonly<Record<string, Upcaster>> = {};

/** Of every stream there is: those of the events, and of requests whose keys are noted before an aggregate stands. */
export const categories: readonly string[] = [
  ...new Set(Object.values(everyEvent).flatMap(({ streams }) => streams.filter((name) => name !== '*'))),
  'request',
];

/** `ticket` of `ticket-<id>`; a category has no `-` (DESIGN section 4). */
export function categoryOf(stream: string): string {
  return stream.slice(0, stream.indexOf('-'));
}

/** `<id>` of `ticket-<id>`. */
export function idOf(stream: string): string {
  return stream.slice(stream.indexOf('-') + 1);
}

export { markdown } from './markdown.js';
