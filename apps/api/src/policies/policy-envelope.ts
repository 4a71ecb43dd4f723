import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { PolicyCommand, PolicyEvent, PolicyRefusal, PolicyState } from '#domain/sla';
import type { Instant } from '#kernel';
import type { Outcome, Request } from '#engine/store';
import { accepted, House } from '#edge';

export type PolicyAccepted = Extract<
  Outcome<PolicyState, PolicyEvent, PolicyRefusal>,
  { readonly outcome: 'accepted' }
>;

/** Any command on a policy on its way to the log. */
export class PolicyEnvelope extends Command<PolicyAccepted> {
  constructor(
    readonly request: Request,
    readonly command: (occurredAt: Instant) => PolicyCommand,
  ) {
    super();
  }
}

@CommandHandler(PolicyEnvelope)
export class PolicyHandler implements ICommandHandler<PolicyEnvelope> {
  constructor(private readonly house: House) {}

  /** @throws Problem for whatever is not accepted */
  async execute({ request, command }: PolicyEnvelope): Promise<PolicyAccepted> {
    return accepted(await this.house.policyVersions.transact(request, command));
  }
}
