import type { House } from '#edge';
import { everyView, type Projecting } from '#engine/views';
import { setTimeout as after } from 'node:timers/promises';

/** The projector's loop as a command runs it, where no desk does. */
export function projectingOf(house: House): Projecting {
  return {
    store: house.store,
    decode: house.codec.decode,
    views: everyView,
    into: house.views.store,
    logger: house.logger,
    pause: (milliseconds, signal) =>
      after(milliseconds, undefined, { signal, ref: false }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error;
      }),
  };
}
