import { Controller, Get, Param, Query as QueryParam, Res } from '@nestjs/common';
import { INTAKE } from '#engine/views';
import { isPosition, type Position } from '#kernel';
import type { QueueCursor } from '#adapters/views-postgres';
import {
  After,
  Caller,
  cursorOf,
  House,
  notFound,
  Params,
  POSITION_HEADER,
  Query,
  type CallerType,
  type EdgeReply,
} from '#edge';
import { rowOf } from '../access/scope.js';
import { demandWhole, Reading } from '../reading/reading.js';
import { queueIdOf } from '../tickets/ticket-queries.js';
import { QueueItemsAnswer, QueuesAnswer } from './queue-answers.js';
import { blobsOfItem, blobsOfQueue, itemAnswer, personsOfItem, queueAnswer, NOTHING_IN } from './present.js';

const STANDINGS = ['waiting', 'held', 'assigned'] as const;

const isPlace = (value: unknown): value is readonly [number | null, Position] =>
  Array.isArray(value) &&
  value.length === 2 &&
  (value[0] === null || Number.isSafeInteger(value[0])) &&
  isPosition(value[1]);

@Controller('v1/queues')
export class Queues {
  constructor(
    private readonly house: House,
    private readonly reading: Reading,
  ) {}

  @Get()
  @Query('queues.list', 'v1/queues', {
    summary: 'List queues with their counts',
    about: 'The intake, every queue that was defined, and those of groups that have tickets.',
    answer: QueuesAnswer,
    tag: 'queues',
  })
  async list(
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    new Params(query).done();
    const position = await this.reading.upTo(after);
    const found = await this.house.views.queues();
    const listed = found.some(({ id }) => id === INTAKE) ? found : [NOTHING_IN(INTAKE), ...found];
    const texts = await this.reading.texts(listed.flatMap((queue) => [...blobsOfQueue(queue)]));
    void reply.header(POSITION_HEADER, position);
    return { items: listed.map((queue) => queueAnswer(queue, texts)).sort(intakeFirst) };
  }

  @Get(':id/items')
  @Query('queues.items', 'v1/queues/:id/items', {
    summary: 'List what stands in a queue',
    about:
      'In the order in which it is served. `{id}` is intake, the id of a queue, or the name of its group. Tickets wait, are held, or are assigned.',
    answer: QueueItemsAnswer,
    tag: 'queues',
    paged: true,
    filters: [{ name: 'standing', about: 'waiting unless given.', values: STANDINGS }],
  })
  async items(
    @Param('id') given: string,
    @QueryParam() query: unknown,
    @Caller() caller: CallerType,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    const { mask } = rowOf('queues.items', caller);
    const params = new Params(query);
    const standing = params.code('standing', STANDINGS) ?? 'waiting';
    const limit = params.limit();
    const place = params.cursor(isPlace);
    params.done();
    const { views, identities } = this.house;
    const position = await this.reading.upTo(after);
    const queue = queueIdOf(identities, given);
    if (queue !== INTAKE && !(await views.queue(queue))) throw notFound();
    const from: QueueCursor | undefined = place && { rank: place[0], opened: place[1] };
    const found = await views.queueItems(queue, { standing, limit, ...(from && { after: from }) });
    demandWhole(found);
    const { rows, more } = found;
    const people = await this.reading.people(rows.flatMap((row) => [...personsOfItem(row)]));
    const texts = await this.reading.texts([
      ...rows.flatMap((row) => [...blobsOfItem(row)]),
      ...[...people.values()].map(({ called }) => called),
    ]);
    const last = rows.at(-1);
    void reply.header(POSITION_HEADER, position);
    return {
      items: rows.map((row) => itemAnswer(mask, row, people, texts)),
      next: more && last ? cursorOf([last.rank, last.opened]) : null,
    };
  }
}

type Listed = ReturnType<typeof queueAnswer>;

const intakeFirst = (a: Listed, b: Listed): number =>
  Number(b.id === INTAKE) - Number(a.id === INTAKE) ||
  (a.name ?? '').localeCompare(b.name ?? '', 'en') ||
  (a.id < b.id ? -1 : 1);
