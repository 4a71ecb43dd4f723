import type { PersonId, Uuid } from './ids.js';
import type { Position } from './position.js';
import type { Instant, Micros } from './time.js';

export const ROLES = [
  'agent',
  'supervisor',
  'complaints-officer',
  'vendor',
  'auditor',
  'customer',
  'integration',
  'monitor',
  'administrator',
  /** The house itself: timers and flows. */
  'system',
] as const;
export type Role = (typeof ROLES)[number];

export interface Actor {
  readonly id: PersonId;
  readonly role: Role;
  readonly onBehalfOf?: PersonId;
}

export interface Event {
  readonly type: string;
  readonly data: object;
}

/**
 * What decide answers with: an event not yet recorded. `at` and `actor` are given only where they differ
 * from the command's: a breach carries its due instant and is the house's own.
 */
export type Fact<E extends Event> = E & { readonly at?: Instant; readonly actor?: Actor };

/** An event placed in time and attributed, recorded or about to be: what evolve folds. */
export type Occurred<E extends Event> = E & { readonly occurredAt: Instant; readonly actor: Actor };

/** Sealed text by the person under whose key it lies: base64 blobs, each a JSON object of field to text. */
export type SealedText = Readonly<Record<PersonId, string>>;

/** The idempotency key of the request behind an append, and its body, both as keyed hashes (ruling 11). */
export interface RequestKey {
  readonly id: string;
  readonly body: string;
}

/** DESIGN section 4, envelope. */
export type Recorded<E extends Event> = Occurred<E> & {
  readonly id: Uuid;
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly recordedAt: Micros;
  readonly correlation: string;
  readonly causation?: string;
  /** Version of the rules that computed it (ruling 8). */
  readonly engine: string;
  readonly key?: RequestKey;
  readonly sealed?: SealedText;
};
