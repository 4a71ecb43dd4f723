import { Refused } from './program.js';

/**
 * Errors whose message is for people: shown without a stack. Known by their names, so that telling them
 * apart does not load what throws them.
 */
const NAMES: ReadonlySet<string> = new Set([
  'SettingsRefused',
  'SecretRefused',
  'TokenRefused',
  'EmbeddedRefused',
  'SourceRefused',
  'MappingMismatch',
  'UnknownPolicy',
  'UnknownZone',
  'NotICalendar',
  'UnknownCountry',
  'ClockUntrusted',
  'ForeignCheckpoint',
  'OlderThanViews',
  'ViewParked',
  'Fenced',
  'ForeignSource',
  'TablesOutdated',
  'TablesUnavailable',
  // Of the store.
  'InvalidAppend',
  'DuplicateEventId',
  'NotAppended',
  'UnknownOutcome',
  'LogUnavailable',
  'LogRefused',
  'LogReplaced',
  'WrongMasterKey',
  'OlderThanLog',
  'Contention',
]);

export function isExpected(error: unknown): error is Error {
  return error instanceof Refused || (error instanceof Error && NAMES.has(error.name));
}
