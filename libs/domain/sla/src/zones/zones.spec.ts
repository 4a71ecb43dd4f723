import { describe, expect, test } from '@jest/globals';
import { TZDB, TZDB_VERSIONS, UnknownZone, zoneNames, zoneOf, type Zone } from './zones.js';

const seconds = (text: string): number => Date.parse(text) / 1000;
/** A local reading, written as if it were UTC. */
const reading = (text: string): number => Date.parse(`${text}Z`) / 1000;

/** Offset by Intl, for comparing only. */
function intlOffset(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at * 1000)) part[type] = Number(value);
    return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second) / 1000 - at;
  };
}

function transitions(zone: Zone, from: number, to: number): number[] {
  const found: number[] = [];
  for (let at = zone.nextTransition(from); at < to; at = zone.nextTransition(at)) found.push(at);
  return found;
}

describe('zone rules', () => {
  test('an unknown zone is refused with its name and the version of the rules', () => {
    expect(() => zoneOf('Europe/Atlantis')).toThrow(UnknownZone);
    expect(() => zoneOf('Europe/Atlantis')).toThrow(/"Europe\/Atlantis" in the IANA time zone rules 2026f/);
    expect(() => zoneOf('europe/berlin')).toThrow(UnknownZone);
    expect(() => zoneOf('UTC', '1999z')).toThrow(RangeError);
  });

  test('links read as the zones they name', () => {
    const at = seconds('2026-07-01T00:00:00Z');
    expect(zoneOf('Eire').offsetAt(at)).toBe(3600);
    expect(zoneOf('Asia/Calcutta').offsetAt(at)).toBe(zoneOf('Asia/Kolkata').offsetAt(at));
    expect(zoneOf('Etc/UTC').offsetAt(at)).toBe(0);
  });

  test('a reading in a gap resolves to the transition, in an overlap to its first occurrence', () => {
    const newYork = zoneOf('America/New_York');
    expect(newYork.firstReading(reading('2026-03-08T02:30:00'))).toBe(seconds('2026-03-08T07:00:00Z'));
    expect(newYork.firstReading(reading('2026-11-01T01:30:00'))).toBe(seconds('2026-11-01T05:30:00Z'));
    expect(newYork.firstReading(reading('2026-11-01T02:00:00'))).toBe(seconds('2026-11-01T07:00:00Z'));
    const lordHowe = zoneOf('Australia/Lord_Howe');
    expect(lordHowe.firstReading(reading('2026-10-04T02:10:00'))).toBe(seconds('2026-10-03T15:30:00Z'));
  });

  test('a civil day that never was begins and ends at the transition', () => {
    const apia = zoneOf('Pacific/Apia');
    const gone = seconds('2011-12-30T10:00:00Z');
    expect(apia.firstReading(reading('2011-12-30T09:00:00'))).toBe(gone);
    expect(apia.firstReading(reading('2011-12-30T17:00:00'))).toBe(gone);
    expect(apia.firstReading(reading('2011-12-31T00:00:00'))).toBe(gone);
  });

  test('yearly rules go on for ever', () => {
    const berlin = zoneOf('Europe/Berlin');
    expect(berlin.offsetAt(seconds('2250-07-01T00:00:00Z'))).toBe(7200);
    expect(berlin.offsetAt(seconds('2250-12-01T00:00:00Z'))).toBe(3600);
    expect(berlin.nextTransition(seconds('2250-07-01T00:00:00Z'))).toBe(seconds('2250-10-27T01:00:00Z'));
    expect(zoneOf('Asia/Shanghai').nextTransition(seconds('2000-01-01T00:00:00Z'))).toBe(Infinity);
  });

  test('every zone knows its first reading from both sides', () => {
    const wrong: string[] = [];
    for (const name of zoneNames()) {
      const zone = zoneOf(name);
      for (const at of transitions(zone, seconds('1995-01-01T00:00:00Z'), seconds('2012-01-01T00:00:00Z'))) {
        for (const shift of [-7200, -1800, 0, 1800, 7200]) {
          const local = at + zone.offsetAt(at - 1) + shift;
          const first = zone.firstReading(local);
          if (first + zone.offsetAt(first) < local || first - 1 + zone.offsetAt(first - 1) >= local)
            wrong.push(`${name} at ${local}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('an older version keeps its rules, for what older facts say', () => {
    const winter = seconds('2026-12-01T00:00:00Z');
    expect(zoneOf('America/Vancouver', '2025c').offsetAt(winter)).toBe(-8 * 3600);
    expect(zoneOf('America/Vancouver', '2026f').offsetAt(winter)).toBe(-7 * 3600);
    expect(TZDB_VERSIONS.at(-1)).toBe(TZDB);
  });

  const here = process.versions.tz ?? '';
  const comparable = TZDB_VERSIONS.includes(here);
  // With rules that no table has, Intl is no yardstick; the title says which case this run was.
  test(`the tables agree with Intl for every zone (Intl here has ${here}: ${comparable ? 'compared' : 'no table of that version'})`, () => {
    expect(zoneNames().length).toBeGreaterThan(590);
    if (!comparable) return;
    const seen = new Map<string, string>();
    for (const name of zoneNames(here)) {
      const zone = zoneOf(name, here);
      const changes = transitions(zone, 0, seconds('2100-01-01T00:00:00Z'));
      // Names with one table are compared once in full and otherwise by their canonical name.
      const canonical = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
      const fingerprint = `${zone.offsetAt(0)} ${changes.join(' ')}`;
      const known = seen.get(canonical);
      if (known !== undefined) {
        expect([name, fingerprint]).toEqual([name, known]);
        continue;
      }
      seen.set(canonical, fingerprint);
      const offset = intlOffset(name);
      const differences: string[] = [];
      const compare = (at: number): void => {
        if (zone.offsetAt(at) !== offset(at)) differences.push(`${name} at ${at}`);
      };
      for (const at of changes) {
        compare(at - 1);
        compare(at);
      }
      // Between the changes that the table knows, Intl has no other: probed every month.
      for (let at = 0; at < seconds('2040-01-01T00:00:00Z'); at += 30 * 86_400) compare(at);
      for (let at = seconds('2040-01-01T00:00:00Z'); at < seconds('2200-01-01T00:00:00Z'); at += 187 * 86_400)
        compare(at);
      expect(differences).toEqual([]);
    }
  }, 120_000);
});
