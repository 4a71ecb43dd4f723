import { event } from './catalogue.js';

/** Events that stand in streams of every category. */
export const houseEvents = {
  'house.command-noted.v1': event(
    ['*'],
    'any command',
    'A command under the caller’s own idempotency key was accepted and changed nothing; noted so that its late repeat changes nothing either (ruling 11).',
    {},
  ),
} as const;
