import { Controller, Get, Query as QueryParam, Res } from '@nestjs/common';
import type { CandidateCursor } from '#adapters/consumers-postgres';
import {
  After,
  ConsumerReading,
  cursorOf,
  Params,
  POSITION_HEADER,
  Premises,
  Query,
  type EdgeReply,
} from '#edge';
import { CATEGORYLESS } from '#engine/knowledge';
import { instant, isUuid, type Instant, type Position, type Uuid } from '#kernel';
import { CandidatesAnswer, CategoriesAnswer, type TermAnswer } from './candidates.answers.js';
import { KnowledgeHome } from './home.js';

/** Categories told at once. */
const MOST_CATEGORIES = 1_000;

const isPlace = (value: unknown): value is readonly [Instant, Uuid] =>
  Array.isArray(value) && value.length === 2 && isInstant(value[0]) && isUuid(value[1]);

function isInstant(value: unknown): value is Instant {
  try {
    return typeof value === 'string' && instant(value) === value;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** A category or subcategory whose word may be known, because somebody asked by it. */
const term = (id: string | null, asked: TermAnswer | null): TermAnswer | null =>
  id === null ? null : { id, name: asked?.id === id ? asked.name : null };

const AFTER = '`?after=` is for desks whose messages do not come over Kafka; elsewhere it is 400.';

@Controller('v1/knowledge')
export class Candidates {
  private readonly reading: ConsumerReading;

  constructor(
    private readonly premises: Premises,
    private readonly home: KnowledgeHome,
  ) {
    this.reading = new ConsumerReading(premises, home.store);
  }

  @Get('candidates')
  @Query('knowledge.candidates', 'v1/knowledge/candidates', {
    summary: 'List resolved tickets that an article might come from',
    about:
      'The latest resolved first. A ticket that is reopened is none until it is resolved again, one that goes on ' +
      `in another ticket is none any more. ${AFTER}`,
    answer: CandidatesAnswer,
    tag: 'knowledge',
    paged: true,
    filters: [
      {
        name: 'category',
        about: `Its id or its word; \`${CATEGORYLESS}\`: only those without one. All unless given.`,
      },
    ],
  })
  async list(
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<CandidatesAnswer> {
    const params = new Params(query);
    const given = params.text('category');
    const limit = params.limit();
    const place = params.cursor(isPlace);
    params.done();
    const position = await this.reading.upTo(after);
    const asked = given === undefined || given === CATEGORYLESS ? null : this.asked(given);
    const from: CandidateCursor | undefined = place && { resolvedAt: place[0], ticket: place[1] };
    const { rows, more } = await this.home.candidates({
      limit,
      ...(given !== undefined && { category: asked?.id ?? null }),
      ...(from && { after: from }),
    });
    const last = rows.at(-1);
    if (position !== null) void reply.header(POSITION_HEADER, position);
    return {
      items: rows.map(({ ticket, number, category, subcategory, resolution, resolvedAt }) => ({
        ticket,
        number,
        category: term(category, asked),
        subcategory: term(subcategory, null),
        resolution: resolution!,
        resolvedAt: resolvedAt!,
      })),
      next: more && last ? cursorOf([last.resolvedAt, last.ticket]) : null,
    };
  }

  @Get('categories')
  @Query('knowledge.categories', 'v1/knowledge/categories', {
    summary: 'Count candidates by category',
    about: AFTER,
    answer: CategoriesAnswer,
    tag: 'knowledge',
  })
  async categories(
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<CategoriesAnswer> {
    new Params(query).done();
    const position = await this.reading.upTo(after);
    const counts = await this.home.categories(MOST_CATEGORIES);
    if (position !== null) void reply.header(POSITION_HEADER, position);
    return {
      items: counts.map(({ category, candidates }) => ({
        category: category === CATEGORYLESS ? null : term(category, null),
        candidates,
      })),
    };
  }

  /** What was asked for by its id or its word. */
  private asked(given: string): TermAnswer {
    return isUuid(given)
      ? { id: given, name: null }
      : { id: this.premises.identities.termId('category', given), name: given.trim() };
  }
}
