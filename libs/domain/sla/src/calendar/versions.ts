import type { EpochSeconds } from '#kernel';
import type { CalendarDefinition, CalendarVersion } from './calendar.js';

/** A calendar's versions with one more, in force from `effective` on (domain.md C.3, calendar edits). */
export function edited(
  versions: readonly CalendarVersion[],
  effective: EpochSeconds,
  definition: CalendarDefinition,
): readonly CalendarVersion[] {
  return [...versions, { effective, definition }];
}

/** A correction of the past replaces the first version; recorded edits apply again. */
export function corrected(
  versions: readonly CalendarVersion[],
  definition: CalendarDefinition,
): readonly CalendarVersion[] {
  return versions.map((version, i) => (i === 0 ? { ...version, definition } : version));
}
