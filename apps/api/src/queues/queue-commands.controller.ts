import { Body, Controller, Post, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiProperty } from '@nestjs/swagger';
import { queueStream } from '#domain/desk';
import {
  Asked,
  Command,
  etagOf,
  House,
  POSITION_HEADER,
  requestOn,
  type Asking,
  type EdgeReply,
} from '#edge';
import { Acquaintances } from '../people/acquaintances.js';
import { KeyRings } from '../requests/key-rings.js';
import { QueueEnvelope } from './queue-envelope.js';
import { DefineQueueRequest } from './queue-requests.js';

export class DefinedAnswer {
  @ApiProperty({ type: 'string', format: 'uuid', description: 'The queue: the id of its group.' })
  readonly id!: string;
  @ApiProperty({ type: 'string', description: 'Opaque, rising; for ?after= (read your own writes).' })
  readonly position!: string;
  @ApiProperty({ type: 'integer', description: 'Revision of the queue after it.' })
  readonly revision!: number;
}

@Controller('v1/queues')
export class QueueCommands {
  constructor(
    private readonly house: House,
    private readonly bus: CommandBus,
    private readonly keys: KeyRings,
    private readonly acquaintances: Acquaintances,
  ) {}

  @Post()
  @Command('queues.define', 'v1/queues', {
    summary: 'Define or rename the queue of a group',
    about: 'Tickets of a group wait in its queue whether it was defined or not; defining gives it a title.',
    request: DefineQueueRequest,
    answer: DefinedAnswer,
    status: 201,
    tag: 'queues',
  })
  async define(
    @Body() { group: name, title: called }: DefineQueueRequest,
    @Asked() asking: Asking,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<DefinedAnswer> {
    const { identities } = this.house;
    const { caller, correlation, route, key } = asking;
    const group = identities.term('group', name);
    const title = called === undefined ? undefined : identities.term('queue-title', called);
    const request = requestOn(queueStream(group.id), asking, identities, { group: name, title: called });
    if (key !== undefined)
      await this.keys.demandFresh(identities.created(caller.actor.id, route, key), request);
    const done = await this.bus.execute(
      new QueueEnvelope(request, (occurredAt) => ({
        type: 'define-queue',
        occurredAt,
        by: caller.actor,
        group,
        ...(title && { title }),
      })),
    );
    await this.acquaintances.meetAfterwards(caller, [], correlation);
    const { etag, position, revision } = done;
    void reply.headers({ etag: etagOf(etag), [POSITION_HEADER]: position });
    return { id: group.id, position, revision };
  }
}
