import { event, f, houseEvents, type EventOf, type FactOf } from '#kernel';

/** Stream `person-<id>`: the only place where a person's name lies (ruling 31). */
export const personEvents = {
  'people.person-named.v1': event(['person'], 'name-person', 'How a person is called, as last heard.', {
    digest: f.id('keyed id of name and address together: tells whether they changed'),
    name: f.text('name as the token or the source gave it'),
    email: f.optional(f.text('address')),
  }),
  ...houseEvents,
} as const;

export type PersonFact = FactOf<typeof personEvents>;
export type PersonEvent = EventOf<typeof personEvents>;
