import { ticket, type TicketEvent } from '#domain/desk';
import type { ClockName } from '#domain/sla';
import { foldStream } from '#engine/store';
import {
  microsToText,
  toSeconds,
  type Instant,
  type PersonId,
  type Position,
  type Recorded,
  type Uuid,
} from '#kernel';
import { LATE_SECONDS } from '#engine/announce';
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

/** The online reminder of a promise not kept (domain.md A.3 row 74), and whom it concerns. */
export interface Overdue extends Omit<Changed, 'kind'> {
  readonly kind: 'overdue';
  readonly number: string;
  readonly clock: ClockName;
  readonly cycle: number;
  readonly due: Instant;
  /** Where it waits: null is the intake. */
  readonly group: Uuid | null;
  readonly agent: PersonId | null;
}

export type News = Changed | Overdue;

type Breached = Extract<Recorded<TicketEvent>, { type: 'sla.clock-breached.v1' }>;

/** Whose news is made with the whole stream up to it. */
export const isBreach = (event: Recorded<HouseEvent>): event is Breached =>
  event.type === 'sla.clock-breached.v1';

/**
 * What those who watch learn of an event; null where it is none of theirs. Held back is what nobody is to be
 * told of (ruling 18): a fact recorded more than 24 hours after it occurred, and a breach of a due instant
 * that had passed when it was promised. What becomes overdue during an outage is told, however late. Nothing
 * that a person typed is in it (ruling 31).
 *
 * @param history of a breach: its stream, up to the event at least
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
  if (!isBreach(event))
    return event.recordedAt / 1_000_000 - toSeconds(event.occurredAt) > LATE_SECONDS ? 'held-back' : changed;

  const before = history.filter(({ revision }) => revision <= event.revision);
  if (promisedTooLate(before, event)) return 'held-back';
  const [opened] = before;
  if (opened?.type !== 'desk.ticket-opened.v1')
    throw new Error(`${event.stream} breaks a promise and was never opened`);
  const { state } = foldStream(ticket, before);
  if (state.status === 'none') throw new Error(`${event.stream} was opened and has no state`);
  const { clock, cycle, due } = event.data;
  return {
    ...changed,
    kind: 'overdue',
    number: opened.data.number,
    ...{ clock, cycle, due },
    group: state.group ?? null,
    agent: state.agent ?? null,
  };
}

/** Whether the due instant of a breach had passed already when the fact that set it was recorded (ruling 18). */
export function promisedTooLate(before: readonly Recorded<TicketEvent>[], breach: Breached): boolean {
  const { clock, cycle, due } = breach.data;
  const set = before.findLast(
    ({ data }) =>
      'clocks' in data &&
      data.clocks.some((record) => record.clock === clock && record.cycle === cycle && record.due === due),
  );
  return set !== undefined && set.recordedAt / 1_000_000 > toSeconds(due);
}
