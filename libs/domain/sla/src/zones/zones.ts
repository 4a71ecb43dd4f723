import type { EpochSeconds } from '#kernel';
import { tz2025c } from './tz-2025c.js';
import { tz2026f } from './tz-2026f.js';

/** What a wall clock shows, as seconds since 1970-01-01T00:00:00 of that same clock. */
export type LocalSeconds = number;

/** The rules of one zone under one version of the tz database; immutable. */
export interface Zone {
  readonly name: string;
  /** Version of the tz database, `2026f`. */
  readonly version: string;
  /** Seconds east of UTC; before 1970 the offset of 1970-01-01T00:00:00Z. */
  offsetAt(at: EpochSeconds): number;
  /**
   * The boundary rule of domain.md C.2: the first instant at which the local clock reads at or after
   * `local`. In a gap that is the transition, in an overlap the first occurrence; a skipped civil day is empty.
   */
  firstReading(local: LocalSeconds): EpochSeconds;
  /** The first change of the offset after `at`; Infinity where there is none. */
  nextTransition(at: EpochSeconds): EpochSeconds;
}

export class UnknownZone extends Error {
  override readonly name = 'UnknownZone';
  constructor(zone: string, version: string) {
    super(`there is no time zone ${JSON.stringify(zone)} in the IANA time zone rules ${version}`);
  }
}

/** The zone rules that new facts are computed with (ruling 7). */
export const TZDB = '2026f';

/**
 * By version. A table is `<offset> <delta>:<offset> …|<year> <rule> <rule>`: the offset at 1970 and each
 * transition as seconds since the one before (base 36), then from `year` on, for ever, the yearly rules
 * `month,day,weekday,second,offset`: the weekday (0 Sunday) on or after that day (which may be 0 or less),
 * at that second of the UTC day. Superseded versions stay here: recorded facts name them.
 */
const VERSIONS: Readonly<Record<string, readonly (readonly [names: string, table: string])[]>> = {
  '2025c': tz2025c,
  '2026f': tz2026f,
};

const tables = new Map<string, ReadonlyMap<string, string>>();
const decoded = new Map<string, Zone>();

/** Every version there are tables of, the oldest first. */
export const TZDB_VERSIONS: readonly string[] = Object.keys(VERSIONS);

/** Every IANA name that the version knows, links included. */
export function zoneNames(version: string = TZDB): readonly string[] {
  return [...tablesOf(version).keys()];
}

/**
 * @param name IANA name, letter case as IANA writes it.
 * @throws UnknownZone
 */
export function zoneOf(name: string, version: string = TZDB): Zone {
  const key = `${version} ${name}`;
  let zone = decoded.get(key);
  if (!zone) {
    const table = tablesOf(version).get(name);
    if (table === undefined) throw new UnknownZone(name, version);
    zone = decode(name, version, table);
    decoded.set(key, zone);
  }
  return zone;
}

function tablesOf(version: string): ReadonlyMap<string, string> {
  let names = tables.get(version);
  if (!names) {
    const rows = VERSIONS[version];
    if (!rows)
      throw new RangeError(`there are no time zone rules ${version}; known: ${TZDB_VERSIONS.join(' ')}`);
    names = new Map(rows.flatMap(([sharers, table]) => sharers.split(' ').map((name) => [name, table])));
    tables.set(version, names);
  }
  return names;
}

interface YearlyRule {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly second: number;
  readonly offset: number;
}

const DAY = 86_400;
const YEAR = 31_556_952;

function occurrence(rule: YearlyRule, year: number): EpochSeconds {
  const base = Date.UTC(year, rule.month - 1, rule.day) / 1000;
  const weekday = new Date(base * 1000).getUTCDay();
  return base + ((rule.weekday - weekday + 7) % 7) * DAY + rule.second;
}

function decode(name: string, version: string, table: string): Zone {
  const [listed = '', tail = ''] = table.split('|');
  const [first = '0', ...transitions] = listed.split(' ');
  // Offset i holds from start i up to start i + 1.
  const starts: EpochSeconds[] = [-Infinity];
  const offsets: number[] = [parseInt(first, 36)];
  let at = 0;
  for (const transition of transitions) {
    const [delta = '', offset = ''] = transition.split(':');
    at += parseInt(delta, 36);
    starts.push(at);
    offsets.push(parseInt(offset, 36));
  }
  const [fromYear, ...written] = tail === '' ? [] : tail.split(' ');
  const rules = written.map((rule): YearlyRule => {
    const [month = 0, day = 0, weekday = 0, second = 0, offset = 0] = rule.split(',').map(Number);
    return { month, day, weekday, second, offset };
  });
  // Yearly rules are written out as far as somebody asked; `known` is the first instant not covered yet.
  let nextYear = Number(fromYear ?? Infinity);
  let known = rules.length === 0 ? Infinity : Date.UTC(nextYear, 0, 1) / 1000;
  const cover = (until: EpochSeconds): void => {
    while (known <= until) {
      for (const rule of rules) {
        starts.push(occurrence(rule, nextYear));
        offsets.push(rule.offset);
      }
      nextYear++;
      known = Date.UTC(nextYear, 0, 1) / 1000;
    }
  };
  /** Index of the offset in force. */
  const indexAt = (t: EpochSeconds): number => {
    if (t + YEAR >= known) cover(t + 20 * YEAR);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= t) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    name,
    version,
    offsetAt: (t) => offsets[indexAt(t)]!,
    firstReading: (local) => {
      // No zone is more than 26 hours from UTC, so no earlier stay can reach the reading.
      for (let i = indexAt(local - 26 * 3600); ; i++) {
        const candidate = Math.max(starts[i]!, local - offsets[i]!);
        if (candidate < (starts[i + 1] ?? Infinity)) return candidate;
      }
    },
    nextTransition: (t) => starts[indexAt(t) + 1] ?? Infinity,
  };
}
