import { Controller, Get, Query as QueryParam, Req, Res } from '@nestjs/common';
import { toInstant } from '#kernel';
import {
  Caller,
  House,
  mintPass,
  Params,
  Query,
  readAfter,
  Stream,
  type CallerType,
  type EdgeReply,
  type EdgeRequest,
} from '#edge';
import { ChangedNews, DueSoonNews, EndNews, OverdueNews, PassAnswer, StandingNews } from './live-answers.js';
import { ONLY, LiveStreams } from './live-streams.js';

/** Live updates (ruling 39). */
@Controller('v1/live')
export class Live {
  constructor(
    private readonly house: House,
    private readonly streams: LiveStreams,
  ) {}

  @Get('pass')
  @Query('live.pass', 'v1/live/pass', {
    summary: 'A pass to follow the desk from a browser',
    about: 'An EventSource sends no header: it opens `/v1/live?pass=…` within 30 seconds.',
    answer: PassAnswer,
    tag: 'live',
    after: false,
  })
  async pass(@QueryParam() query: unknown, @Caller() caller: CallerType): Promise<PassAnswer> {
    new Params(query).done();
    const { pass, expires } = await mintPass(this.house.secrets.authSecret, caller);
    return { pass, expiresAt: toInstant(expires) };
  }

  @Get()
  @Stream('live.follow', {
    summary: 'Follow the desk as it changes',
    about: [
      'Begins with `standing`, where it goes on from: the position given, else the present end of the log. Then `changed` for everything that happens to a ticket or a queue, `due-soon` when so much of the time for a promise is used up that its policy warns, and `overdue` when it was not kept. It tells that something is different; what it is now, a read with `?after=` the position answers.',
      'Facts that a history brought in, or that were recorded more than 24 hours after they occurred, are not told. Whoever is more than 10,000 events behind gets `reset`, and looks at everything anew. It ends with `end` when the token expires or the process stops. A person may have five streams.',
    ].join('\n\n'),
    tag: 'live',
    events: {
      standing: StandingNews,
      changed: ChangedNews,
      'due-soon': DueSoonNews,
      overdue: OverdueNews,
      reset: StandingNews,
      end: EndNews,
    },
    filters: [{ name: 'only', about: 'all unless given.', values: ONLY }],
  })
  async follow(
    @QueryParam() query: Readonly<Record<string, unknown>>,
    @Caller() caller: CallerType,
    @Req() request: EdgeRequest,
    @Res() reply: EdgeReply,
  ): Promise<void> {
    const params = new Params(query);
    const only = params.code('only', ONLY) ?? 'all';
    params.text('pass', 2048);
    params.done();
    // A browser that never had an event sends an empty one.
    const last = request.headers['last-event-id'] || undefined;
    const after = readAfter(last ?? query.after);
    if (request.raw.method === 'HEAD') return void reply.type('text/event-stream; charset=utf-8').send();
    await this.streams.follow({ caller, after, only, headers: reply.getHeaders() }, () => {
      reply.hijack();
      return reply.raw;
    });
  }
}
