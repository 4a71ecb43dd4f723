import {
  CLOCKS,
  ledger,
  recordedAlone,
  underRules,
  type BreachOnRecord,
  type Clock,
  type ClockName,
  type ClockRecord,
  type LedgerLine,
  type Policies,
  type WarningOnRecord,
} from '#domain/sla';
import {
  later,
  never,
  toInstant,
  toSeconds,
  type Actor,
  type Instant,
  type Recorded,
  type Uuid,
} from '#kernel';
import { clockFacts, type Happening } from './promises.js';
import { ticket, type TicketState } from './ticket.js';
import type { TicketEvent } from './ticket-events.js';
import { sameWarning } from './warnings.js';

/** The event that a line of a ledger follows from. */
export interface Origin {
  readonly event: Uuid;
  readonly revision: number;
  readonly type: TicketEvent['type'];
  readonly at: Instant;
  readonly by: Actor;
}

export interface WarningStanding {
  readonly numerator: number;
  readonly denominator: number;
  /** When it fires or fired; null while the clock stands still and it has not. */
  readonly at: Instant | null;
  /** Its instant has come, recorded or not yet. */
  readonly fired: boolean;
}

/** A clock as recorded, brought up to an instant. */
export interface ClockStanding extends Omit<ClockRecord, 'change' | 'warnings'> {
  /** By share; empty where its policy states none. */
  readonly warnings: readonly WarningStanding[];
  /** The due instant has passed unanswered, recorded or not yet. */
  readonly breached: boolean;
  /** Target less consumed; below 0 where more was used than promised. */
  readonly remaining: number;
}

export interface Explained {
  readonly standing: ClockStanding;
  readonly lines: readonly LedgerLine<Origin>[];
  /**
   * Whether the lines, folded from all that happened, come to what the events themselves recorded and what
   * follows from it. False where rules have changed since (`engine`, ruling 8; zone rules not known here).
   */
  readonly agrees: boolean;
}

/** A recorded clock counted on to `now`: from the last event that carries it, without its history. */
export function standing(record: ClockRecord, policies: Policies, now: Instant): ClockStanding {
  const { change: _, warnings: stated = [], ...known } = record;
  const running = record.state === 'running';
  const asOf = running ? later(record.asOf, now) : record.asOf;
  const { calendar } = underRules(policies, record.tzdb).version(record.policy);
  const since = running ? calendar.openSeconds(toSeconds(record.asOf), toSeconds(asOf)) : 0;
  const consumed = record.consumed + since;
  const breached = record.breachedAt !== null || (running && record.due !== null && record.due < now);
  const warnings = stated.map((warning) => ({ ...warning, fired: warning.at !== null && warning.at <= now }));
  return { ...known, warnings, consumed, asOf, breached, remaining: record.target - consumed };
}

/**
 * Why each promise of a ticket stands as it does at `now`: its ledger, each line with the event behind it.
 *
 * @param events of the ticket's stream from its beginning on; a prefix explains the past
 * @returns nothing for an empty stream
 * @throws UnknownPolicy; CalendarNeverOpens
 */
export function explainPromises(
  events: readonly Recorded<TicketEvent>[],
  policies: Policies,
  now: Instant,
): readonly Explained[] {
  const origins = new Map<Happening, Origin>();
  let state: TicketState = ticket.initial;
  for (const event of events) {
    const before = historyOf(state);
    state = ticket.evolve(state, event);
    const after = historyOf(state);
    if (after === before) continue;
    for (const happening of after) if (!origins.has(happening)) origins.set(happening, originOf(event));
  }
  if (state.status === 'none') return [];
  const { clocks, history, latest } = state;
  // No earlier than what is known: whose clock says now may be a little behind the log's.
  const until = later(later(now, latest), toInstant(events.at(-1)!.recordedAt / 1_000_000));
  return CLOCKS.flatMap((name): Explained[] => {
    const record = clocks[name];
    if (record === undefined) return [];
    const rules = underRules(policies, record.tzdb);
    const { facts, behind } = clockFacts(name, history, rules);
    const [breaches, warnings] = [breachesOf(name, events), warningsOf(name, events)];
    const stands = standing(record, policies, until);
    // A late fact lets nobody promise it any more; what was recorded of it stays recorded.
    if (facts.length === 0)
      return [
        {
          standing: stands,
          lines: recordedAlone(breaches, warnings),
          agrees: stands.state === 'not-applicable',
        },
      ];
    const sourced = facts.map((fact, i) => ({ ...fact, source: origins.get(behind[i]!)! }));
    const { clock, lines } = ledger(sourced, until, breaches, warnings);
    return [{ standing: stands, lines, agrees: agree(stands, clock) }];
  });
}

const NONE: readonly Happening[] = [];

const historyOf = (state: TicketState): readonly Happening[] =>
  state.status === 'none' ? NONE : state.history;

const originOf = ({ id, revision, type, occurredAt, actor }: Recorded<TicketEvent>): Origin => ({
  event: id,
  revision,
  type,
  at: occurredAt,
  by: actor,
});

/** The recorded breaches of one clock, each with what annulled it. */
function breachesOf(
  name: ClockName,
  events: readonly Recorded<TicketEvent>[],
): readonly BreachOnRecord<Origin>[] {
  const found: BreachOnRecord<Origin>[] = [];
  for (const event of events) {
    if (event.type === 'sla.clock-breached.v1' && event.data.clock === name) {
      const { cycle, due } = event.data;
      found.push({ cycle, due, source: originOf(event), annulled: null });
    }
    if (event.type === 'sla.breach-annulled.v1' && event.data.clock === name) {
      const { cycle, due, cause } = event.data;
      const of = found.findLastIndex((b) => b.annulled === null && b.cycle === cycle && b.due === due);
      if (of >= 0) found[of] = { ...found[of]!, annulled: { source: originOf(event), cause } };
    }
  }
  return found;
}

/** The recorded warnings of one clock, each with what annulled it. */
function warningsOf(
  name: ClockName,
  events: readonly Recorded<TicketEvent>[],
): readonly WarningOnRecord<Origin>[] {
  const found: WarningOnRecord<Origin>[] = [];
  for (const event of events) {
    if (event.type === 'sla.clock-warned.v1' && event.data.clock === name) {
      const { cycle, numerator, denominator, at } = event.data;
      found.push({ cycle, numerator, denominator, at, source: originOf(event), annulled: null });
    }
    if (event.type === 'sla.warning-annulled.v1' && event.data.clock === name) {
      const { cause } = event.data;
      const of = found.findLastIndex(
        (known) => known.annulled === null && sameWarning({ ...known, clock: name }, event.data),
      );
      if (of >= 0) found[of] = { ...found[of]!, annulled: { source: originOf(event), cause } };
    }
  }
  return found;
}

function agree(stands: ClockStanding, clock: Clock): boolean {
  return (
    stands.cycle === clock.cycle &&
    stateOf(stands) === clock.state &&
    stands.startedAt === clock.startedAt &&
    stands.target === clock.target &&
    stands.consumed === clock.consumed &&
    stands.due === clock.due &&
    stands.breached === (clock.breachedAt !== null) &&
    clock.warnings.length === stands.warnings.length &&
    clock.warnings.every(
      ({ at, fired }, i) => at === stands.warnings[i]!.at && fired === stands.warnings[i]!.fired,
    )
  );
}

function stateOf({ state }: ClockStanding): Clock['state'] {
  switch (state) {
    case 'met':
    case 'missed':
      return 'stopped';
    case 'running':
    case 'paused':
    case 'not-applicable':
    case 'not-evidenced':
    case 'merged':
      return state;
    default:
      return never(state);
  }
}
