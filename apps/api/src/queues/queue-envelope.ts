import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { QueueCommand, QueueEvent, QueueRefusal, QueueState } from '#domain/desk';
import type { Instant } from '#kernel';
import type { Outcome, Request } from '#engine/store';
import { accepted, House } from '#edge';

export type QueueAccepted = Extract<
  Outcome<QueueState, QueueEvent, QueueRefusal>,
  { readonly outcome: 'accepted' }
>;

/** Any command on a queue on its way to the log. */
export class QueueEnvelope extends Command<QueueAccepted> {
  constructor(
    readonly request: Request,
    readonly command: (occurredAt: Instant) => QueueCommand,
  ) {
    super();
  }
}

@CommandHandler(QueueEnvelope)
export class QueueHandler implements ICommandHandler<QueueEnvelope> {
  constructor(private readonly house: House) {}

  /** @throws Problem for whatever is not accepted */
  async execute({ request, command }: QueueEnvelope): Promise<QueueAccepted> {
    return accepted(await this.house.queues.transact(request, command));
  }
}
