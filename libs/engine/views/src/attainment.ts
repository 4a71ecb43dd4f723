import { ticketEvents, type TicketEvent, type Tier } from '#domain/desk';
import {
  formatDate,
  hasEnded,
  localDay,
  TZDB,
  TZDB_VERSIONS,
  zoneOf,
  type ClockName,
  type ClockRecord,
  type ClockStateName,
  type LocalDay,
} from '#domain/sla';
import { never, toSeconds, type Instant, type Recorded } from '#kernel';
import { streamId, Undigestible, viewOf, type Tally } from './view.js';

/**
 * What became of one cycle of a promise. Every cycle has exactly one of them; the last three stand outside
 * the denominator (ruling 9, domain.md C.3).
 */
export const OUTCOMES = [
  'met',
  /** It ended after its due passed. */
  'missed',
  /** It runs or is paused, and can still be met. */
  'open',
  /** It goes on and its due has passed: missed already, not answered yet. */
  'open-breached',
  'not-applicable',
  'not-evidenced',
  /** Another ticket's clock goes on in its place. */
  'merged',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One cycle of a promise as its events left it. */
export interface PromiseCycle {
  readonly clock: ClockName;
  readonly cycle: number;
  readonly state: ClockStateName;
  readonly startedAt: Instant;
  /** Business-seconds; final once it ended. */
  readonly consumed: number;
  readonly due: Instant | null;
  /**
   * Due instants of its breaches that this ticket's stream records and has not annulled, the earliest first. By
   * those facts alone: a merge puts another ticket's clock, breached or not, into the place of this one.
   */
  readonly breaches: readonly Instant[];
  /** Due instant of a breach that a merge brought along: it is recorded, and counted, in the other ticket. */
  readonly inherited: Instant | null;
  /** When it ended, and the revision of the event that ended it; null while it goes on. */
  readonly ended: { readonly at: Instant; readonly revision: number } | null;
  /** Whether it may have been paused at any time. */
  readonly waited: boolean;
  readonly policy: string;
  readonly zone: string;
  readonly tzdb: string;
  /** Priority of the ticket when it ended, else now. */
  readonly priority: number;
  readonly outcome: Outcome;
  /** `YYYY-MM`, see `settled`; null while nothing is due. */
  readonly month: string | null;
}

/** A priority, from an instant on; `revision` orders those of one second. */
export interface PrioritySince {
  readonly at: Instant;
  readonly revision: number;
  readonly priority: number;
}

/** A time between a resolve and the reopen after it; `to` is null while nobody has reopened. */
export interface Rest {
  readonly from: Instant;
  readonly to: Instant | null;
}

/** All cycles of all promises of a ticket. */
export interface AttainmentRow {
  readonly ticket: string;
  /** Of the last event that said anything about its promises. */
  readonly revision: number;
  readonly tier: Tier;
  /** In the order of time. */
  readonly priorities: readonly PrioritySince[];
  readonly rests: readonly Rest[];
  /** In the order of (clock, cycle). */
  readonly cycles: readonly PromiseCycle[];
  /** Months in which a cycle counts that met or missed and may have been paused. */
  readonly waitedIn: readonly string[];
  /** When the resolution ended in time, if it did: a reopen may yet take it back. */
  readonly metAt: Instant | null;
}

/** What tallies count beside outcomes: business-seconds consumed by cycles that met or missed. */
export const CONSUMED = 'consumed';

/** Facts that carry clocks, or say when a ticket rested; all others are silent here. */
const SAYING = new Set<string>([
  'desk.ticket-opened.v1',
  'desk.ticket-prioritised.v1',
  'desk.ticket-resolved.v1',
  'desk.ticket-reopened.v1',
  'sla.clock-breached.v1',
  'sla.breach-annulled.v1',
  ...Object.entries(ticketEvents).flatMap(([type, { fields }]) => ('clocks' in fields ? [type] : [])),
]);

const NONE: readonly never[] = [];

function outcomeOf(cycle: PromiseCycle): Outcome {
  if (cycle.breaches.length > 0) return !hasEnded(cycle) ? 'open-breached' : 'missed';
  if (cycle.inherited !== null) return 'merged';
  switch (cycle.state) {
    case 'running':
    case 'paused':
      return 'open';
    case 'met':
    // Without its breach, which was annulled.
    case 'missed':
      return 'met';
    case 'not-applicable':
    case 'not-evidenced':
    case 'merged':
      return cycle.state;
    default:
      return never(cycle.state);
  }
}

/** Months by local day: a desk asks for the same few days over and over. */
const months = new Map<LocalDay, string>();
const MOST_MONTHS = 10_000;

/** Local civil month of an instant. */
function monthOf(at: Instant, { zone, tzdb }: Pick<PromiseCycle, 'zone' | 'tzdb'>): string {
  const rules = TZDB_VERSIONS.includes(tzdb) ? tzdb : TZDB;
  const day = localDay(zoneOf(zone, rules), toSeconds(at));
  let month = months.get(day);
  if (month === undefined) {
    if (months.size === MOST_MONTHS) months.clear();
    months.set(day, (month = formatDate(day).slice(0, 7)));
  }
  return month;
}

/**
 * With its outcome, and where it counts: under the priority of the ticket when it ended, and in the month,
 * in the zone of its calendar, in which it was decided: when its due passed, else when it ended, else when
 * it will be due as it stands.
 */
function settled(cycle: PromiseCycle, priorities: readonly PrioritySince[]): PromiseCycle {
  const { breaches, inherited, ended, due } = cycle;
  const decided = breaches[0] ?? inherited ?? ended?.at ?? due;
  return {
    ...cycle,
    priority: priorityAt(priorities, ended),
    outcome: outcomeOf(cycle),
    month: decided === null ? null : monthOf(decided, cycle),
  };
}

function priorityAt(priorities: readonly PrioritySince[], ended: PromiseCycle['ended']): number {
  const holds = ({ at, revision }: PrioritySince): boolean =>
    ended === null || at < ended.at || (at === ended.at && revision <= ended.revision);
  return (priorities.findLast(holds) ?? priorities[0]!).priority;
}

/** Puts a priority where it belongs in time; those of one second stay in the order of recording. */
function withPriority(priorities: readonly PrioritySince[], since: PrioritySince): readonly PrioritySince[] {
  const place = priorities.findLastIndex(({ at }) => at <= since.at) + 1;
  return [...priorities.slice(0, place), since, ...priorities.slice(place)];
}

/** Facts that end a clock at their own instant. */
const ENDING: ReadonlySet<TicketEvent['type']> = new Set<TicketEvent['type']>([
  'desk.message-sent.v1',
  'desk.ticket-resolved.v1',
  'desk.ticket-merged.v1',
  'desk.handover-accepted.v1',
  'desk.handover-declined.v1',
  'desk.handover-withdrawn.v1',
]);

/**
 * When a cycle ended that a fact says has ended: at that fact, if it can have done so; else when it had ended
 * before; else at the record's own `asOf`. That may be later than the end: an early rule brought an ended clock
 * up to what happened to it afterwards.
 */
function endOf(
  before: PromiseCycle | undefined,
  { asOf, startedAt }: ClockRecord,
  { type, revision, occurredAt: at }: Recorded<TicketEvent>,
): PromiseCycle['ended'] {
  // Not seen before, or by the number of another one: a late fact can move cycles.
  if (before?.startedAt !== startedAt) return { at: asOf, revision };
  if (ENDING.has(type) && at >= startedAt && at < (before.ended?.at ?? asOf)) return { at, revision };
  return before.ended ?? { at: asOf, revision };
}

/** A cycle as a fact says it stands now; where it counts is yet to be settled. */
function recorded(
  before: PromiseCycle | undefined,
  record: ClockRecord,
  event: Recorded<TicketEvent>,
): PromiseCycle {
  const { clock, cycle, state, startedAt, consumed, due, policy, zone, tzdb } = record;
  const adopted = record.change === 'adopted';
  const inherited = adopted ? record.breachedAt : (before?.inherited ?? null);
  // What became of it while no record showed it.
  const unseen =
    adopted || record.change === 'corrected' || (hasEnded(record) && before?.startedAt !== startedAt);
  return {
    clock,
    cycle,
    state,
    startedAt,
    consumed,
    due,
    breaches: before?.breaches ?? NONE,
    inherited,
    ended: !hasEnded(record) ? null : endOf(before, record, event),
    waited: (before?.waited ?? false) || state === 'paused' || unseen,
    policy,
    zone,
    tzdb,
    priority: 0,
    outcome: 'open',
    month: null,
  };
}

const isOf = (
  a: { readonly clock: ClockName; readonly cycle: number },
  b: { readonly clock: ClockName; readonly cycle: number },
): boolean => a.clock === b.clock && a.cycle === b.cycle;

const inTheirOrder = (a: PromiseCycle, b: PromiseCycle): number =>
  a.clock === b.clock ? a.cycle - b.cycle : a.clock < b.clock ? -1 : 1;

function withRecords(
  row: AttainmentRow,
  records: readonly ClockRecord[],
  event: Recorded<TicketEvent>,
): AttainmentRow {
  if (records.length === 0) return row;
  const { priorities } = row;
  const cycles: PromiseCycle[] = [];
  for (const each of row.cycles) {
    if (records.some((record) => isOf(record, each))) continue;
    let newest = 0;
    for (const { clock, cycle } of records) if (clock === each.clock) newest = Math.max(newest, cycle);
    // A correction may leave fewer cycles than there were.
    if (newest > 0 && each.cycle > newest) continue;
    // And what a later cycle follows has ended: the fact that ended both is recorded by the later one.
    if (newest > 0 && !hasEnded(each)) {
      const ended = { at: event.occurredAt, revision: event.revision };
      cycles.push(settled({ ...each, state: 'met', ended }, priorities));
    } else cycles.push(each);
  }
  for (const record of records) {
    const before = row.cycles.find((each) => isOf(record, each));
    cycles.push(settled(recorded(before, record, event), priorities));
  }
  return { ...row, cycles: cycles.sort(inTheirOrder) };
}

/** Changes one cycle, if it is known. */
function withCycle(
  row: AttainmentRow,
  of: { readonly clock: ClockName; readonly cycle: number },
  change: (cycle: PromiseCycle) => PromiseCycle,
): AttainmentRow {
  return {
    ...row,
    cycles: row.cycles.map((each) => (isOf(each, of) ? settled(change(each), row.priorities) : each)),
  };
}

/** Whichever fact carries clocks says how they stand: nothing here knows which facts or promises there are. */
const clocksOf = ({ data }: TicketEvent): readonly ClockRecord[] =>
  'clocks' in data ? (data.clocks ?? []) : [];

function moved(row: AttainmentRow, event: Recorded<TicketEvent>): AttainmentRow {
  const { revision, occurredAt: at } = event;
  if (event.type === 'sla.clock-breached.v1') {
    const { due } = event.data;
    return withCycle(row, event.data, (cycle) =>
      cycle.inherited === due || cycle.breaches.includes(due)
        ? cycle
        : { ...cycle, breaches: [...cycle.breaches, due].sort() },
    );
  }
  if (event.type === 'sla.breach-annulled.v1') {
    // A moved breach is an annulment and a new breach, in either order: only the due one named falls.
    const { due } = event.data;
    return withCycle(row, event.data, (cycle) => ({
      ...cycle,
      breaches: cycle.breaches.filter((each) => each !== due),
    }));
  }
  const clocks = clocksOf(event);
  if (event.type === 'desk.ticket-prioritised.v1') {
    const { priority } = event.data;
    const priorities = withPriority(row.priorities, { at, revision, priority });
    const after = withRecords({ ...row, priorities }, clocks, event);
    return { ...after, cycles: after.cycles.map((each) => settled(each, priorities)) };
  }
  if (event.type === 'desk.ticket-resolved.v1')
    return withRecords({ ...row, rests: [...row.rests, { from: at, to: null }] }, clocks, event);
  if (event.type === 'desk.ticket-reopened.v1') {
    const rests = row.rests.map((rest) => ({ ...rest, to: rest.to ?? at }));
    return withRecords({ ...row, rests }, clocks, event);
  }
  return withRecords(row, clocks, event);
}

/** Whether it ended with an outcome inside the denominator. */
export const isKept = ({ outcome }: Pick<PromiseCycle, 'outcome'>): boolean =>
  outcome === 'met' || outcome === 'missed';

function foldAttainment(row: AttainmentRow | null, event: Recorded<TicketEvent>): AttainmentRow {
  let before = row;
  if (before === null) {
    if (event.type !== 'desk.ticket-opened.v1')
      throw new Undigestible(`${event.stream} begins with ${event.type}`);
    const { tier, priority } = event.data;
    before = {
      ticket: streamId(event),
      revision: event.revision,
      tier,
      priorities: [{ at: event.occurredAt, revision: event.revision, priority }],
      rests: [],
      cycles: [],
      waitedIn: [],
      metAt: null,
    };
  }
  const after = moved(before, event);
  const resolution = after.cycles.findLast(({ clock }) => clock === 'resolution');
  return {
    ...after,
    revision: event.revision,
    waitedIn: waitedIn(after.cycles),
    metAt: resolution?.outcome === 'met' ? resolution.ended!.at : null,
  };
}

function waitedIn(cycles: readonly PromiseCycle[]): readonly string[] {
  if (!cycles.some(({ waited }) => waited)) return NONE;
  const found = new Set<string>();
  for (const each of cycles) if (isKept(each) && each.waited && each.month !== null) found.add(each.month);
  return [...found].sort();
}

/** What a line of the report is about. */
export interface AttainmentKey {
  /** `YYYY-MM`; null for what is due at no instant as it stands (paused). */
  readonly month: string | null;
  readonly clock: ClockName;
  readonly tier: Tier;
  readonly priority: number;
  /** `name@version`. */
  readonly policy: string;
}

const NO_MONTH = '-';

/** Neither months nor codes hold a slash; a policy's name comes last. */
export const attainmentSubject = (
  { month, clock, priority, policy }: Omit<AttainmentKey, 'tier'>,
  tier: Tier,
): string => `${month ?? NO_MONTH}/${clock}/${tier}/${priority}/${policy}`;

export function attainmentKey(subject: string): AttainmentKey {
  const [month, clock, tier, priority, ...policy] = subject.split('/');
  return {
    month: month === NO_MONTH ? null : month!,
    clock: clock as ClockName,
    tier: tier as Tier,
    priority: Number(priority),
    policy: policy.join('/'),
  };
}

function talliesOf({ tier, cycles }: AttainmentRow): readonly Tally[] {
  const tallies: Tally[] = [];
  for (const each of cycles) {
    const subject = attainmentSubject(each, tier);
    tallies.push({ subject, kind: each.outcome });
    if (each.consumed > 0 && isKept(each)) tallies.push({ subject, kind: CONSUMED, by: each.consumed });
  }
  return tallies;
}

/** Whether promises were kept, by ticket; its tallies are the report. */
export const attainment = viewOf<typeof ticketEvents, AttainmentRow>(ticketEvents, {
  name: 'attainment',
  version: 2,
  keyColumns: ['ticket'],
  silent: new Set(
    (Object.keys(ticketEvents) as (keyof typeof ticketEvents)[]).filter((type) => !SAYING.has(type)),
  ),
  fold: foldAttainment,
  tallies: talliesOf,
});
