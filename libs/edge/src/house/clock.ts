import type { EdgeClock } from '#engine/store';
import type { Logger, Micros } from '#kernel';
import { failureOf } from '../observe/failure.js';

/** Milliseconds by which this process's clock may differ from the database server's (ruling 1). */
export const TOLERANCE = 500;
const EVERY = 60_000;
const SAMPLES = 3;
const RETRY = 2_000;

/** This process's clock is wrong, or was never compared: nothing may be decided by it. */
export class ClockUntrusted extends Error {
  override readonly name = 'ClockUntrusted';
}

export interface TrustedClock extends EdgeClock {
  /** @throws ClockUntrusted */
  now(): number;
  readonly trusted: boolean;
  /** Milliseconds this process is ahead of the server, as last measured; null before the first comparison. */
  readonly ahead: number | null;
  compare(): Promise<void>;
  close(): void;
}

/**
 * The wall clock, trusted while it agrees with the server's (ruling 1): compared every minute, and at once
 * when it has been set meanwhile, which the monotonic clock shows.
 *
 * @param server the server's clock, microseconds since 1970
 */
export async function openClock(options: {
  readonly server: () => Promise<Micros>;
  readonly logger: Logger;
  readonly wall?: () => number;
  readonly steady?: () => number;
}): Promise<TrustedClock> {
  const { server, logger, wall = Date.now, steady = () => performance.now() } = options;
  let trusted = false;
  let ahead: number | null = null;
  /** wall - steady as it stood at the last comparison. */
  let anchor = wall() - steady();
  let first = true;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const measure = async (): Promise<void> => {
    let best: { ahead: number; doubt: number } | null = null;
    for (let i = 0; i < SAMPLES && (best === null || best.doubt > TOLERANCE / 4); i++) {
      const before = wall();
      const sent = steady();
      const theirs = (await server()) / 1000;
      const took = steady() - sent;
      const sample = { ahead: before + took / 2 - theirs, doubt: took / 2 };
      if (best === null || sample.doubt < best.doubt) best = sample;
    }
    const { ahead: measured, doubt } = best!;
    ahead = measured;
    anchor = wall() - steady();
    const off = Math.abs(measured);
    const fields = { aheadMilliseconds: Math.round(measured) };
    if (off - doubt > TOLERANCE) {
      if (trusted || first)
        logger.error(fields, 'the clock of this process is wrong: no command is decided by it');
      trusted = false;
    } else if (off + Math.min(doubt, TOLERANCE / 2) <= TOLERANCE) {
      if (!trusted && !first) logger.info(fields, 'the clock of this process is right again');
      trusted = true;
    }
    // Else the answer was too slow to prove either: what was known before holds.
    first = false;
  };

  const schedule = (delay: number): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void compare(), delay).unref();
  };

  const compare = (): Promise<void> =>
    (running ??= measure()
      .then(
        () => schedule(trusted ? EVERY : RETRY),
        (error: unknown) => {
          // Without the server there is nobody to ask: the last verdict holds, and commands fail at the log.
          logger.warn({ failure: failureOf(error) }, 'the database server’s clock could not be asked');
          schedule(RETRY);
        },
      )
      .finally(() => {
        running = undefined;
      }));

  await compare();
  return {
    now: () => {
      const now = wall();
      if (Math.abs(now - steady() - anchor) > TOLERANCE / 2) {
        trusted = false;
        void compare();
      }
      if (!trusted) throw new ClockUntrusted('the clock of this process differs from the database server’s');
      return now;
    },
    get trusted() {
      return trusted;
    },
    get ahead() {
      return ahead;
    },
    compare,
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}
