import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  clockFacts,
  ticket,
  ticketEvents,
  type Happening,
  type TicketCommand,
  type TicketEvent,
  type TicketFact,
  type TicketState,
} from '#domain/desk';
import {
  CLOCKS,
  foldClock,
  formatDate,
  localDay,
  zoneOf,
  type Clock,
  type ClockFact,
  type Policies,
} from '#domain/sla';
import { builtInPolicies, everyPromisePolicies } from '#domain/sla/testing';
import {
  decideInTurn,
  later,
  occur,
  toInstant,
  toPosition,
  toSeconds,
  type Actor,
  type Instant,
  type Recorded,
  type Uuid,
} from '#kernel';
import { attained, pausedSeconds } from './attaining.js';
import { attainment, isKept, OUTCOMES, type AttainmentRow, type Outcome } from './attainment.js';
import { foldEvents } from './folding.js';
import type { Noted } from './view.js';

/** Open Monday to Friday 09:00 to 18:00; its months begin hours after those of UTC. */
const ZONE = 'America/New_York';
const BUILT_IN = builtInPolicies(ZONE);
/** Every promise that there is, of which some begin anew again and again. */
const EVERY = everyPromisePolicies(ZONE);
const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const BY: Actor = { id: id(11), role: 'integration' };
const HOUR = 3600;
/** A Friday, the month before it changes and clocks go back on 1 November. */
const BEGIN = Date.UTC(2026, 9, 30, 12) / 1000;

type Step = { readonly type: TicketCommand['type'] } & Readonly<Record<string, unknown>>;
const steps = fc.oneof(
  fc.constantFrom<Step>(
    { type: 'hold-ticket', reason: 'requester' },
    { type: 'hold-ticket', reason: 'vendor' },
    { type: 'resume-ticket' },
    { type: 'add-message', kind: 'sent', channel: 'e-mail', autoReply: false, text: 'x' },
    { type: 'add-message', kind: 'received', channel: 'e-mail', autoReply: false, text: 'x' },
    { type: 'add-message', kind: 'note', channel: 'e-mail', autoReply: false, text: 'x' },
    { type: 'resolve-ticket', resolution: 'solved' },
    { type: 'reopen-ticket' },
    { type: 'offer-handover', handover: id(20), agent: id(21), reason: 'x' },
    { type: 'accept-handover' },
    { type: 'decline-handover', reason: 'x' },
    { type: 'assign-ticket', agent: id(22) },
    { type: 'close-ticket' },
  ),
  fc.integer({ min: 1, max: 4 }).map((priority): Step => ({ type: 'prioritise-ticket', priority })),
);

interface Told {
  readonly policies: Policies;
  readonly carriesMessages: boolean;
  readonly priority: number;
  /** Seconds after the last step, at which what has fallen due is recorded. */
  readonly rest: number;
  readonly steps: readonly {
    /** Seconds after the step before; now and then a whole week. */
    readonly after: number;
    /** Seconds before that at which it is said to have happened. */
    readonly ago: number;
    readonly step: Step;
  }[];
}

const told: fc.Arbitrary<Told> = fc.record({
  policies: fc.constantFrom(BUILT_IN, EVERY),
  carriesMessages: fc.boolean(),
  priority: fc.integer({ min: 1, max: 4 }),
  rest: fc.integer({ min: 0, max: 200 }).map((hours) => hours * HOUR),
  steps: fc.array(
    fc.record({
      after: fc.oneof(
        fc.integer({ min: 0, max: 8 * 60 }).map((minutes) => minutes * 60),
        fc.integer({ min: 0, max: 9 * 24 }).map((hours) => hours * HOUR),
      ),
      ago: fc.oneof(
        { weight: 4, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }).map((hours) => hours * HOUR) },
      ),
      step: steps,
    }),
    { maxLength: 14 },
  ),
});

interface Stream {
  readonly policies: Policies;
  readonly events: readonly Noted[];
  /** What fell due by then is recorded. */
  readonly now: Instant;
}

/** A ticket whose stream is told step by step; what is refused is left out. */
class Teller {
  readonly events: Recorded<TicketEvent>[] = [];
  readonly ticket: Uuid;
  state: TicketState = ticket.initial;
  now = BEGIN;

  constructor(
    private readonly n: number,
    private readonly policies: Policies,
    { carriesMessages, priority }: Told,
  ) {
    this.ticket = id(n);
    this.tell({
      ...{ type: 'open-ticket', number: 'T-1', channel: 'phone', requester: id(10), tier: 'base' },
      ...{ priority, subject: 'x', text: 'y', policy: 'default', importing: false, carriesMessages },
    });
  }

  tell(step: Step, ago = 0): void {
    const at = this.now - ago;
    const command = { ...step, occurredAt: toInstant(at), by: BY, policies: this.policies };
    this.record([command as unknown as TicketCommand], at);
  }

  steps(steps: Told['steps']): void {
    for (const { after, ago, step } of steps) {
      this.now += after;
      this.tell(step, ago);
    }
  }

  /** Records what has fallen due by now. */
  rest(seconds: number): void {
    this.now += seconds;
    this.record([], this.now);
  }

  private record(commands: readonly TicketCommand[], at: number): void {
    const came = decideInTurn(ticket, ticketEvents, this.state, commands, toInstant(this.now), BY);
    if ('refused' in came) return;
    for (const fact of came.facts)
      this.events.push({
        ...occur<TicketFact, TicketEvent>(ticketEvents, fact, { occurredAt: toInstant(at), actor: BY }),
        id: id(this.n * 1000 + this.events.length),
        stream: `ticket-${this.ticket}`,
        revision: this.events.length,
        position: toPosition(this.events.length + 1),
        recordedAt: this.now * 1_000_000,
        correlation: 'told',
        engine: '1',
      });
    this.state = came.state;
  }
}

function stream(n: number, one: Told): Stream {
  const teller = new Teller(n, one.policies, one);
  teller.steps(one.steps);
  teller.rest(one.rest);
  const { events, now } = teller;
  return { policies: one.policies, events: events as unknown as Noted[], now: toInstant(now) };
}

/** What became of a cycle, computed without any view. */
interface Truth {
  readonly outcome: Outcome;
  readonly month: string | null;
  readonly priority: number;
  readonly paused: number;
  readonly consumed: number;
}

const running = ({ state }: Clock): boolean => state === 'running' || state === 'paused';

/** From all that happened, each clock folded from its beginning: no record of an event is looked at. */
function truth({ policies, events, now }: Stream): ReadonlyMap<string, Truth> {
  let state: TicketState = ticket.initial;
  for (const event of events) state = ticket.evolve(state, event as unknown as Recorded<TicketEvent>);
  const history: readonly Happening[] = state.status === 'none' ? [] : state.history;
  const found = new Map<string, Truth>();
  for (const name of CLOCKS) {
    const { facts, behind } = clockFacts(name, history, policies);
    if (facts.length === 0) continue;
    const paused = new Map<number, number>();
    foldClock(facts, undefined, {
      passes: ({ state, cycle, calendar, asOf }, until) => {
        if (state === 'paused')
          paused.set(cycle, (paused.get(cycle) ?? 0) + calendar.openSeconds(asOf, until));
      },
      took: () => {},
    });
    const ends = facts.flatMap((fact, i) => (isRestart(fact) ? [i] : []));
    for (const end of [...ends, facts.length]) {
      const own = facts.slice(0, end);
      const clock = foldClock(own, end === facts.length ? later(now, own.at(-1)!.at) : facts[end]!.at);
      const states = own.map((_, i) => foldClock(own.slice(0, i + 1)));
      const lastLive = states.findLastIndex(running);
      const ended = running(clock) ? null : lastLive + 1;
      const upTo = ended === null ? history.length : history.indexOf(behind[ended]!) + 1;
      const prioritised = history
        .slice(0, upTo)
        .findLast(({ kind }) => kind === 'opened' || kind === 'prioritised') as Happening & {
        kind: 'opened';
      };
      const decided = clock.breachedAt ?? (ended === null ? clock.due : own[ended]!.at);
      found.set(`${name}/${clock.cycle}`, {
        outcome: outcomeOf(clock),
        month: decided === null ? null : formatDate(localDay(zoneOf(ZONE), toSeconds(decided))).slice(0, 7),
        priority: prioritised.priority,
        paused: paused.get(clock.cycle) ?? 0,
        consumed: clock.consumed,
      });
    }
  }
  return found;
}

const isRestart = (fact: ClockFact): boolean => fact.type === 'reopen' && fact.mode === 'restart';

function outcomeOf(clock: Clock): Outcome {
  if (running(clock)) return clock.breachedAt === null ? 'open' : 'open-breached';
  if (clock.breachedAt !== null) return 'missed';
  return clock.state === 'stopped' ? 'met' : (clock.state as Outcome);
}

function rowsOf(events: readonly Noted[]): readonly AttainmentRow[] {
  const { rows, parked } = foldEvents(attainment, events, () => null, new Map());
  expect(parked).toEqual([]);
  return [...rows.values()] as AttainmentRow[];
}

/** Tallies as they come from event after event, each telling what it changed. */
function tallied(events: readonly Noted[]): { subject: string; kind: string; count: number }[] {
  const sums = new Map<string, number>();
  const rows = new Map<string, AttainmentRow>();
  for (const event of events) {
    const folded = foldEvents(attainment, [event], (key) => rows.get(key) ?? null, new Map());
    for (const [key, row] of folded.rows) rows.set(key, row as AttainmentRow);
    for (const { subject, kind, by } of folded.tallies)
      sums.set(`${subject} ${kind}`, (sums.get(`${subject} ${kind}`) ?? 0) + by);
  }
  return [...sums].map(([key, count]) => {
    const [subject, kind] = key.split(' ');
    return { subject: subject!, kind: kind!, count };
  });
}

async function* each<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

describe('The view of attainment', () => {
  it('says of every cycle what all that happened comes to, whatever came late', () => {
    fc.assert(
      fc.property(told, (one) => {
        const told = stream(1, one);
        const [row] = rowsOf(told.events);
        const expected = truth(told);
        const { calendar } = one.policies.version('default@1');
        const got = new Map(
          row!.cycles.map((cycle) => [
            `${cycle.clock}/${cycle.cycle}`,
            {
              outcome: cycle.outcome,
              month: cycle.month,
              priority: cycle.priority,
              ...(isKept(cycle) && {
                paused: cycle.waited ? pausedSeconds(cycle, row!.rests, calendar) : 0,
                consumed: cycle.consumed,
              }),
            },
          ]),
        );
        // What a late fact let nobody promise any more is recorded as not applicable.
        for (const [key, { outcome }] of got)
          if (!expected.has(key) && outcome === 'not-applicable') got.delete(key);
        const shown = new Map(
          [...expected].map(([key, { paused, consumed, ...rest }]) => [
            key,
            isKept(rest) ? { ...rest, paused, consumed } : rest,
          ]),
        );
        expect(got).toEqual(shown);
      }),
      { numRuns: 200 },
    );
  });

  it('adds up: every cycle is counted once, in the report that its tallies make', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(told, { minLength: 1, maxLength: 6 }), async (all) => {
        const streams = all.map((one, n) => stream(n, one));
        const events = streams.flatMap((each) => each.events);
        const now = streams.map((each) => each.now).reduce(later);
        const rows = rowsOf(events);
        const tallies = tallied(events);
        const { lines } = await attained(
          {
            now: async () => now,
            tallies: async () => tallies,
            waited: (months) => each(rows.filter(({ waitedIn }) => waitedIn.some((m) => months.includes(m)))),
            metSince: (at) => each(rows.filter(({ metAt }) => metAt !== null && metAt >= at)),
          },
          {},
          BUILT_IN,
        );
        const known = new Map(streams.map((own) => [own.events[0]!.stream, truth(own)]));
        const truths = [...known.values()].flatMap((own) => [...own.values()]);
        // What a late fact let nobody promise any more is counted as not applicable (decision 0032).
        const takenBack = rows.flatMap(({ ticket, cycles }) =>
          cycles.filter(({ clock, cycle }) => !known.get(`ticket-${ticket}`)!.has(`${clock}/${cycle}`)),
        );
        for (const { outcome } of takenBack) expect(outcome).toBe('not-applicable');
        for (const line of lines) {
          const { met, missed, open, openBreached, notApplicable, notEvidenced, merged } = line;
          const outside = notApplicable + notEvidenced + merged;
          expect(met + missed + open + openBreached + outside).toBe(line.cycles);
          expect(line.provisional).toBeLessThanOrEqual(met);
        }
        const sum = (of: (line: (typeof lines)[number]) => number): number =>
          lines.reduce((total, line) => total + of(line), 0);
        expect(sum(({ cycles }) => cycles)).toBe(truths.length + takenBack.length);
        const kept = truths.filter(isKept);
        expect(sum(({ paused }) => paused)).toBe(kept.reduce((total, { paused }) => total + paused, 0));
        expect(sum(({ consumed }) => consumed)).toBe(kept.reduce((total, each) => total + each.consumed, 0));
        const by = {
          met: sum(({ met }) => met),
          missed: sum(({ missed }) => missed),
          open: sum(({ open }) => open),
          'open-breached': sum(({ openBreached }) => openBreached),
          'not-applicable': sum(({ notApplicable }) => notApplicable),
          'not-evidenced': sum(({ notEvidenced }) => notEvidenced),
          merged: sum(({ merged }) => merged),
        };
        for (const outcome of OUTCOMES)
          expect([outcome, by[outcome]]).toEqual([
            outcome,
            [...truths, ...takenBack].filter((one) => one.outcome === outcome).length,
          ]);
      }),
      { numRuns: 30 },
    );
  });

  it('counts each breach once, in the ticket that records it, also where two tickets became one', () => {
    let merged = 0;
    fc.assert(
      fc.property(told, told, told, (first, second, afterwards) => {
        const [survivor, duplicate] = [
          new Teller(1, first.policies, first),
          new Teller(2, first.policies, second),
        ];
        survivor.steps(first.steps);
        duplicate.steps(second.steps);
        survivor.now = duplicate.now = Math.max(survivor.now, duplicate.now);
        const merge = id(30);
        survivor.tell({
          ...{ type: 'merge-ticket', self: survivor.ticket, merge, duplicate: duplicate.ticket },
        });
        duplicate.rest(0);
        const before = duplicate.state;
        duplicate.tell({ type: 'join-ticket', merge, into: survivor.ticket });
        if (duplicate.state.status === 'merged' && before.status !== 'none') {
          merged++;
          survivor.tell({
            ...{ type: 'complete-merge', merge, duplicate: duplicate.ticket },
            ...{ mergedAt: toInstant(survivor.now), clocks: Object.values(before.clocks) },
          });
        }
        survivor.steps(afterwards.steps.map((step) => ({ ...step, ago: 0 })));
        survivor.rest(afterwards.rest);
        duplicate.now = survivor.now;
        duplicate.rest(0);

        const events = [...survivor.events, ...duplicate.events] as unknown as Noted[];
        const breaches = new Set<string>();
        for (const { type, stream, data } of events as unknown as Recorded<TicketEvent>[]) {
          if (type === 'sla.clock-breached.v1') breaches.add(named(stream, data));
          if (type === 'sla.breach-annulled.v1') breaches.delete(named(stream, data));
        }
        const counted = rowsOf(events).flatMap(({ ticket, cycles }) =>
          cycles
            .filter(({ outcome }) => outcome === 'missed' || outcome === 'open-breached')
            .flatMap(({ breaches, ...cycle }) =>
              breaches.map((due) => named(`ticket-${ticket}`, { ...cycle, due })),
            ),
        );
        expect(counted.sort()).toEqual([...breaches].sort());
      }),
      { numRuns: 100 },
    );
    expect(merged).toBeGreaterThan(10);
  });
});

const named = (
  stream: string,
  { clock, cycle, due }: { readonly clock: string; readonly cycle: number; readonly due: Instant },
): string => `${stream} ${clock}/${cycle} ${due}`;
