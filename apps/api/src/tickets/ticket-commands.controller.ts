import { Body, Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ticketStream, type TicketCommand } from '#domain/desk';
import { UnknownPolicy, type Policies } from '#domain/sla';
import type { Actor, Instant, PersonId, Position, Uuid } from '#kernel';
import {
  Asked,
  askingOf,
  Command,
  etagOf,
  freshId,
  House,
  IdOf,
  POSITION_HEADER,
  requestOn,
  valid,
  type Asking,
  type EdgeReply,
  type EdgeRequest,
} from '#edge';
import { demandInScope, demandOwnToGive, reachOf, rowOf } from '../access/scope.js';
import { Acquaintances, type Met } from '../people/acquaintances.js';
import { instantFrom } from '../requests/instant.js';
import { openedAnswer, recordedAnswer } from './present.js';
import { OpenedAnswer, RecordedAnswer } from './ticket-answers.js';
import {
  openTicket,
  personOf,
  staff,
  ticketCommands,
  type Around,
  type TicketCommandName,
} from './ticket-commands.js';
import { TicketEnvelope, type TicketAccepted } from './ticket-envelope.js';
import { TicketOwners } from './ticket-owners.js';
import { OpenTicketRequest, type PersonGiven } from './ticket-requests.js';
import { ticketRoutes } from './ticket-routes.js';

/** Fields of bodies that concern more than the command itself. */
interface Given {
  readonly occurredAt?: string;
  /** Persons named. */
  readonly agent?: string;
  readonly author?: PersonGiven;
  /** Other tickets. */
  readonly duplicate?: Uuid;
  readonly other?: Uuid;
}

/** Commands on tickets: request to envelope, outcome to answer. */
@Controller('v1/tickets')
export class TicketCommands {
  constructor(
    private readonly house: House,
    private readonly bus: CommandBus,
    private readonly owners: TicketOwners,
    private readonly acquaintances: Acquaintances,
  ) {}

  @Post()
  @Command('tickets.open', 'v1/tickets', {
    summary: 'Open a ticket',
    about: 'The answer states what was promised. It waits in the queue intake until a group has it.',
    request: OpenTicketRequest,
    answer: OpenedAnswer,
    status: 201,
    tag: 'tickets',
    conditional: false,
  })
  async open(@Req() request: EdgeRequest, @Res({ passthrough: true }) reply: EdgeReply): Promise<object> {
    // By hand what the decorators of the other routes do: what a desk does most spares the pipes.
    const body = valid(OpenTicketRequest, request.body);
    const asking = askingOf(request);
    const { caller, correlation, route, key } = asking;
    const { identities } = this.house;
    const { mask } = rowOf('tickets.open', caller);
    demandOwnToGive(caller, body);
    const ticket = key === undefined ? freshId() : identities.created(caller.actor.id, route, key);
    const around: Around = {
      ticket,
      by: caller.actor,
      ...(caller.customer !== undefined && { customer: caller.customer }),
      policies: this.house.policies(),
      identities,
      begun: body.requester ? (identities.derived('step', ticket, 'requester') as PersonId) : ticket,
    };
    const others = body.requester ? [given(body.requester, around)] : [];
    // Names come before the opening, so that whoever reads the ticket by its position finds them; but after
    // it where it can be refused, for a time in the future or a key used before: then nothing is recorded.
    const refusable = key !== undefined || body.occurredAt !== undefined;
    if (!refusable) {
      await this.acquaintances.meetCaller(caller, correlation);
      await this.acquaintances.meet(others, caller.actor, correlation);
    }
    const number = await this.house.numbers.next('T');
    const done = await this.execute(
      asking,
      caller.actor,
      ticket,
      body,
      openTicket(body, around, number),
      true,
    );
    const named = refusable ? await this.acquaintances.meetAfterwards(caller, others, correlation) : null;
    void reply.headers(headersOf(done, named)).header('location', `/v1/tickets/${ticket}`);
    return openedAnswer(mask, ticket, done);
  }

  /** Every other command; ticket-routes.ts declares their routes. */
  async act(
    name: TicketCommandName,
    ticket: Uuid,
    body: object & Given,
    asking: Asking,
    reply: EdgeReply,
  ): Promise<object> {
    const { caller, correlation, key, route } = asking;
    const { identities } = this.house;
    const row = rowOf(ticketRoutes[name].operation, caller);
    demandOwnToGive(caller, body);

    // Every id of the request, before If-Match, idempotency and decide (ruling 53).
    const reach = reachOf(caller, identities);
    const { requester } = demandInScope(row, reach, await this.owners.of(ticket, row.scope));
    for (const other of [body.duplicate, body.other])
      if (other !== undefined && other !== ticket)
        demandInScope(row, reach, await this.owners.of(other, row.scope));

    // Who asked under an address and now comes with a token acts as the requester, not as somebody else.
    const by: Actor =
      caller.actor.id !== requester && caller.role === 'customer' && reach.persons.includes(requester)
        ? { ...caller.actor, onBehalfOf: requester }
        : caller.actor;
    const around: Around = {
      ticket,
      by,
      policies: this.house.policies(),
      identities,
      requester,
      begun: key === undefined ? freshId() : identities.created(caller.actor.id, `${route} ${ticket}`, key),
    };
    // The table's rows differ in their bodies; each was checked against its own class.
    const build = ticketCommands[name] as (
      body: object,
      around: Around,
    ) => (occurredAt: Instant) => TicketCommand;
    const execute = (policies: Policies): Promise<TicketAccepted> =>
      this.execute(asking, by, ticket, body, build(body, { ...around, policies }), false);
    const done = await execute(around.policies).catch(async (error: unknown) => {
      // Another process promised by a version that this one has not read yet.
      if (!(error instanceof UnknownPolicy)) throw error;
      return execute(await this.house.refreshPolicies());
    });
    // After the command, which may be refused and then records nothing; so the names are a little later.
    const named = await this.acquaintances.meetAfterwards(caller, namedIn(body, around), correlation);
    void reply.headers(headersOf(done, named));
    return recordedAnswer(row.mask, ticket, done);
  }

  private execute(
    asking: Asking,
    actor: Actor,
    ticket: Uuid,
    body: object & Given,
    command: (occurredAt: Instant) => TicketCommand,
    expectNew: boolean,
  ): Promise<TicketAccepted> {
    const occurredAt = body.occurredAt === undefined ? null : instantFrom(body.occurredAt);
    const request = {
      ...requestOn(ticketStream(ticket), asking, this.house.identities, body),
      actor,
      ...(occurredAt && { occurredAt }),
      ...(expectNew && { expectNew }),
    };
    return this.bus.execute(new TicketEnvelope(request, command));
  }
}

/** Who reads by the position in the header finds the names that the request brought, too. */
const headersOf = ({ etag, position }: TicketAccepted, named: Position | null = null) => ({
  etag: etagOf(etag),
  [POSITION_HEADER]: named !== null && named > position ? named : position,
});

const given = (person: PersonGiven, around: Around): Met => ({
  person: personOf(person, around),
  name: person.name ?? person.email!,
  ...(person.email !== undefined && { email: person.email }),
  byHearsay: person.name === undefined,
});

/** Persons whom a body names: an agent only by subject, which is no better than hearsay about the name. */
function namedIn({ agent, author }: Given, around: Around): Met[] {
  return [
    ...(agent === undefined
      ? []
      : [{ person: staff(around.identities, agent), name: agent, byHearsay: true }]),
    ...(author === undefined ? [] : [given(author, around)]),
  ];
}

// One method a command, all alike: declared from the table, so that a route cannot lack its row.
for (const [name, { status = 200, ...documented }] of Object.entries(ticketRoutes)) {
  const { prototype } = TicketCommands;
  const method = {
    [name](this: TicketCommands, id: Uuid, body: object, asking: Asking, reply: EdgeReply): Promise<object> {
      return this.act(name as TicketCommandName, id, body, asking, reply);
    },
  }[name]!;
  Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
  const declared = Object.getOwnPropertyDescriptor(prototype, name)!;
  Param('id', IdOf)(prototype, name, 0);
  Body()(prototype, name, 1);
  Asked()(prototype, name, 2);
  Res({ passthrough: true })(prototype, name, 3);
  Reflect.defineMetadata('design:paramtypes', [String, documented.request, Object, Object], prototype, name);
  for (const decorate of [
    Post(`:id/${name}`),
    HttpCode(status),
    Command(documented.operation, 'v1/tickets/:id', {
      ...documented,
      status,
      answer: RecordedAnswer,
      tag: 'tickets',
    }),
  ])
    decorate(prototype, name, declared);
}
