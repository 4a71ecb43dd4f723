import {
  accept,
  event,
  f,
  houseEvents,
  instant,
  never,
  refuse,
  toInstant,
  toSeconds,
  type Actor,
  type Decider,
  type EventOf,
  type FactOf,
  type Instant,
  type PersonId,
  type Refusal,
} from '#kernel';

/** A lamp that burns out a minute after it was switched on: the smallest aggregate with time, texts and refusals. */
export const lampEvents = {
  'test.lamp-switched-on.v1': event(['lamp'], 'switch', 'It shines.', {
    watts: f.integer('W', 'brightness'),
    wish: f.text('why'),
    room: f.optional(f.term('where')),
  }),
  'test.lamp-switched-off.v1': event(['lamp'], 'switch', 'It is dark.', {}),
  'test.lamp-burnt-out.v1': event(['lamp'], 'time', 'It will never shine again.', {}),
  ...houseEvents,
} as const;

export type LampFact = FactOf<typeof lampEvents>;
export type LampEvent = EventOf<typeof lampEvents>;

export type Lamp =
  | { readonly is: 'off'; readonly switched: number }
  | { readonly is: 'on'; readonly until: Instant; readonly watts: number; readonly switched: number }
  | { readonly is: 'burnt-out'; readonly switched: number };

export interface Switch {
  readonly occurredAt: Instant;
  readonly by?: Actor;
  readonly to: 'on' | 'off';
  readonly watts?: number;
  readonly wish?: string;
  readonly wisher?: PersonId;
}

export const SECONDS_OF_LIGHT = 60;

/** Of nobody in particular. */
export const SOMEBODY = '6f9619ff-8b86-8d01-b42d-00cf4fc964ff' as PersonId;

export const lamp: Decider<Lamp, Switch, LampFact, LampEvent, Refusal<'burnt-out'>> = {
  initial: { is: 'off', switched: 0 },
  evolve: (state, event) => {
    switch (event.type) {
      case 'test.lamp-switched-on.v1':
        return {
          is: 'on',
          until: toInstant(toSeconds(event.occurredAt) + SECONDS_OF_LIGHT),
          watts: event.data.watts,
          switched: state.switched + 1,
        };
      case 'test.lamp-switched-off.v1':
        return { is: 'off', switched: state.switched + 1 };
      case 'test.lamp-burnt-out.v1':
        return { is: 'burnt-out', switched: state.switched };
      case 'house.command-noted.v1':
        return state;
      default:
        return never(event);
    }
  },
  due: (state, now) =>
    state.is === 'on' && state.until < now
      ? [{ type: 'test.lamp-burnt-out.v1', data: {}, at: state.until }]
      : [],
  decide: ({ to, watts = 40, wish = '', wisher = SOMEBODY }, state) => {
    if (state.is === 'burnt-out') return refuse('burnt-out', 'the lamp has burnt out');
    if (state.is === to) return accept();
    return to === 'on'
      ? accept<LampFact>({
          type: 'test.lamp-switched-on.v1',
          data: { watts, wish: { of: wisher, text: wish } },
        })
      : accept<LampFact>({ type: 'test.lamp-switched-off.v1', data: {} });
  },
};

/** Noon of some day, and seconds later. */
export const noon = (seconds = 0): Instant => toInstant(toSeconds(instant('2026-03-02T12:00:00Z')) + seconds);
