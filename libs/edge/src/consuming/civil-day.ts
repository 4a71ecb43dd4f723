import { formatDate, localDay, TZDB, zoneOf } from '#domain/sla';
import { toSeconds, type Instant } from '#kernel';

/** Version of the zone rules that new tables are counted with (ruling 7). */
export const NEWEST_ZONE_RULES = TZDB;

/** The civil day of an instant in a zone, `2026-11-24`, by one version of the zone rules. @throws UnknownZone */
export function civilDay(zone: string, tzdb: string, at: Instant): string {
  return formatDate(localDay(zoneOf(zone, tzdb), toSeconds(at)));
}
