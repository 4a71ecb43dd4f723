import { ticket, type TicketEvent } from '#domain/desk';
import type { ClockName, ClockRecord } from '#domain/sla';
import { foldStream } from '#engine/store';
import {
  microsToText,
  never,
  toSeconds,
  type Instant,
  type PersonId,
  type Position,
  type Recorded,
  type Uuid,
} from '#kernel';
import { isLate } from '#engine/announce';
import { categoryOf, idOf, type HouseEvent } from '#engine/catalogue';

/** That something became different; what it is now is asked for with `?after=` its position. */
export interface Changed {
  readonly kind: 'changed';
  readonly object: 'ticket' | 'queue';
  readonly id: string;
  /** Stored name of the event. */
  readonly type: HouseEvent['type'];
  readonly revision: number;
  readonly position: Position;
  readonly occurredAt: Instant;
  /** RFC 3339, microseconds. */
  readonly recordedAt: string;
}

/** An online reminder of a promise (domain.md A.3 row 74), and whom it concerns. */
interface Reminding extends Omit<Changed, 'kind'> {
  /** Of the ticket, to be said on the phone. */
  readonly number: string;
  readonly clock: ClockName;
  readonly cycle: number;
  /** Where it waits: null is the intake. */
  readonly group: Uuid | null;
  readonly agent: PersonId | null;
}

/** A promise was not kept. */
export interface Overdue extends Reminding {
  readonly kind: 'overdue';
  readonly due: Instant;
}

/** So much of the time for a promise is used up that its policy warns. */
export interface DueSoon extends Reminding {
  readonly kind: 'due-soon';
  /** As it stood; null while the clock had none. */
  readonly due: Instant | null;
  readonly share: { readonly numerator: number; readonly denominator: number };
}

export type News = Changed | Overdue | DueSoon;

type Timed = Extract<Recorded<TicketEvent>, { type: 'sla.clock-breached.v1' | 'sla.clock-warned.v1' }>;

/** Whether time itself caused it: its news is made with the whole stream up to it. */
export const isTimed = (event: Recorded<HouseEvent>): event is Timed =>
  event.type === 'sla.clock-breached.v1' || event.type === 'sla.clock-warned.v1';

/**
 * What those who watch learn of an event; null where it is none of theirs. Held back is what nobody is to be
 * told of (ruling 18): a fact recorded more than 24 hours after it occurred, and a warning or a breach whose
 * instant had passed when it was set. What falls due during an outage is told, however late. Nothing that a
 * person typed is in it (ruling 31).
 *
 * @param history of what time caused: its stream, up to the event at least
 */
export function news(
  event: Recorded<HouseEvent>,
  history: readonly Recorded<TicketEvent>[] = [],
): News | 'held-back' | null {
  const object = categoryOf(event.stream);
  if (object !== 'ticket' && object !== 'queue') return null;
  if (event.type === 'house.command-noted.v1') return null;
  const changed: Changed = {
    kind: 'changed',
    object,
    id: idOf(event.stream),
    type: event.type,
    revision: event.revision,
    position: event.position,
    occurredAt: event.occurredAt,
    recordedAt: microsToText(event.recordedAt),
  };
  if (!isTimed(event)) return isLate(event) ? 'held-back' : changed;

  const before = history.filter(({ revision }) => revision <= event.revision);
  if (setTooLate(before, event)) return 'held-back';
  const [opened] = before;
  if (opened?.type !== 'desk.ticket-opened.v1')
    throw new Error(`${event.stream} reminds of a promise and was never opened`);
  const { state } = foldStream(ticket, before);
  if (state.status === 'none') throw new Error(`${event.stream} was opened and has no state`);
  const concerns = {
    number: opened.data.number,
    clock: event.data.clock,
    cycle: event.data.cycle,
    group: state.group ?? null,
    agent: state.agent ?? null,
  };
  switch (event.type) {
    case 'sla.clock-breached.v1':
      return { ...changed, ...concerns, kind: 'overdue', due: event.data.due };
    case 'sla.clock-warned.v1': {
      const { due, numerator, denominator } = event.data;
      return { ...changed, ...concerns, kind: 'due-soon', due, share: { numerator, denominator } };
    }
    default:
      return never(event);
  }
}

/** Whether the instant of a warning or a breach had passed already when the fact that set it was recorded (ruling 18). */
export function setTooLate(before: readonly Recorded<TicketEvent>[], event: Timed): boolean {
  const set = before.findLast(
    ({ data }) => 'clocks' in data && data.clocks?.some((record) => sets(record, event)),
  );
  return set !== undefined && set.recordedAt / 1_000_000 > toSeconds(event.occurredAt);
}

function sets(record: ClockRecord, event: Timed): boolean {
  if (record.clock !== event.data.clock || record.cycle !== event.data.cycle) return false;
  switch (event.type) {
    case 'sla.clock-breached.v1':
      return record.due === event.data.due;
    case 'sla.clock-warned.v1': {
      const { numerator, denominator, at } = event.data;
      return (record.warnings ?? []).some(
        (each) => each.numerator === numerator && each.denominator === denominator && each.at === at,
      );
    }
    default:
      return never(event);
  }
}
