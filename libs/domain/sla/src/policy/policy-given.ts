import { CLOCKS, HOLD_REASONS, type ClockName, type HoldReason } from '../clock/clock-events.js';
import type { Fraction } from '../clock/clock.js';
import { byKey } from './by-key.js';
import { ofPromised, policyProblems, promisedBy, type PolicyDefinition } from './definition.js';
import { PRIORITIES } from './policy.js';

/** Units in which a target may be said, in seconds of open time. Days are not among them: a day has as many open hours as its calendar says. */
export const TARGET_UNITS = {
  'business-seconds': 1,
  'business-minutes': 60,
  'business-hours': 3600,
} as const;
export type TargetUnit = keyof typeof TARGET_UNITS;

/** How much a definition may hold; far more than any desk has, and within an event's 256 KiB. */
const MOST = { weekly: 100, dates: 2_000, shares: 10 } as const;

export interface GivenProblem {
  /** Path in what was given, `targets[3].unit`. */
  readonly field: string;
  readonly problem: string;
}

export type PolicyGiven =
  { readonly definition: PolicyDefinition } | { readonly problems: readonly GivenProblem[] };

/**
 * A policy as people send it, in JSON, or everything that is wrong with it at once; nothing of what was given
 * is repeated.
 *
 *     { "calendar": { "zone": "Europe/Berlin",
 *                     "weekly": [{ "days": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00" }],
 *                     "closed": ["2026-12-25"],
 *                     "open": [{ "date": "2026-12-24", "from": "09:00", "to": "12:00" }] },
 *       "targets": [{ "priority": 1, "clock": "resolution", "target": 4, "unit": "business-hours" }, …],
 *       "pausedBy": [{ "clock": "resolution", "reasons": ["requester"] }],
 *       "warnAt": [{ "clock": "resolution", "shares": ["1/2", "3/4"] }],
 *       "reopenWithinDays": 5 }
 */
export function policyGiven(given: unknown): PolicyGiven {
  const problems: GivenProblem[] = [];
  const wrong = (field: string, problem: string): void => void problems.push({ field, problem });

  const record = (value: unknown, field: string, names: readonly string[]): Record<string, unknown> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      wrong(field, 'must be an object');
      return {};
    }
    for (const name of Object.keys(value))
      if (!names.includes(name)) wrong(field === '' ? 'it' : field, 'has a member that is not known here');
    return value as Record<string, unknown>;
  };
  const list = (value: unknown, field: string, most: number): readonly unknown[] => {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.length <= most) return value;
    wrong(field, `must be a list of at most ${most}`);
    return [];
  };
  const text = (value: unknown, field: string): string => {
    if (typeof value === 'string' && value.length <= 64) return value;
    wrong(field, 'must be a text');
    return '';
  };
  const whole = (value: unknown, field: string): number => {
    if (Number.isSafeInteger(value)) return value as number;
    wrong(field, 'must be a whole number');
    return 1;
  };
  const among = <V extends string | number>(value: unknown, field: string, values: readonly V[]): V => {
    const known = values.find((each) => each === value);
    if (known === undefined) wrong(field, `must be one of ${values.join(', ')}`);
    return known ?? values[0]!;
  };

  const top = record(given, '', ['calendar', 'targets', 'pausedBy', 'warnAt', 'reopenWithinDays']);

  const hours = record(top['calendar'], 'calendar', ['zone', 'always', 'weekly', 'closed', 'open']);
  const always = hours['always'] ?? false;
  if (typeof always !== 'boolean') wrong('calendar.always', 'must be true or false');
  const calendar: PolicyDefinition['calendar'] = {
    zone: text(hours['zone'], 'calendar.zone'),
    ...(always === true && { always }),
    weekly: list(hours['weekly'], 'calendar.weekly', MOST.weekly).map((entry, i) => {
      const at = `calendar.weekly[${i}]`;
      const { days, from, to } = record(entry, at, ['days', 'from', 'to']);
      return {
        days: list(days, `${at}.days`, 7).map((day, j) => whole(day, `${at}.days[${j}]`)),
        from: text(from, `${at}.from`),
        to: text(to, `${at}.to`),
      };
    }),
    closed: list(hours['closed'], 'calendar.closed', MOST.dates).map((date, i) =>
      text(date, `calendar.closed[${i}]`),
    ),
    open: list(hours['open'], 'calendar.open', MOST.dates).map((entry, i) => {
      const at = `calendar.open[${i}]`;
      const { date, from, to } = record(entry, at, ['date', 'from', 'to']);
      return { date: text(date, `${at}.date`), from: text(from, `${at}.from`), to: text(to, `${at}.to`) };
    }),
  };

  const promised = new Map<string, number>();
  const rows = list(top['targets'], 'targets', PRIORITIES.length * CLOCKS.length);
  rows.forEach((row, i) => {
    const at = `targets[${i}]`;
    const before = problems.length;
    const given = record(row, at, ['priority', 'clock', 'target', 'unit']);
    const priority = among(given['priority'], `${at}.priority`, PRIORITIES);
    const clock = among(given['clock'], `${at}.clock`, CLOCKS);
    const unit = among(given['unit'], `${at}.unit`, Object.keys(TARGET_UNITS) as TargetUnit[]);
    const seconds = whole(given['target'], `${at}.target`) * TARGET_UNITS[unit];
    if (problems.length > before) return;
    if (promised.has(`${priority} ${clock}`)) wrong(at, 'says again what another one says');
    promised.set(`${priority} ${clock}`, seconds);
  });

  const reasons = new Map<ClockName, readonly HoldReason[]>();
  list(top['pausedBy'], 'pausedBy', CLOCKS.length).forEach((row, i) => {
    const at = `pausedBy[${i}]`;
    const given = record(row, at, ['clock', 'reasons']);
    const clock = among(given['clock'], `${at}.clock`, CLOCKS);
    if (reasons.has(clock)) wrong(at, 'says again what another one says');
    const these = list(given['reasons'], `${at}.reasons`, HOLD_REASONS.length).map((reason, j) =>
      among(reason, `${at}.reasons[${j}]`, HOLD_REASONS),
    );
    if (new Set(these).size < these.length) wrong(`${at}.reasons`, 'name one twice');
    reasons.set(clock, these);
  });

  const warnings = new Map<ClockName, readonly Fraction[]>();
  list(top['warnAt'], 'warnAt', CLOCKS.length).forEach((row, i) => {
    const at = `warnAt[${i}]`;
    const given = record(row, at, ['clock', 'shares']);
    const clock = among(given['clock'], `${at}.clock`, CLOCKS);
    if (warnings.has(clock)) wrong(at, 'says again what another one says');
    warnings.set(
      clock,
      list(given['shares'], `${at}.shares`, MOST.shares).map((share, j): Fraction => {
        const [, numerator, denominator] = /^(\d{1,4})\/(\d{1,4})$/.exec(String(share)) ?? [];
        if (denominator === undefined) wrong(`${at}.shares[${j}]`, 'must be a share such as 3/4');
        return [Number(numerator), Number(denominator)];
      }),
    );
  });

  const reopenWithinDays = whole(top['reopenWithinDays'], 'reopenWithinDays');
  if (problems.length > 0) return { problems };

  const definition: PolicyDefinition = {
    calendar,
    targets: byKey(PRIORITIES, (priority) =>
      ofPromised(
        CLOCKS.flatMap((clock) => {
          const target = promised.get(`${priority} ${clock}`);
          return target === undefined ? [] : [[clock, target] as const];
        }),
      ),
    ),
    pausedBy: ofPromised([...reasons]),
    ...(warnings.size > 0 && { warnAt: Object.fromEntries(warnings) }),
    reopenWithinDays,
  };
  const judged = policyProblems(definition).map(({ field, problem }) => ({
    field: asGiven(field, rows as readonly { priority: number; clock: string }[]),
    problem,
  }));
  return judged.length > 0 ? { problems: judged } : { definition };
}

/** `targets.1.resolution` of a definition as the row that gave it, or as what lacks it. */
function asGiven(
  field: string,
  rows: readonly { readonly priority: number; readonly clock: string }[],
): string {
  const [, priority, clock] = /^targets\.(\d)\.(.+)$/.exec(field) ?? [];
  const row = rows.findIndex((each) => String(each.priority) === priority && each.clock === clock);
  return row < 0 ? field : `targets[${row}].target`;
}

/** A definition in the form in which people send it. */
export function asPolicyGiven({ calendar, targets, pausedBy, warnAt, reopenWithinDays }: PolicyDefinition) {
  const { zone, always, weekly = [], closed = [], open = [] } = calendar;
  const promised = promisedBy({ targets });
  return {
    calendar: always ? { zone, always } : { zone, weekly, closed, open },
    targets: PRIORITIES.flatMap((priority) =>
      promised.flatMap((clock) => {
        const target = targets[priority][clock];
        return target === undefined ? [] : [{ priority, clock, target, unit: 'business-seconds' as const }];
      }),
    ),
    pausedBy: promised.map((clock) => ({ clock, reasons: pausedBy[clock] ?? [] })),
    ...(warnAt && {
      warnAt: promised.flatMap((clock) => {
        const shares = warnAt[clock] ?? [];
        return shares.length === 0
          ? []
          : [{ clock, shares: shares.map(([numerator, denominator]) => `${numerator}/${denominator}`) }];
      }),
    }),
    reopenWithinDays,
  };
}
