import { Controller, Get, Query as QueryParam, Res } from '@nestjs/common';
import { TIERS } from '#domain/desk';
import { CLOCKS, PRIORITIES, UnknownPolicy } from '#domain/sla';
import {
  attained,
  attainmentKey,
  attainmentSubject,
  isMonth,
  type AttainedPage,
  type AttainmentAsked,
  type AttainmentKey,
} from '#engine/views';
import { After, badInput, cursorOf, House, Params, POSITION_HEADER, Query, type EdgeReply } from '#edge';
import type { Position } from '#kernel';
import { Reading } from '../reading/reading.js';
import { AttainmentAnswer } from './attainment-answers.js';

const isPlace = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 1_000 && value.split('/').length >= 5;

@Controller('v1/attainment')
export class Attainment {
  constructor(
    private readonly house: House,
    private readonly reading: Reading,
  ) {}

  @Get()
  @Query('attainment.read', 'v1/attainment', {
    summary: 'SLA attainment per month, policy, tier, priority and promise',
    about:
      'A cycle of a promise counts in the civil month, in the zone of its calendar, in which its due passed, ' +
      'else in which it ended, else in which it will be due; under the policy it ended by, the tier of its ' +
      'ticket and the priority of the ticket when it ended. A later fact, a reopen or an annulled breach moves ' +
      'the figures of the months that it concerns. The earliest month first, last what is due at no instant.',
    answer: AttainmentAnswer,
    tag: 'attainment',
    paged: true,
    filters: [
      { name: 'month', about: 'Only this month, as in 2026-11.' },
      { name: 'policy', about: 'Only this policy: `default@1`, or `default` for all its versions.' },
      { name: 'tier', about: 'Only tickets of this tier.', values: TIERS },
      { name: 'priority', about: '1 critical to 4 low.', values: PRIORITIES },
      { name: 'clock', about: 'Only this promise.', values: CLOCKS },
    ],
  })
  async read(
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<AttainmentAnswer> {
    const params = new Params(query);
    const asked: AttainmentAsked = {
      month: params.text('month', 7),
      policy: params.text('policy'),
      tier: params.code('tier', TIERS),
      priority: params.whole('priority', 1, 4),
      clock: params.code('clock', CLOCKS),
    };
    const limit = params.limit();
    const place = params.cursor(isPlace);
    params.done();
    if (asked.month !== undefined && !isMonth(asked.month))
      throw badInput([{ field: 'month', problem: 'must be a month such as 2026-11' }]);
    const position = await this.reading.upTo(after);
    const { at, lines, more } = await this.page(asked, {
      limit,
      ...(place !== undefined && { after: attainmentKey(place) }),
    });
    const last = lines.at(-1);
    void reply.header(POSITION_HEADER, position);
    return {
      at,
      items: [...lines],
      next: more && last ? cursorOf(attainmentSubject(last, last.tier)) : null,
    };
  }

  /** By the policies that the facts name; another process may have recorded one since they were read. */
  private async page(
    asked: AttainmentAsked,
    page: { readonly after?: AttainmentKey; readonly limit: number },
  ): Promise<AttainedPage> {
    const report = (): Promise<AttainedPage> =>
      this.house.views.attainment((source) => attained(source, asked, this.house.policies(), page));
    try {
      return await report();
    } catch (error) {
      if (!(error instanceof UnknownPolicy)) throw error;
      await this.house.refreshPolicies();
      return report();
    }
  }
}
