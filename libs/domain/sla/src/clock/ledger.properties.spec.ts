import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toInstant, toSeconds, type Instant } from '#kernel';
import { calendars, clockHistories, type ClockHistory } from '#domain/sla/testing';
import { RETARGET_MODES, foldClock, type Clock, type ClockFact } from './clock.js';
import { ledger, type BreachOnRecord, type LedgerLine, type Sourced } from './ledger.js';

const MARKS: readonly LedgerLine<unknown>['kind'][] = [
  'started',
  'retargeted',
  'adopted',
  'warned',
  'warning-annulled',
  'breached',
  'annulled',
  'ended',
  'reopened',
  'restarted',
];

/** To the second, with every mode, and now and then another ticket's clock taken over. */
const histories: fc.Arbitrary<ClockHistory> = fc
  .record({
    history: clockHistories(1, RETARGET_MODES),
    other: fc.option(clockHistories(1, RETARGET_MODES), { nil: null, freq: 3 }),
    place: fc.nat(),
  })
  .map(({ history, other, place }) => {
    if (other === null) return history;
    const begin = history.facts[0]!.at;
    const at = history.facts[place % history.facts.length]!.at;
    const known = other.facts.filter((fact) => fact.at <= at);
    if (known.length === 0 || at < begin) return history;
    const adopt: ClockFact = { type: 'adopt', at, clock: foldClock(known, at) };
    return { ...history, facts: [...history.facts, adopt].sort((a, b) => toSeconds(a.at) - toSeconds(b.at)) };
  });

const sourced = (facts: readonly ClockFact[]): readonly Sourced<ClockFact>[] =>
  facts.map((fact) => ({ ...fact, source: fact }));
const explained = ({ facts, until }: ClockHistory, recorded: readonly BreachOnRecord<ClockFact>[] = []) =>
  ledger(sourced(facts), until, recorded);

/** What a reader finds by walking the lines forward with nothing but them. */
function walked(lines: readonly LedgerLine<unknown>[]): {
  readonly sum: number;
  readonly past: number;
  readonly due: Instant | null;
  readonly breachedAt: Instant | null;
} {
  let sum = 0;
  let past = 0;
  let target = 0;
  let due: number | null = null;
  let breachedAt: number | null = null;
  for (const line of lines) {
    const [from, to] = [toSeconds(line.from), toSeconds(line.to)];
    if (line.kind === 'restarted') [sum, breachedAt] = [0, null];
    switch (line.kind) {
      case 'started':
      case 'retargeted':
      case 'adopted':
      case 'reopened':
      case 'restarted':
        target = line.target;
        due = null;
        if (line.kind === 'adopted') breachedAt = line.breachedAt && toSeconds(line.breachedAt);
        break;
      case 'open':
      case 'closed':
      case 'holiday':
      case 'outside-calendar':
        if (sum >= target) due ??= from;
        if (sum + line.counted >= target) due ??= from + target - sum;
        if (!line.ahead && due !== null && to > due) breachedAt ??= due;
        break;
      case 'paused':
      case 'rested':
        due = null;
        break;
      case 'ended':
      case 'warned':
      case 'warning-annulled':
      case 'breached':
      case 'annulled':
        break;
    }
    sum += line.counted;
    expect(line.sum).toBe(sum);
    if (!line.ahead) past = sum;
  }
  const text = (at: number | null): Instant | null => (at === null ? null : toInstant(at));
  return { sum, past, due: text(breachedAt ?? due), breachedAt: text(breachedAt) };
}

const usual = (clock: Clock): boolean => clock.breachedAt === null && clock.due !== null;

describe('the ledger of any clock', () => {
  test('is of the very clock that the facts make', () => {
    fc.assert(
      fc.property(histories, (history) => {
        expect(explained(history).clock).toEqual(foldClock(history.facts, history.until));
      }),
      { numRuns: 300 },
    );
  });

  test('has every second from the start to the end in one stretch, and marks where they belong', () => {
    fc.assert(
      fc.property(histories, ({ facts, until }) => {
        const { lines, clock } = explained({ facts, until });
        let at = facts[0]!.at;
        for (const line of lines) {
          expect(line.from).toBe(at);
          expect(line.from === line.to).toBe(MARKS.includes(line.kind));
          if (!line.ahead) expect(line.to <= until).toBe(true);
          at = line.to;
        }
        if (clock.state === 'running' && usual(clock))
          expect(at).toBe(clock.due! > until ? clock.due : until);
        else if (clock.state === 'running' || clock.state === 'paused') expect(at).toBe(until);
      }),
      { numRuns: 300 },
    );
  });

  test('adds up to what was consumed, and with what lies ahead to the target', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { lines, clock } = explained(history);
        const { sum, past } = walked(lines);
        expect(past).toBe(clock.consumed);
        const ofCycle = lines.filter(({ cycle, ahead }) => cycle === clock.cycle && !ahead);
        expect(ofCycle.reduce((total, { counted }) => total + counted, 0)).toBe(clock.consumed);
        if (clock.state === 'running' && usual(clock))
          expect(sum).toBe(Math.max(clock.target, clock.consumed));
      }),
      { numRuns: 500 },
    );
  });

  test('has each warning that has fired once, at its instant, and none that has not', () => {
    const warn = [1, 2, 4].map((quarters) => [quarters, 4] as const);
    fc.assert(
      fc.property(histories, ({ facts, until }) => {
        fc.pre(!facts.some(({ type }) => type === 'adopt'));
        const warned = facts.map((fact) => (fact.type === 'start' ? { ...fact, warn } : fact));
        const { lines, clock } = explained({ facts: warned, until });
        const told = lines.flatMap((line) =>
          line.kind === 'warned' && line.cycle === clock.cycle
            ? [[line.numerator, line.denominator, line.from].join()]
            : [],
        );
        const fired = clock.warnings.flatMap(({ fraction, at, fired }) =>
          fired ? [[...fraction, at].join()] : [],
        );
        expect([...told].sort()).toEqual([...fired].sort());
        expect(lines.every(({ kind, counted }) => kind !== 'warned' || counted === 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('walked forward comes to the due instant, and to the breach', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { lines, clock } = explained(history);
        const found = walked(lines);
        expect(found.breachedAt).toBe(clock.breachedAt);
        if (clock.state === 'running' && (clock.due! > clock.asOf || clock.breachedAt !== null))
          expect(found.due).toBe(clock.due);
        const said = lines.filter(({ kind, cycle }) => kind === 'breached' && cycle === clock.cycle);
        // A breach that was taken over stands in the other ticket's ledger.
        if (clock.breachedAt !== null && !lines.some(({ kind }) => kind === 'adopted'))
          expect(said.map(({ from }) => from)).toEqual([clock.breachedAt]);
      }),
      { numRuns: 500 },
    );
  });

  test('has its due at the end of an open second, or where nothing was left', () => {
    fc.assert(
      fc.property(histories, ({ facts, until }) => {
        const { lines, clock } = explained({ facts, until });
        if (clock.state !== 'running' || clock.due === null || clock.breachedAt !== null) return;
        const due = toSeconds(clock.due);
        const nothingLeft = lines.some(
          (line) => !line.ahead && line.to === clock.due && line.sum >= clock.target,
        );
        if (!nothingLeft) {
          expect(clock.calendar.openSeconds(due - 1, due)).toBe(1);
          expect(lines.at(-1)).toMatchObject({ kind: 'open', to: clock.due, sum: clock.target });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('counts in open lines nothing but open seconds, and in no other line any', () => {
    fc.assert(
      fc.property(histories, ({ facts, until }) => {
        for (const line of explained({ facts, until }).lines) {
          const length = toSeconds(line.to) - toSeconds(line.from);
          if (line.kind === 'open') expect(line.counted).toBe(length);
          else if (!MARKS.includes(line.kind)) expect(line.counted).toBe(0);
          if (line.kind === 'paused') expect(line.open).toBeLessThanOrEqual(length);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('never loses a second by a re-target that keeps what was consumed', () => {
    fc.assert(
      fc.property(clockHistories(1, ['keep']), calendars, ({ facts, until }, calendar) => {
        const { lines } = explained({ facts, until });
        for (const line of lines) if (line.kind === 'retargeted') expect(line.counted).toBe(0);
        // The same history under one more such re-target at any of its facts: all that was counted before it stays.
        const kept = facts.flatMap((fact, i): readonly ClockFact[] =>
          i === 0 ? [fact] : [{ type: 'retarget', at: fact.at, mode: 'keep' }, fact],
        );
        expect(ledger(sourced(kept), until).clock.consumed).toBe(foldClock(facts, until).consumed);
        const at = facts.at(-1)!.at;
        const moved = [...facts, { type: 'retarget', at, calendar, mode: 'keep' } as const];
        expect(foldClock(moved).consumed).toBe(foldClock(facts).consumed);
      }),
      { numRuns: 200 },
    );
  });

  test('is the same in whatever order facts of different instants were recorded', () => {
    fc.assert(
      fc.property(
        histories.chain(({ facts, until }) => {
          const distinct = facts.filter(({ at }, i) => facts.findIndex((other) => other.at === at) === i);
          return fc.record({
            facts: fc.constant(distinct),
            shuffled: fc.shuffledSubarray(distinct, { minLength: distinct.length }),
            until: fc.constant(until),
          });
        }),
        ({ facts, shuffled, until }) => {
          expect(explained({ facts: shuffled, until })).toEqual(explained({ facts, until }));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('is the same whether its breach has been recorded yet or not, but for where it is recorded', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const before = explained(history);
        const source = history.facts[0]!;
        const recorded = before.lines.flatMap((line): readonly BreachOnRecord<ClockFact>[] =>
          line.kind === 'breached' ? [{ cycle: line.cycle, due: line.from, source, annulled: null }] : [],
        );
        const after = explained(history, recorded);
        expect(after.clock).toEqual(before.clock);
        expect(after.lines).toEqual(
          before.lines.map((line) => (line.kind === 'breached' ? { ...line, source } : line)),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('told of breaches that never came true, keeps its sums and its clock', () => {
    fc.assert(
      fc.property(
        histories,
        fc.array(fc.nat({ max: 6 * 86_400 }), { maxLength: 3 }),
        ({ facts, until }, afters) => {
          const source = facts[0]!;
          const recorded = afters.map((after): BreachOnRecord<ClockFact> => ({
            cycle: 1,
            due: toInstant(toSeconds(source.at) + after),
            source,
            annulled: { source, cause: 'late' },
          }));
          const plain = explained({ facts, until });
          const { clock, lines } = explained({ facts, until }, recorded);
          expect(clock).toEqual(plain.clock);
          expect(walked(lines)).toEqual(walked(plain.lines));
          expect(lines.filter(({ kind }) => kind === 'annulled')).toHaveLength(recorded.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});
