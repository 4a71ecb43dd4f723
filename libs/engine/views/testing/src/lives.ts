import {
  ticket,
  ticketEvents,
  type TicketCommand,
  type TicketEvent,
  type TicketFact,
  type TicketState,
} from '#domain/desk';
import type { Policies } from '#domain/sla';
import { builtInPolicies, everyPromisePolicies } from '#domain/sla/testing';
import type { Folding, Noted, View } from '#engine/views';
import { decideInTurn, occur, toInstant, toPosition, type Actor, type Recorded, type Uuid } from '#kernel';
import fc from 'fast-check';

const BUILT_IN = builtInPolicies('Europe/Berlin');
const EVERY = everyPromisePolicies('Europe/Berlin');
const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const BY: Actor = { id: id(11), role: 'integration' };
const HOUR = 3600;
/** A Friday; clocks go back in the night to Sunday. */
const BEGIN = Date.UTC(2026, 9, 23, 7) / 1000;

type Step = { readonly type: TicketCommand['type'] | 'time' } & Readonly<Record<string, unknown>>;
const anyStep = fc.oneof(
  fc.constantFrom<Step>(
    { type: 'time' },
    { type: 'hold-ticket', reason: 'requester' },
    { type: 'hold-ticket', reason: 'vendor' },
    { type: 'resume-ticket' },
    { type: 'hand-to-vendor', vendor: { id: id(30), label: 'V' } },
    { type: 'take-back' },
    { type: 'add-message', kind: 'sent', channel: 'e-mail', autoReply: false, text: 'x' },
    { type: 'add-message', kind: 'received', channel: 'e-mail', autoReply: false, text: 'x' },
    { type: 'resolve-ticket', resolution: 'solved' },
    { type: 'reopen-ticket' },
    { type: 'offer-handover', handover: id(20), agent: id(21), reason: 'x' },
    { type: 'accept-handover' },
    { type: 'decline-handover', reason: 'x' },
    { type: 'close-ticket' },
  ),
  fc.integer({ min: 1, max: 4 }).map((priority): Step => ({ type: 'prioritise-ticket', priority })),
);

/** A ticket's life, to be told again. */
export interface Life {
  readonly policies: Policies;
  readonly carriesMessages: boolean;
  readonly priority: number;
  readonly steps: readonly {
    /** Seconds after the step before. */
    readonly after: number;
    /** Seconds before that at which it is said to have happened. */
    readonly ago: number;
    readonly step: Step;
  }[];
}

/** Lives in which most facts, though not all, are recorded when they happen. */
export const lives: fc.Arbitrary<Life> = fc.record({
  policies: fc.constantFrom(BUILT_IN, EVERY),
  carriesMessages: fc.boolean(),
  priority: fc.integer({ min: 1, max: 4 }),
  steps: fc.array(
    fc.record({
      after: fc.oneof(fc.integer({ min: 0, max: 4 * HOUR }), fc.integer({ min: 0, max: 9 * 24 * HOUR })),
      ago: fc.oneof(
        { weight: 4, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 * HOUR }) },
      ),
      step: anyStep,
    }),
    { maxLength: 12 },
  ),
});

/** Lives it, and tells `seen` the ticket's state and the view's row as they stand after each append; what is refused is left out. */
export function live<Row extends Folding>(
  { policies, carriesMessages, priority, steps }: Life,
  view: View<Row>,
  seen: (state: TicketState, row: Row) => void,
): void {
  let state: TicketState = ticket.initial;
  let row: Row | null = null;
  let revision = 0;
  let now = BEGIN;
  const add = (step: Step, at: number): void => {
    const occurredAt = toInstant(at);
    const command = { ...step, occurredAt, by: BY, policies } as unknown as TicketCommand;
    const commands = step.type === 'time' ? [] : [command];
    const came = decideInTurn(ticket, ticketEvents, state, commands, toInstant(now), BY);
    if ('refused' in came || came.facts.length === 0) return;
    for (const fact of came.facts) {
      row = view.fold(row, {
        ...occur<TicketFact, TicketEvent>(ticketEvents, fact, { occurredAt, actor: BY }),
        ...{
          id: id(1000 + revision),
          stream: `ticket-${id(1)}`,
          revision,
          position: toPosition(revision + 1),
        },
        ...{ recordedAt: now * 1_000_000, correlation: 'told', engine: '1' },
      } as Recorded<TicketEvent> as unknown as Noted);
      revision++;
    }
    state = came.state;
    seen(state, row!);
  };
  add(
    {
      ...{ type: 'open-ticket', number: 'T-1', channel: 'phone', requester: id(10), tier: 'base' },
      ...{ priority, subject: 'x', text: 'y', policy: 'default', importing: false, carriesMessages },
    },
    now,
  );
  for (const { after, ago, step } of steps) {
    now += after;
    add(step, Math.max(BEGIN, now - ago));
  }
}
