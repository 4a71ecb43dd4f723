import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { TicketCommand, TicketEvent, TicketRefusal, TicketState } from '#domain/desk';
import type { Instant } from '#kernel';
import type { Outcome, Request } from '#engine/store';
import { accepted, House } from '#edge';

export type TicketAccepted = Extract<
  Outcome<TicketState, TicketEvent, TicketRefusal>,
  { readonly outcome: 'accepted' }
>;

/** Any command on a ticket on its way to the log (style.md: one envelope and one handler per aggregate). */
export class TicketEnvelope extends Command<TicketAccepted> {
  constructor(
    readonly request: Request,
    /** Asked anew at each attempt, with that attempt's time. */
    readonly command: (occurredAt: Instant) => TicketCommand,
  ) {
    super();
  }
}

@CommandHandler(TicketEnvelope)
export class TicketHandler implements ICommandHandler<TicketEnvelope> {
  constructor(private readonly house: House) {}

  /** @throws Problem for whatever is not accepted */
  async execute({ request, command }: TicketEnvelope): Promise<TicketAccepted> {
    return accepted(await this.house.tickets.transact(request, command));
  }
}
