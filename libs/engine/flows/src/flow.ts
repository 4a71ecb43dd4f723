import type { TicketCommand, TicketEvent, TicketRefusal, TicketState } from '#domain/desk';
import type { Policies } from '#domain/sla';
import type { Actor, Instant, Recorded, Uuid } from '#kernel';

/** What a command of the house itself is given when it is made: time, in whose name, and the rules in force. */
export interface Occasion {
  readonly occurredAt: Instant;
  readonly by: Actor;
  readonly policies: Policies;
}

/**
 * One command that follows from an event on another stream. It may be taken any number of times, by anybody:
 * the ticket it is on recognises what has been done already.
 */
export interface Step {
  /** With the causing event it derives the ids of the facts (ruling 10). */
  readonly name: string;
  /** Ticket it is a command on. */
  readonly on: Uuid;
  /** Where this does not hold of that ticket the step has had its time: an event told again, long after. */
  readonly provided?: { readonly of: Uuid; readonly holds: (state: TicketState) => boolean };
  readonly command: (occasion: Occasion) => TicketCommand;
  /** What follows where the ticket refuses, by how it then stands. From acceptance nothing follows: its facts are events. */
  readonly refused: (refusal: TicketRefusal, state: TicketState) => readonly Step[];
}

/** A process manager as a pure function: what follows from an event elsewhere. */
export interface Flow {
  readonly name: string;
  /** The events it answers. */
  readonly types: readonly TicketEvent['type'][];
  /** @param before the ticket as it stood just before the event */
  readonly steps: (event: Recorded<TicketEvent>, before: TicketState) => readonly Step[];
}
