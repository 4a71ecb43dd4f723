import type { Position, Uuid } from '#kernel';
import type { Announcement } from './announcing.js';

/** Up to where the log has been announced; kept with the messages, moved in one transaction with them. */
export interface Standing {
  /** Identity of the log (ruling 45). */
  readonly log: Uuid;
  readonly position: Position;
  /** Of the event at `position`; null before the first. */
  readonly event: Uuid | null;
}

/** Where public messages go. */
export interface Outlet {
  /**
   * Takes it from whoever holds it: from then on nothing that the earlier holder had not finished will ever be
   * read, and the standing is the one that stays.
   *
   * Errors: OutletUnavailable, OutletRefused.
   */
  hold(): Promise<Hold>;
  /** Where it stands, read without taking it. Errors: OutletUnavailable. */
  standing(): Promise<Standing | null>;
}

/** One holder's time. After any error of `put` it is over: whether anything was written, the next one reads. */
export interface Hold {
  /** Null where nothing was ever written. */
  readonly standing: Standing | null;
  /**
   * Messages, in log order, and the standing after them: all of it is read, or nothing. One at a time.
   *
   * Errors: Superseded, OutletUnavailable.
   */
  put(announcements: readonly Announcement[], standing: Standing): Promise<void>;
  /** Safe to call after an error. */
  release(): Promise<void>;
}

/** Somebody else has taken the outlet since. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

/** It cannot be written to now; the message is ours and for people. */
export class OutletUnavailable extends Error {
  override readonly name = 'OutletUnavailable';
}

/** It will not do until somebody changes something; the message says what. */
export class OutletRefused extends Error {
  override readonly name = 'OutletRefused';
}
