import { Controller, Get, Query as QueryParam, Res } from '@nestjs/common';
import { DIMENSIONS, type Line } from '#adapters/consumers-postgres';
import {
  After,
  badInput,
  civilDay,
  ConsumerReading,
  NEWEST_ZONE_RULES,
  Params,
  POSITION_HEADER,
  Premises,
  Query,
  type EdgeReply,
} from '#edge';
import { toInstant, type Position } from '#kernel';
import { AnalyticsHome } from './home.js';
import { TicketFiguresAnswer, type Figures } from './ticket-figures.answers.js';

const DAY_MS = 86_400_000;
/** Days that one answer may count. */
const MOST_DAYS = 366;
/** Days counted unless asked otherwise: up to today. */
const USUAL_DAYS = 30;

const DATE = /^\d{4}-\d\d-\d\d$/;
const isDay = (text: string): boolean => DATE.test(text) && dayAt(Date.parse(text)) === text;
const dayAt = (milliseconds: number): string =>
  Number.isNaN(milliseconds) ? '' : new Date(milliseconds).toISOString().slice(0, 10);
const daysFrom = (day: string, days: number): string => dayAt(Date.parse(day) + days * DAY_MS);

@Controller('v1/analytics')
export class TicketFigures {
  private readonly reading: ConsumerReading;

  constructor(
    private readonly premises: Premises,
    private readonly home: AnalyticsHome,
  ) {
    this.reading = new ConsumerReading(premises, home.store);
  }

  @Get('tickets')
  @Query('analytics.tickets', 'v1/analytics/tickets', {
    summary: 'Count tickets per day, tier and channel',
    about:
      'Days are those of the desk’s zone. A fact counts on the day on which it happened, also where it was told ' +
      'later. Over any days opened + reopened − resolved − merged is how many tickets more are open. At most ' +
      `${MOST_DAYS} days. \`?after=\` is for desks whose messages do not come over Kafka; elsewhere it is 400.`,
    answer: TicketFiguresAnswer,
    tag: 'analytics',
    filters: [
      {
        name: 'from',
        about: `First day, as in 2026-11-24; ${USUAL_DAYS - 1} days before the last unless given.`,
      },
      { name: 'to', about: 'Last day; today unless given.' },
      { name: 'by', about: 'One or several of day, tier, channel, with commas between; day unless given.' },
    ],
  })
  async tickets(
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<TicketFiguresAnswer> {
    const params = new Params(query);
    const given = { from: params.text('from', 10), to: params.text('to', 10) };
    const by = params.codes('by', DIMENSIONS) ?? ['day'];
    params.done();
    const wrong = (field: string, problem: string): never => {
      throw badInput([{ field, problem }]);
    };
    for (const [field, day] of Object.entries(given))
      if (day !== undefined && !isDay(day)) wrong(field, 'must be a day such as 2026-11-24');

    const position = await this.reading.upTo(after);
    const pinned = (await this.home.store.state())?.pinned;
    const zone = pinned?.['zone'] ?? this.premises.settings.deskZone;
    const now = today(zone, pinned?.['tzdb']);
    const to = given.to ?? (given.from !== undefined && given.from > now ? given.from : now);
    const from = given.from ?? daysFrom(to, 1 - USUAL_DAYS);
    if (from > to) wrong('from', 'must not be after to');
    if (daysFrom(from, MOST_DAYS) <= to) wrong('from', `must be at most ${MOST_DAYS - 1} days before to`);

    const lines = await this.home.lines(from, to, by);
    if (position !== null) void reply.header(POSITION_HEADER, position);
    const items = lines.map((line) => ({ ...named(line), ...figures([line]) }));
    return { from, to, zone, by: [...by], items, total: figures(lines) };
  }
}

const today = (zone: string, tzdb: string = NEWEST_ZONE_RULES): string =>
  civilDay(zone, tzdb, toInstant(Date.now() / 1000));

const named = ({ measures: _, ...dimensions }: Line): Omit<Line, 'measures'> => dimensions;

function figures(lines: readonly Line[]): Figures {
  const sum = (measure: keyof Line['measures']): number =>
    lines.reduce((total, { measures }) => total + (measures[measure] ?? 0), 0);
  const firstResponseBreached = sum('first-response-breached');
  const resolutionBreached = sum('resolution-breached');
  return {
    opened: sum('opened'),
    answered: sum('answered'),
    resolved: sum('resolved'),
    reopened: sum('reopened'),
    merged: sum('merged'),
    breached: firstResponseBreached + resolutionBreached + sum('other-breached'),
    firstResponseBreached,
    resolutionBreached,
  };
}
