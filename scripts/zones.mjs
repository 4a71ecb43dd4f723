/**
 * Writes the zone rules of this Node's ICU as a versioned data module (ruling 7):
 *
 *   node scripts/zones.mjs /usr/share/zoneinfo/tzdata.zi
 *
 * makes libs/domain/sla/src/zones/tz-<version>.ts, where <version> is process.versions.tz. The file named
 * (part of any system's tz database) gives only the names of zones and links; the rules come from ICU, and
 * zones.spec.ts compares the result with Intl. Older modules stay: recorded facts name them.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const DAY = 86_400;
/** Transitions are kept one by one from here on; what lies earlier reads as the first offset. */
const FIRST = Date.UTC(1970, 0, 1) / 1000;
/** Rules that hold in every year from some year up to here are held to go on for ever. */
const LAST_YEAR = 2400;
/** Finer than the shortest stay at an offset that the tz database knows since 1970. */
const STEP = DAY / 4;

const version = process.versions.tz;
const namesFile = process.argv[2];
if (!namesFile) throw new Error('usage: node scripts/zones.mjs <tzdata.zi>');

function offsetAt(t) {
  const at = new Date(t * 1000);
  const local = Date.UTC(
    at.getFullYear(),
    at.getMonth(),
    at.getDate(),
    at.getHours(),
    at.getMinutes(),
    at.getSeconds(),
  );
  return local / 1000 - t;
}

function transitionBetween(low, high) {
  const after = offsetAt(high);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

function transitionsOf(zone) {
  process.env.TZ = zone;
  const found = [];
  const end = Date.UTC(LAST_YEAR + 1, 0, 1) / 1000;
  let offset = offsetAt(FIRST);
  const first = offset;
  for (let t = FIRST; t < end;) {
    const next = t + (t < Date.UTC(2100, 0, 1) / 1000 ? STEP : 7 * DAY);
    if (offsetAt(next) !== offset) {
      const at = transitionBetween(t, next);
      offset = offsetAt(at);
      found.push({ at, offset });
      t = at;
    } else t = next;
  }
  return { first, found };
}

const yearOf = (t) => new Date(t * 1000).getUTCFullYear();

/** `weekday` on or after `day` (which may be 0 or less) of `month`, at `second` of the UTC day. */
function occurrence(rule, year) {
  const base = Date.UTC(year, rule.month - 1, rule.day) / 1000;
  const weekday = new Date(base * 1000).getUTCDay();
  return base + ((rule.weekday - weekday + 7) % 7) * DAY + rule.second;
}

/** The yearly rules that the last centuries follow, in order within the year; null where there are none. */
function fitRules(found) {
  const tail = found.filter(({ at }) => yearOf(at) > LAST_YEAR - 200);
  if (tail.length === 0) return null;
  const byOffset = new Map();
  for (const transition of tail)
    byOffset.set(transition.offset, [...(byOffset.get(transition.offset) ?? []), transition.at]);
  const rules = [...byOffset].map(([offset, instants]) => {
    const second = instants[0] % DAY;
    const weekday = new Date(instants[0] * 1000).getUTCDay();
    const month = new Date(instants[0] * 1000).getUTCMonth() + 1;
    const days = instants.map((at) => (at - second - Date.UTC(yearOf(at), month - 1, 1) / 1000) / DAY + 1);
    const rule = { month, day: Math.min(...days), weekday, second, offset };
    for (const at of instants)
      if (occurrence(rule, yearOf(at)) !== at)
        throw new Error(`${process.env.TZ}: no yearly rule fits ${new Date(at * 1000).toISOString()}`);
    return rule;
  });
  return rules.sort((a, b) => occurrence(a, 2399) - occurrence(b, 2399));
}

function tableOf(zone) {
  const { first, found } = transitionsOf(zone);
  const rules = fitRules(found);
  let explicit = found;
  let from = 0;
  if (rules) {
    const follows = (year) => {
      const inYear = found.filter(({ at }) => yearOf(at) === year);
      return (
        inYear.length === rules.length &&
        inYear.every(({ at, offset }, i) => at === occurrence(rules[i], year) && offset === rules[i].offset)
      );
    };
    from = LAST_YEAR;
    while (follows(from - 1)) from--;
    explicit = found.filter(({ at }) => yearOf(at) < from);
  }
  let previous = FIRST;
  const deltas = explicit.map(({ at, offset }) => {
    const delta = (at - previous).toString(36);
    previous = at;
    return `${delta}:${offset.toString(36)}`;
  });
  const tail = rules
    ? [from, ...rules.map((r) => [r.month, r.day, r.weekday, r.second, r.offset].join(','))].join(' ')
    : '';
  return [[first.toString(36), ...deltas].join(' '), tail].join('|');
}

const names = new Set(Intl.supportedValuesOf('timeZone'));
for (const line of readFileSync(namesFile, 'utf8').split('\n')) {
  const [kind, a, b] = line.split(' ');
  if (kind === 'Z') names.add(a);
  if (kind === 'L') names.add(b);
}
names.delete('Factory');

const known = [...names].sort().filter((name) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    console.warn(`ICU does not know ${name}`);
    return false;
  }
});

const canonical = (name) => new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;

const tables = new Map();
const namesByTable = new Map();
for (const name of known) {
  // The TZ variable is read as POSIX where it can be (`Eire` is an hour east): only canonical names go there.
  const zone = canonical(name);
  const table = tables.get(zone) ?? tableOf(zone);
  tables.set(zone, table);
  namesByTable.set(table, [...(namesByTable.get(table) ?? []), name]);
}

const lines = [...namesByTable].map(([table, sharers]) => `  ['${sharers.join(' ')}', '${table}'],`);
writeFileSync(
  new URL(`../libs/domain/sla/src/zones/tz-${version}.ts`, import.meta.url),
  `/** IANA time zone rules ${version}, made by scripts/zones.mjs; the form is said in zones.ts. Never edited by hand. */
// prettier-ignore
export const tz${version}: readonly (readonly [names: string, table: string])[] = [
${lines.join('\n')}
];
`,
);
console.log(`${version}: ${known.length} names, ${namesByTable.size} tables`);
