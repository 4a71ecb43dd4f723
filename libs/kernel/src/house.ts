import { event, type EventOf, type FactOf } from './catalogue.js';

/** Events that stand in streams of every category. */
export const houseEvents = {
  'house.command-noted.v1': event(
    ['*'],
    'any command',
    'A command under the caller’s own idempotency key was accepted and changed nothing; noted so that its late repeat changes nothing either (ruling 11).',
    {},
  ),
} as const;

/** Stream `desk-house`: what is true of the desk as a whole. */
export const deskEvents = {
  'house.demonstration-begun.v1': event(
    ['desk'],
    'the first start on an empty embedded store',
    'What this log holds is made up: an import refuses it (ruling 20), and tokens may be shown (ruling 33).',
    {},
  ),
  'house.demonstration-completed.v1': event(
    ['desk'],
    'the first start on an empty embedded store',
    'All of the demonstration desk is there.',
    {},
  ),
} as const;

export type DeskFact = FactOf<typeof deskEvents>;
export type DeskEvent = EventOf<typeof deskEvents>;
