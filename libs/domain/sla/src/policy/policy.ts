import type { Instant } from '#kernel';
import type { Calendar } from '../calendar/calendar.js';
import type { ClockName, HoldReason, OfPromised } from '../clock/clock-events.js';
import type { Fraction } from '../clock/clock.js';

/** 1 critical, 2 high, 3 normal, 4 low. */
export const PRIORITIES = [1, 2, 3, 4] as const;
export type Priority = (typeof PRIORITIES)[number];

/** One version of a service-level policy, with its calendar compiled. */
export interface ServiceLevelPolicy {
  readonly name: string;
  readonly version: number;
  /** `name@version`, as facts name it. */
  readonly ref: string;
  /** In force from here on, until a later version is. */
  readonly effective: Instant;
  readonly calendar: Calendar;
  /** Business-seconds; a clock without one is not promised. */
  readonly targets: Readonly<Record<Priority, OfPromised<number>>>;
  /** At which shares of its target each clock warns, the least first. */
  readonly warnAt: Readonly<Record<ClockName, readonly Fraction[]>>;
  /** Which reasons pause which clock. */
  readonly pausedBy: Readonly<Record<ClockName, readonly HoldReason[]>>;
  /** A reopen within so many business days of the resolve goes on; after them it starts anew (domain.md C.3). */
  readonly reopenWithinDays: number;
}

/**
 * The policies as a value: a snapshot that a handler takes and keeps across conflict retries (ruling 6).
 */
export interface Policies {
  /**
   * The version of `name` in force at an instant; where `name` is a `name@version`, that version.
   * @throws UnknownPolicy
   */
  inForce(name: string, at: Instant): ServiceLevelPolicy;
  /** The version that a recorded fact names. @throws UnknownPolicy */
  version(ref: string): ServiceLevelPolicy;
}

export class UnknownPolicy extends Error {
  override readonly name = 'UnknownPolicy';
  constructor(policy: string) {
    super(`there is no policy ${policy}`);
  }
}
