import { Controller, Get, Param, Query as QueryParam, Res } from '@nestjs/common';
import { narrowing, type Owned } from '#domain/access';
import { explainPromises, ticket, ticketStream, type Explained, type TicketEvent } from '#domain/desk';
import { CLOCKS, UnknownPolicy } from '#domain/sla';
import { foldStream } from '#engine/store';
import type { TicketShown } from '#adapters/views-postgres';
import { toInstant, type Instant, type Position, type Recorded, type Uuid } from '#kernel';
import {
  After,
  badInput,
  Caller,
  cursorOf,
  etagOf,
  House,
  IdOf,
  notFound,
  Params,
  POSITION_HEADER,
  Query,
  type CallerType,
  type EdgeReply,
} from '#edge';
import { demandInScope, reachOf, rowOf } from '../access/scope.js';
import { demandWhole, Reading, unknownPosition } from '../reading/reading.js';
import { isLedgerPlace, ledgerPage } from './ledger-pages.js';
import {
  blobsOf,
  blobsOfEntry,
  clockAnswer,
  entryAnswer,
  personsOf,
  personsOfLedger,
  ticketAnswer,
} from './present.js';
import { ownedBy } from './ticket-owners.js';
import { ClocksAnswer, TicketAnswer, TicketsAnswer, TimelineAnswer } from './ticket-answers.js';
import { TICKET_FILTERS, ticketsAsked } from './ticket-queries.js';

const isRevision = (value: unknown): value is readonly [number] =>
  Array.isArray(value) && value.length === 1 && Number.isInteger(value[0]) && (value[0] as number) >= 0;

const DAY_MS = 86_400_000;

/**
 * A promise that has stood still since then or longer is a forgotten pause. Days are counted: a clock that is
 * wrong by seconds, or not compared with the server's, must not keep anybody from reading.
 */
const forgottenAt = ({ settings }: House): Instant =>
  toInstant((Date.now() - settings.pauseLimitDays * DAY_MS) / 1000);

const owned = ({ requester, customer, group, vendor }: TicketShown): Owned => ({
  requester,
  customer,
  group,
  vendor,
});

/** Tickets as the views show them, and their clocks as the log has them. */
@Controller('v1/tickets')
export class Tickets {
  constructor(
    private readonly house: House,
    private readonly reading: Reading,
  ) {}

  @Get()
  @Query('tickets.list', 'v1/tickets', {
    summary: 'List tickets',
    answer: TicketsAnswer,
    tag: 'tickets',
    paged: true,
    filters: TICKET_FILTERS,
  })
  async list(
    @QueryParam() query: unknown,
    @Caller() caller: CallerType,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    const { scope, mask } = rowOf('tickets.list', caller);
    const { identities, views } = this.house;
    const forgotten = forgottenAt(this.house);
    const { filter, page } = ticketsAsked(new Params(query), mask, identities, forgotten);
    const within = narrowing(scope, reachOf(caller, identities));
    const position = await this.reading.upTo(after);
    const found = await views.tickets({ ...filter, ...(within && { within }) }, page);
    demandWhole(found);
    const { rows, more } = found;
    const people = await this.reading.people(rows.flatMap((row) => [...personsOf(row)]));
    const texts = await this.reading.texts([
      ...rows.flatMap((row) => [...blobsOf(row)]),
      ...[...people.values()].map(({ called }) => called),
    ]);
    void reply.header(POSITION_HEADER, position);
    return {
      items: rows.map((row) => ticketAnswer(mask, row, people, texts, forgotten)),
      next: more ? cursorOf([rows.at(-1)!.opened]) : null,
    };
  }

  @Get(':id')
  @Query('tickets.read', 'v1/tickets/:id', {
    summary: 'Read a ticket',
    answer: TicketAnswer,
    tag: 'tickets',
    etag: true,
  })
  async read(
    @Param('id', IdOf) id: Uuid,
    @QueryParam() query: unknown,
    @Caller() caller: CallerType,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    const row = rowOf('tickets.read', caller);
    new Params(query).done();
    const position = await this.reading.upTo(after);
    const ticket = await this.inScope(id, 'tickets.read', caller);
    const people = await this.reading.people(personsOf(ticket));
    const texts = await this.reading.texts([
      ...blobsOf(ticket),
      ...[...people.values()].map(({ called }) => called),
    ]);
    void reply.headers({ [POSITION_HEADER]: position, etag: etagOf(ticket.etag) });
    return ticketAnswer(row.mask, ticket, people, texts, forgottenAt(this.house));
  }

  @Get(':id/timeline')
  @Query('tickets.timeline', 'v1/tickets/:id/timeline', {
    summary: 'A ticket’s history, oldest first',
    about: 'Role customer sees what was said to them and by them, and what became of it.',
    answer: TimelineAnswer,
    tag: 'tickets',
    paged: true,
  })
  async timeline(
    @Param('id', IdOf) id: Uuid,
    @QueryParam() query: unknown,
    @Caller() caller: CallerType,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    const { mask } = rowOf('tickets.timeline', caller);
    const params = new Params(query);
    const limit = params.limit();
    const from = params.cursor(isRevision);
    params.done();
    const position = await this.reading.upTo(after);
    await this.inScope(id, 'tickets.timeline', caller);
    const found = await this.house.views.timeline(id, {
      after: from?.[0] ?? -1,
      limit,
      ...(mask === 'public' && { audience: 'public' as const }),
    });
    demandWhole(found);
    const { rows, more } = found;
    const people = mask === 'all' ? await this.reading.people(rows.map(({ actor }) => actor.id)) : new Map();
    const texts = await this.reading.texts([
      ...rows.flatMap((row) => [...blobsOfEntry(row)]),
      ...[...people.values()].map(({ called }) => called),
    ]);
    void reply.header(POSITION_HEADER, position);
    return {
      items: rows.map((row) => entryAnswer(mask, row, people, texts)),
      next: more ? cursorOf([rows.at(-1)!.revision]) : null,
    };
  }

  @Get(':id/clocks')
  @Query('tickets.clocks', 'v1/tickets/:id/clocks', {
    summary: 'A ticket’s promises as they stand now, and why',
    about:
      'From the log itself, by the server’s clock: a due instant that has passed shows as breached at once. Each clock has its ledger, the oldest line first, `limit` lines of it; `next` goes on with that clock alone, as of the same instant and revision. Of a clock’s present cycle the counted seconds add up to `consumed`, and with the lines ahead to `target` at `due`. Role customer sees the clocks without their ledgers.',
    answer: ClocksAnswer,
    tag: 'tickets',
    etag: true,
    paged: true,
    filters: [{ name: 'clock', about: 'Only this one.', values: CLOCKS }],
  })
  async clocks(
    @Param('id', IdOf) id: Uuid,
    @QueryParam() query: unknown,
    @Caller() caller: CallerType,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    const row = rowOf('tickets.clocks', caller);
    const params = new Params(query);
    const only = params.code('clock', CLOCKS);
    const limit = params.limit();
    const from = params.cursor(isLedgerPlace);
    params.done();
    const { store, codec, identities } = this.house;
    const { position } = await store.head();
    if (after !== undefined && after > position) throw unknownPosition();
    const [stored, micros] = await Promise.all([store.readStream(ticketStream(id)), store.now()]);
    const events = stored.map(codec.decode) as readonly Recorded<TicketEvent>[];
    const { state } = foldStream(ticket, events);
    if (state.status === 'none') throw notFound();
    demandInScope(row, reachOf(caller, identities), ownedBy(state));

    const now = toInstant(micros / 1_000_000);
    const revision = from?.[1] ?? events.length - 1;
    const at = from?.[2] ?? now;
    if (revision >= events.length || at > now)
      throw badInput([{ field: 'cursor', problem: 'must be the `next` of a page before' }]);
    const known = events.slice(0, revision + 1);
    const wanted = from?.[0] ?? only;
    const explained = (await this.explained(known, at)).filter(
      ({ standing }) => wanted === undefined || standing.clock === wanted,
    );
    const pages = explained.map((clock) => ledgerPage(clock, { revision, at, from: from?.[3] ?? 0, limit }));
    const seen = row.mask === 'all' ? pages : [];
    const people = await this.reading.people(seen.flatMap((page) => [...personsOfLedger(page)]));
    const texts = await this.reading.texts([...people.values()].map(({ called }) => called));
    void reply.headers({ [POSITION_HEADER]: position, etag: etagOf(foldStream(ticket, known).etag) });
    return {
      id,
      at,
      clocks: explained.map((clock, i) => clockAnswer(row.mask, clock, pages[i]!, people, texts)),
    };
  }

  /** By the policies that the events name; another process may have recorded one since they were read. */
  private async explained(
    events: readonly Recorded<TicketEvent>[],
    at: Instant,
  ): Promise<readonly Explained[]> {
    try {
      return explainPromises(events, this.house.policies(), at);
    } catch (error) {
      if (!(error instanceof UnknownPolicy)) throw error;
      return explainPromises(events, await this.house.refreshPolicies(), at);
    }
  }

  /** @throws Problem `not-found` */
  private async inScope(
    id: Uuid,
    operation: 'tickets.read' | 'tickets.timeline',
    caller: CallerType,
  ): Promise<TicketShown> {
    const ticket = await this.house.views.ticket(id);
    if (!ticket) throw notFound();
    demandInScope(rowOf(operation, caller), reachOf(caller, this.house.identities), owned(ticket));
    return ticket;
  }
}
