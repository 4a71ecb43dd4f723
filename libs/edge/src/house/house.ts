import type {
  QueueCommand,
  QueueEvent,
  QueueRefusal,
  QueueState,
  TicketCommand,
  TicketEvent,
  TicketRefusal,
  TicketState,
} from '#domain/desk';
import type { PersonCommand, PersonEvent, PersonRefusal, PersonState } from '#domain/people';
import type {
  Policies,
  PolicyActivated,
  PolicyCommand,
  PolicyEvent,
  PolicyRefusal,
  PolicyState,
} from '#domain/sla';
import type { Codec, EventStore, Means, Opened, Sealed, Transactor, Vault } from '#engine/store';
import type { Secrets } from '#adapters/files';
import type { ViewsDatabase } from '#adapters/views-postgres';
import type { Position } from '#kernel';
import type { Admission } from './admission.js';
import type { TrustedClock } from './clock.js';
import { Premises } from './premises.js';

/** Numbers that people say on the phone (ruling 15). */
export interface Numbers {
  /** `T-104233`. */
  next(kind: 'T' | 'C'): Promise<string>;
}

/**
 * All that a process of the desk works with, opened once by `openHouse` and closed last. Given to Nest
 * modules under this class as its token, and under Premises.
 */
export abstract class House extends Premises {
  abstract readonly secrets: Secrets;
  /** Whether this is the embedded default, all of it. */
  abstract readonly embedded: boolean;
  /** Folder of the embedded database, where there is one. */
  abstract readonly storedIn: string | undefined;
  abstract readonly store: EventStore;
  /** Events of the log between two positions. */
  abstract between(from: Position, to: Position): Promise<number>;
  abstract readonly vault: Vault;
  abstract readonly codec: Codec;
  /** For loops that follow the log beside one another: each event is decoded once for all of them. */
  abstract readonly decodeOnce: Codec['decode'];
  abstract readonly means: Means;
  /** A snapshot for one command (ruling 6). @throws ClockUntrusted, Problem `not-ready` before the built-in ones are recorded */
  abstract policies(): Policies;
  /** What `policies()` was made of. */
  abstract activations(): readonly PolicyActivated[];
  /** Reads what was recorded since; other processes' versions are seen by themselves within seconds. */
  abstract refreshPolicies(): Promise<Policies>;
  abstract readonly numbers: Numbers;
  abstract readonly views: ViewsDatabase;
  /**
   * Waits, bounded, until all views have passed a position (read your own writes; ruling 12).
   * @throws Problem `view-lag`, `too-many-waiting`, `unknown-position`
   */
  abstract caughtUp(after: Position | undefined): Promise<void>;
  /** Opens sealed texts for showing; null where the key was destroyed. */
  abstract open(blobs: readonly Sealed[]): Promise<readonly (Opened | null)[]>;
  abstract readonly tickets: Transactor<TicketState, TicketCommand, TicketEvent, TicketRefusal>;
  abstract readonly queues: Transactor<QueueState, QueueCommand, QueueEvent, QueueRefusal>;
  abstract readonly people: Transactor<PersonState, PersonCommand, PersonEvent, PersonRefusal>;
  /** For making policies; `policies()` is what they come to. */
  abstract readonly policyVersions: Transactor<PolicyState, PolicyCommand, PolicyEvent, PolicyRefusal>;
  /** Whether commands may be decided at all; loops tell it the errors that end them. */
  abstract readonly admission: Admission;
  abstract readonly clock: TrustedClock;
}
