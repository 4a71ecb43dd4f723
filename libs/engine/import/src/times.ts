import type { LocalSeconds, Zone } from '#domain/sla';
import { toInstant, type Instant } from '#kernel';

/** A time as a cell says it: on a wall clock, or with an offset of its own. */
export type ReadTime = { readonly local: LocalSeconds } | { readonly at: Instant };

/** Answers null for a cell that is no time of the format. */
export type TimeFormat = (cell: string) => ReadTime | null;

const LETTERS: Readonly<Record<string, string>> = {
  yyyy: '(?<year>\\d{4})',
  MM: '(?<month>\\d{2})',
  M: '(?<month>\\d{1,2})',
  dd: '(?<day>\\d{2})',
  d: '(?<day>\\d{1,2})',
  HH: '(?<hour>\\d{2})',
  H: '(?<hour>\\d{1,2})',
  mm: '(?<minute>\\d{2})',
  m: '(?<minute>\\d{1,2})',
  ss: '(?<second>\\d{2})',
  s: '(?<second>\\d{1,2})',
};

const ISO =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[Tt ](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,]\d+)?)?(?<offset>[Zz]|[+-]\d\d(?::?\d\d)?)?$/;

/**
 * A format in LDML's letters `y M d H m s` (Unicode TR 35), or `iso-8601` with or without an offset.
 *
 * @throws RangeError where it has other letters, or lacks year, month or day.
 */
export function timeFormat(format: string): TimeFormat {
  const pattern = format === 'iso-8601' ? ISO : compiled(format);
  return (cell) => {
    const parts = pattern.exec(cell)?.groups;
    if (!parts) return null;
    const number = (part: string): number => Number(parts[part] ?? 0);
    const [year, month, day] = [number('year'), number('month'), number('day')];
    const [hour, minute, second] = [number('hour'), number('minute'), number('second')];
    if (hour > 23 || minute > 59 || second > 59) return null;
    const date = Date.UTC(year, month - 1, day);
    const back = new Date(date);
    if (back.getUTCFullYear() !== year || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day)
      return null;
    const local = date / 1000 + hour * 3600 + minute * 60 + second;
    const { offset } = parts;
    return offset === undefined ? { local } : { at: toInstant(local - offsetSeconds(offset)) };
  };
}

function compiled(format: string): RegExp {
  const seen = new Set<string>();
  const pattern = format.replace(/([A-Za-z])\1*|[^A-Za-z]+/g, (token) => {
    if (!/[A-Za-z]/.test(token)) return token.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    const part = LETTERS[token];
    if (part === undefined || seen.has(token[0]!))
      throw new RangeError(`not a time format: ${JSON.stringify(format)} (at ${token})`);
    seen.add(token[0]!);
    return part;
  });
  if (!seen.has('y') || !seen.has('M') || !seen.has('d'))
    throw new RangeError(`not a time format: ${JSON.stringify(format)} lacks year, month or day`);
  return new RegExp(`^${pattern}$`);
}

function offsetSeconds(offset: string): number {
  if (offset === 'Z' || offset === 'z') return 0;
  const digits = offset.slice(1).replace(':', '').padEnd(4, '0');
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2)) * 60;
  return offset.startsWith('-') ? -seconds : seconds;
}

export interface Placed {
  readonly at: Instant;
  /** The clock never showed it, or showed it twice. */
  readonly doubt?: 'skipped' | 'repeated';
}

/**
 * When the wall clock of the zone showed a time (ruling 7: by the zone tables). A time that a change of the
 * clock skipped is the instant of the change; of one that the clock showed twice it is the first.
 */
export function placed(time: ReadTime, zone: Zone): Placed {
  if ('at' in time) return { at: time.at };
  const { local } = time;
  const seconds = zone.firstReading(local);
  const at = toInstant(seconds);
  const offset = zone.offsetAt(seconds);
  if (seconds + offset !== local) return { at, doubt: 'skipped' };
  const change = zone.nextTransition(seconds);
  const gained = change === Infinity ? 0 : offset - zone.offsetAt(change);
  return gained > 0 && seconds >= change - gained ? { at, doubt: 'repeated' } : { at };
}
