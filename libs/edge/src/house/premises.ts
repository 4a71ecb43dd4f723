import type { Feed } from '#engine/feed';
import type { Identities } from '#engine/identity';
import type { Doorkeeper } from '../auth/tokens.js';
import type { ProcessLog } from '../observe/log.js';
import type { Metrics } from '../observe/metrics.js';
import type { Readiness } from '../observe/readiness.js';
import type { Settings } from '../settings/settings.js';

/**
 * What every process works with, the desk's own (House) and those that live on what it publishes. There is
 * nothing in it that opens a sealed text or records a fact. Given to Nest modules under this class as its token.
 */
export abstract class Premises {
  abstract readonly settings: Settings;
  /** Where the process's own tables lie; the embedded database's if none was given. Holds a password: never log it. */
  abstract readonly databaseUrl: string;
  abstract readonly identities: Identities;
  abstract readonly keeper: Doorkeeper;
  abstract readonly logger: ProcessLog;
  abstract readonly metrics: Metrics;
  abstract readonly readiness: Readiness;
  /** Where public messages come from; nothing is followed until somebody asks. */
  abstract readonly feed: Feed;
  /** What a module opens, to be closed when all modules have ended, before what stands here. */
  abstract keep<T extends { close(): unknown }>(opening: T | Promise<T>): Promise<T>;
  /** Whatever is open, in reverse order; the database last. Safe to call twice. */
  abstract close(): Promise<void>;
}
