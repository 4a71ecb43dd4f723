/**
 * Writes the zone rules of a compiled tz database as a versioned data module (ruling 7):
 *
 *   pip download --no-deps tzdata==2026.6 && unzip tzdata-2026.6-*.whl -d tzdata-2026f
 *   node scripts/zones.mjs tzdata-2026f/tzdata/zoneinfo 2026f
 *
 * makes libs/domain/sla/src/zones/tz-2026f.ts. Any folder of TZif files (RFC 9636) serves, /usr/share/zoneinfo
 * too. Older modules stay, because recorded facts name them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const DAY = 86_400;
/** Up to here yearly rules are written out to find from which year on they hold. */
const LAST_YEAR = 2100;

const [folder, version] = process.argv.slice(2);
if (!folder || !/^\d{4}[a-z]$/.test(version ?? ''))
  throw new Error('usage: node scripts/zones.mjs <folder of TZif files> <version, 2026f>');

const yearOf = (t) => new Date(t * 1000).getUTCFullYear();

/** Names and contents of the zones below a folder. */
function zones() {
  const found = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const name = relative(folder, path);
    if (/^(posix|right)\//.test(name) || ['Factory', 'localtime', 'posixrules'].includes(name)) continue;
    const bytes = readFileSync(path);
    if (bytes.subarray(0, 4).toString() === 'TZif') found.push({ name, bytes });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** RFC 9636: the block of 64-bit transitions, and the footer that says how it goes on. */
function parse(bytes) {
  const counts = (at) => {
    const [isUt, isStd, leap, time, type, char] = [0, 1, 2, 3, 4, 5].map((i) =>
      bytes.readUInt32BE(at + 20 + 4 * i),
    );
    return { isUt, isStd, leap, time, type, char };
  };
  const first = counts(0);
  const second =
    44 + first.time * 5 + first.type * 6 + first.char + first.leap * 8 + first.isStd + first.isUt;
  const { isUt, isStd, leap, time, type, char } = counts(second);
  const times = second + 44;
  const indices = times + time * 8;
  const types = indices + time;
  const offsetOf = (index) => bytes.readInt32BE(types + index * 6);
  const transitions = Array.from({ length: time }, (_, i) => ({
    at: Number(bytes.readBigInt64BE(times + i * 8)),
    offset: offsetOf(bytes[indices + i]),
  }));
  const footer = bytes
    .subarray(types + type * 6 + char + leap * 12 + isStd + isUt)
    .toString()
    .trim();
  return { initial: offsetOf(0), transitions, footer };
}

/** Seconds of `[+-]h[:mm[:ss]]`. */
function seconds(text) {
  const [h, m = 0, s = 0] = text.replace(/^[+-]/, '').split(':').map(Number);
  return (text.startsWith('-') ? -1 : 1) * (h * 3600 + m * 60 + s);
}

/**
 * The yearly rules of a POSIX TZ string, in UTC: `weekday` (0 Sunday) on or after `day` (which may be 0 or
 * less) of `month`, at `second` of the day.
 */
function rulesOf(footer) {
  const match =
    /^(?:<[^>]+>|[A-Za-z]+)([+-]?[\d:]+)(?:(?:<[^>]+>|[A-Za-z]+)([+-]?[\d:]+)?,([^,]+),([^,]+))?$/.exec(
      footer,
    );
  if (!match) throw new Error(`not understood: ${footer}`);
  const [, std, dst, starts, ends] = match;
  if (!starts) return [];
  const standard = -seconds(std) || 0;
  const summer = dst ? -seconds(dst) || 0 : standard + 3600;
  const rule = (text, before, offset) => {
    const date = /^M(\d+)\.(\d)\.(\d)(?:\/([+-]?[\d:]+))?$/.exec(text);
    if (!date) throw new Error(`not understood: ${footer}`);
    const [month, week, weekday] = date.slice(1, 4).map(Number);
    if (week === 5 && month === 2) throw new Error(`the last week of February is no fixed day: ${footer}`);
    const day = week === 5 ? new Date(Date.UTC(2001, month, 0)).getUTCDate() - 6 : (week - 1) * 7 + 1;
    const utc = (date[4] ? seconds(date[4]) : 7200) - before;
    const shift = Math.floor(utc / DAY);
    return {
      month,
      day: day + shift,
      weekday: (((weekday + shift) % 7) + 7) % 7,
      second: utc - shift * DAY,
      offset,
    };
  };
  return [rule(starts, standard, summer), rule(ends, summer, standard)].sort(
    (a, b) => occurrence(a, 2001) - occurrence(b, 2001),
  );
}

function occurrence(rule, year) {
  const base = Date.UTC(year, rule.month - 1, rule.day) / 1000;
  const weekday = new Date(base * 1000).getUTCDay();
  return base + ((rule.weekday - weekday + 7) % 7) * DAY + rule.second;
}

function tableOf(bytes) {
  const { initial, transitions, footer } = parse(bytes);
  const rules = rulesOf(footer);
  const last = transitions.at(-1)?.at ?? 0;
  const all = [...transitions];
  for (let year = Math.max(1970, yearOf(last)); rules.length > 0 && year <= LAST_YEAR; year++)
    for (const rule of rules) {
      const at = occurrence(rule, year);
      if (at > last) all.push({ at, offset: rule.offset });
    }
  let offset = all.findLast(({ at }) => at <= 0)?.offset ?? initial;
  const first = offset;
  const changes = [];
  for (const transition of all) {
    if (transition.at <= 0 || transition.offset === offset) continue;
    changes.push(transition);
    offset = transition.offset;
  }
  let from = LAST_YEAR + 1;
  const follows = (year) => {
    const inYear = changes.filter(({ at }) => yearOf(at) === year);
    return (
      inYear.length === rules.length &&
      inYear.every(({ at, offset }, i) => at === occurrence(rules[i], year) && offset === rules[i].offset)
    );
  };
  while (rules.length > 0 && follows(from - 1)) from--;
  if (rules.length > 0 && from > LAST_YEAR) throw new Error(`no year follows ${footer}`);
  let previous = 0;
  const listed = changes
    .filter(({ at }) => rules.length === 0 || yearOf(at) < from)
    .map(({ at, offset }) => {
      const delta = (at - previous).toString(36);
      previous = at;
      return `${delta}:${offset.toString(36)}`;
    });
  const tail = rules.map((r) => [r.month, r.day, r.weekday, r.second, r.offset].join(','));
  return [[first.toString(36), ...listed].join(' '), tail.length > 0 ? [from, ...tail].join(' ') : ''].join(
    '|',
  );
}

const namesByTable = new Map();
let count = 0;
for (const { name, bytes } of zones()) {
  const table = tableOf(bytes);
  namesByTable.set(table, [...(namesByTable.get(table) ?? []), name]);
  count++;
}

const lines = [...namesByTable].map(([table, sharers]) => `  ['${sharers.join(' ')}', '${table}'],`);
writeFileSync(
  new URL(`../libs/domain/sla/src/zones/tz-${version}.ts`, import.meta.url),
  `/** IANA time zone rules ${version}, made by scripts/zones.mjs; zones.ts says the form. Never edited by hand. */
// prettier-ignore
export const tz${version}: readonly (readonly [names: string, table: string])[] = [
${lines.join('\n')}
];
`,
);
console.log(`${version}: ${count} names, ${namesByTable.size} tables`);
