import {
  accept,
  never,
  type Actor,
  type Decider,
  type Instant,
  type PersonId,
  type Refusal,
  type Uuid,
} from '#kernel';
import type { PersonEvent, PersonFact } from './person-events.js';

/** Stream: `person-<id>`. */
export const personStream = (person: PersonId): string => `person-${person}`;

export interface NamePerson {
  readonly type: 'name-person';
  readonly occurredAt: Instant;
  readonly by: Actor;
  readonly person: PersonId;
  readonly name: string;
  readonly email?: string;
  /** Keyed id of name and address together: the state knows neither, and must tell whether they changed. */
  readonly digest: Uuid;
}

export type PersonCommand = NamePerson;

export type PersonState =
  { readonly status: 'unknown' } | { readonly status: 'named'; readonly digest: Uuid };

/** A name is taken as heard. */
export type PersonRefusal = Refusal<never>;

export const person: Decider<PersonState, PersonCommand, PersonFact, PersonEvent, PersonRefusal> = {
  initial: { status: 'unknown' },
  evolve: (state, event) => {
    switch (event.type) {
      case 'people.person-named.v1':
        return { status: 'named', digest: event.data.digest };
      case 'house.command-noted.v1':
        return state;
      default:
        return never(event);
    }
  },
  due: () => [],
  decide: ({ person: of, name, email, digest }, state) =>
    state.status === 'named' && state.digest === digest
      ? accept()
      : accept<PersonFact>({
          type: 'people.person-named.v1',
          data: {
            digest,
            name: { of, text: name },
            ...(email !== undefined && { email: { of, text: email } }),
          },
        }),
};
