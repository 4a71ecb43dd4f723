import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { policyGiven, policyStream, type PolicyCommand } from '#domain/sla';
import type { Instant, Uuid } from '#kernel';
import {
  Asked,
  badInput,
  Command,
  etagOf,
  failureOf,
  freshId,
  House,
  IdOf,
  POSITION_HEADER,
  requestOn,
  type Asking,
  type EdgeReply,
} from '#edge';
import { Acquaintances } from '../people/acquaintances.js';
import { instantFrom } from '../requests/instant.js';
import { PolicyRecordedAnswer } from './policy-answers.js';
import { PolicyEnvelope } from './policy-envelope.js';
import { knownPolicy } from './policy-names.js';
import { ActivatePolicyRequest, ProposePolicyRequest, WithdrawProposalRequest } from './policy-requests.js';
import { recordedOf } from './present.js';

/** Making policies: one proposes, another activates. */
@Controller('v1/policies')
export class PolicyCommands {
  constructor(
    private readonly house: House,
    private readonly bus: CommandBus,
    private readonly acquaintances: Acquaintances,
  ) {}

  @Post(':name/proposals')
  @Command('policies.propose', 'v1/policies/:name/proposals', {
    summary: 'Propose what a policy shall say',
    about:
      'All of it, not what differs from the version in force. Nothing is promised by it until a second person activates it; a policy that may not say so is refused whole, with everything that is wrong.',
    request: ProposePolicyRequest,
    answer: PolicyRecordedAnswer,
    status: 201,
    tag: 'policies',
    refusals: ['bad-policy'],
  })
  async propose(
    @Param('name') name: string,
    @Body() body: ProposePolicyRequest,
    @Asked() asking: Asking,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    knownPolicy(name);
    const { comment, ...given } = body;
    const read = policyGiven(given);
    if ('problems' in read) throw badInput(read.problems);
    const { definition } = read;
    const { caller, route, key } = asking;
    const proposal =
      key === undefined ? freshId() : this.house.identities.created(caller.actor.id, `${route} ${name}`, key);
    return this.done(name, body, asking, reply, (occurredAt) => ({
      type: 'propose-policy',
      occurredAt,
      by: caller.actor,
      proposal,
      definition,
      ...(comment !== undefined && { comment }),
    }));
  }

  @Post(':name/proposals/:id/activate')
  @HttpCode(200)
  @Command('policies.activate', 'v1/policies/:name/proposals/:id', {
    summary: 'Put a proposal in force',
    about:
      'By a second person: whoever proposed it is refused, unless APPROVALS=one is set; then that one person made it is recorded. It becomes the next version, in force from `effective` on for tickets opened, or given another priority, from then on. `openTickets` says what becomes of those that are open then. Other processes of the desk know of it within seconds.',
    request: ActivatePolicyRequest,
    answer: PolicyRecordedAnswer,
    tag: 'policies',
    refusals: [
      'unknown-proposal',
      'proposal-withdrawn',
      'proposal-activated',
      'activation-by-author',
      'effective-in-past',
      'bad-policy',
    ],
  })
  async activate(
    @Param('name') name: string,
    @Param('id', IdOf) proposal: Uuid,
    @Body() body: ActivatePolicyRequest,
    @Asked() asking: Asking,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    knownPolicy(name);
    const effective = body.effective === undefined ? null : instantFrom(body.effective);
    const { approvals } = this.house.settings;
    const answer = await this.done(name, { ...body, proposal }, asking, reply, (occurredAt) => ({
      type: 'activate-policy',
      occurredAt,
      by: asking.caller.actor,
      name,
      proposal,
      approvals,
      openTickets: body.openTickets,
      ...(effective && { effective }),
    }));
    await this.house
      .refreshPolicies()
      .catch((error: unknown) =>
        this.house.logger.warn({ failure: failureOf(error) }, 'a new version will be read later'),
      );
    return answer;
  }

  @Post(':name/proposals/:id/withdraw')
  @HttpCode(200)
  @Command('policies.withdraw', 'v1/policies/:name/proposals/:id', {
    summary: 'Give a proposal up',
    request: WithdrawProposalRequest,
    answer: PolicyRecordedAnswer,
    tag: 'policies',
    refusals: ['unknown-proposal', 'proposal-withdrawn', 'proposal-activated'],
  })
  async withdraw(
    @Param('name') name: string,
    @Param('id', IdOf) proposal: Uuid,
    @Body() body: WithdrawProposalRequest,
    @Asked() asking: Asking,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    knownPolicy(name);
    return this.done(name, { ...body, proposal }, asking, reply, (occurredAt) => ({
      type: 'withdraw-proposal',
      occurredAt,
      by: asking.caller.actor,
      proposal,
    }));
  }

  private async done(
    name: string,
    body: object,
    asking: Asking,
    reply: EdgeReply,
    command: (occurredAt: Instant) => PolicyCommand,
  ): Promise<object> {
    const request = requestOn(policyStream(name), asking, this.house.identities, body);
    const done = await this.bus.execute(new PolicyEnvelope(request, command));
    const named = await this.acquaintances.meetAfterwards(asking.caller, [], asking.correlation);
    const { etag, position } = done;
    void reply.headers({
      etag: etagOf(etag),
      [POSITION_HEADER]: named !== null && named > position ? named : position,
    });
    return recordedOf(name, done);
  }
}
