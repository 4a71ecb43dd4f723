import { Brackets, type DataSource, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import {
  textBlob,
  type AttainmentRow,
  type AttainmentSource,
  type Audience,
  type ParkedStream,
  type PendingDueRow,
  type PersonRow,
  type QueueItemRow,
  type QueueRow,
  type Standing,
  type TicketRow,
  type TicketStatus,
  type TimelineRow,
} from '#engine/views';
import type { Sealed } from '#engine/store';
import {
  START,
  toInstant,
  toOrdinal,
  type EpochSeconds,
  type Instant,
  type PersonId,
  type Position,
  type Uuid,
} from '#kernel';
import {
  AttainmentEntity,
  CheckpointEntity,
  LIVE,
  ParkedEntity,
  PendingDueEntity,
  PersonEntity,
  QueueEntity,
  QueueItemEntity,
  TallyEntity,
  TicketEntity,
  TimelineEntity,
} from './entities.js';

/** A view cannot go on with this stream: what it would show is not what the log says (ruling 50). */
export class ViewParked extends Error {
  override readonly name = 'ViewParked';
  constructor(
    readonly view: string,
    readonly stream: string,
  ) {
    super(`view ${view} waits with ${stream}`);
  }
}

/** A ticket with its subject: a blob with the field `subject`, from the first line of its timeline. */
export type TicketShown = TicketRow & { readonly subject: Sealed | null };

/** What stands in a queue, with what is shown of the ticket itself. */
export type QueueItemShown = Omit<QueueItemRow, 'clocks'> &
  Pick<
    TicketShown,
    'number' | 'requester' | 'priority' | 'tier' | 'openedAt' | 'overdueSince' | 'clocks' | 'subject'
  >;

export interface TicketFilter {
  readonly status?: readonly TicketStatus[];
  readonly queue?: string;
  readonly agent?: PersonId;
  readonly requester?: PersonId;
  readonly customer?: Uuid;
  readonly priority?: number;
  readonly number?: string;
  readonly externalReference?: Uuid;
  /** Its promises have stood still since then or longer. */
  readonly pausedUntil?: Instant;
  /** A promise of it that is still open was not kept. */
  readonly overdue?: true;
  /** What the asker may see at all: of these requesters, or of this customer. */
  readonly within?: { readonly requesters?: readonly PersonId[]; readonly customer?: Uuid };
}

/** Rows in their order, and whether more follow: the next page begins after the last row. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly more: boolean;
  /** Streams of these rows that the view cannot go on with: their rows are behind the log. */
  readonly parked: readonly string[];
}

/** Tickets go by their opening, newest first unless asked otherwise. */
export interface TicketPage {
  readonly limit: number;
  readonly after?: Position;
  readonly order?: 'newest-first' | 'oldest-first';
}

/** Where a queue's item stands in its order; `rank` is null unless it waits. */
export interface QueueCursor {
  readonly rank: EpochSeconds | null;
  readonly opened: Position;
}

export interface QueueListing {
  readonly id: string;
  /** Null for a queue that only tickets made: a group's, or the intake. */
  readonly defined: QueueRow | null;
  /** Blob with the field `group`, of a group's queue that was not defined. */
  readonly groupLabel: Sealed | null;
  readonly counts: Readonly<Record<Exclude<Standing, 'gone'>, number>>;
}

/** What the api asks; all of it by an index. Texts in the answers are sealed as in the log (ruling 31). */
export interface ViewQueries {
  /** Errors: ViewParked. */
  ticket(id: string): Promise<TicketShown | null>;
  tickets(filter: TicketFilter, page: TicketPage): Promise<Page<TicketShown>>;
  /** A ticket's lines in order, after a revision (-1 for the first). Errors: ViewParked. */
  timeline(
    ticket: string,
    page: { readonly after: number; readonly limit: number; readonly audience?: Audience },
  ): Promise<Page<TimelineRow>>;
  /** Errors: ViewParked. */
  queue(id: string): Promise<QueueListing | null>;
  queues(): Promise<readonly QueueListing[]>;
  /** Of one standing, in the order they are served: κ, then opening (ruling 23). */
  queueItems(
    queue: string,
    page: {
      readonly standing: Exclude<Standing, 'gone'>;
      readonly limit: number;
      readonly after?: QueueCursor;
    },
  ): Promise<Page<QueueItemShown>>;
  people(ids: readonly PersonId[]): Promise<readonly PersonRow[]>;
  /** Tickets with something due at or before the instant, earliest first, from after another of them on. */
  pendingDues(
    until: Instant,
    limit: number,
    after?: { readonly due: Instant; readonly ticket: string } | null,
  ): Promise<readonly PendingDueRow[]>;
  /** The earliest due instant there is. */
  nextDue(): Promise<Instant | null>;
  /** How many tickets there are whose promises have stood still since an instant or longer. */
  pausedUntil(at: Instant): Promise<number>;
  /**
   * Lets the report of SLA attainment be made of one moment of its view.
   *
   * Errors: ViewParked where any ticket is missing from it, or behind.
   */
  attainment<T>(report: (source: AttainmentSource) => Promise<T>): Promise<T>;
  /** Streams parked in any view, earliest first. */
  parkedStreams(limit: number): Promise<readonly ParkedStream[]>;
  /** The position that every view has passed; what is read from now on holds everything up to it. */
  passed(): Promise<Position>;
  figures(head: { readonly position: Position }): Promise<readonly ViewFigures[]>;
}

/** How far a view is behind, and what it could not digest. */
export interface ViewFigures {
  readonly view: string;
  readonly position: Position;
  /** Of the last event it has passed. */
  readonly recordedAt: number;
  readonly behind: number;
  readonly parkedStreams: number;
  readonly parkedEvents: number;
}

/** The builders, apart from their running, so that a test can ask for their plans. */
export function builders(dataSource: DataSource) {
  const tickets = (filter: TicketFilter, page: TicketPage): SelectQueryBuilder<TicketEntity> => {
    const newest = (page.order ?? 'newest-first') === 'newest-first';
    const query = dataSource.getRepository(TicketEntity).createQueryBuilder('t');
    const { status, within, pausedUntil, overdue, ...equal } = filter;
    if (within !== undefined)
      query.andWhere(
        new Brackets((either) => {
          either.where('false');
          if (within.requesters?.length)
            either.orWhere('t.requester IN (:...requesters)', { requesters: within.requesters });
          if (within.customer !== undefined)
            either.orWhere('t.customer = :account', { account: within.customer });
        }),
      );
    if (status !== undefined)
      query.andWhere(status.length === 1 ? 't.status = :only' : 't.status IN (:...status)', {
        only: status[0],
        status,
      });
    if (overdue) query.andWhere('t.overdueSince IS NOT NULL');
    if (pausedUntil !== undefined) query.andWhere('t.pausedSince <= :pausedUntil', { pausedUntil });
    for (const [name, value] of Object.entries(equal))
      if (value !== undefined) query.andWhere(`t.${name} = :${name}`, { [name]: value });
    if (page.after !== undefined)
      query.andWhere(`t.opened ${newest ? '<' : '>'} :after`, { after: toOrdinal(page.after) });
    return query.orderBy('t.opened', newest ? 'DESC' : 'ASC').limit(page.limit + 1);
  };

  const queueItems: (
    ...asked: Parameters<ViewQueries['queueItems']>
  ) => SelectQueryBuilder<QueueItemEntity> = (queue, { standing, limit, after }) => {
    const query = dataSource
      .getRepository(QueueItemEntity)
      .createQueryBuilder('i')
      .where('i.queue = :queue AND i.standing = :standing', { queue, standing })
      // Said again for the planner: the index holds only these.
      .andWhere(`i.standing <> 'gone'`);
    const opened = after && toOrdinal(after.opened);
    if (standing === 'waiting') {
      if (after) query.andWhere('(i.rank, i.opened) > (:rank, :opened)', { rank: after.rank, opened });
      return query
        .orderBy('i.rank')
        .addOrderBy('i.opened')
        .limit(limit + 1);
    }
    query.andWhere('i.rank IS NULL');
    if (after) query.andWhere('i.opened > :opened', { opened });
    return query.orderBy('i.opened').limit(limit + 1);
  };

  const timeline: (...asked: Parameters<ViewQueries['timeline']>) => SelectQueryBuilder<TimelineEntity> = (
    ticket,
    { after, limit, audience },
  ) => {
    const query = dataSource
      .getRepository(TimelineEntity)
      .createQueryBuilder('l')
      .where('l.ticket = :ticket AND l.revision > :after', { ticket, after });
    if (audience !== undefined) query.andWhere('l.audience = :audience', { audience });
    return query.orderBy('l.revision').limit(limit + 1);
  };

  const pendingDues = (
    until: Instant,
    limit: number,
    after: { readonly due: Instant; readonly ticket: string } | null = null,
  ): SelectQueryBuilder<PendingDueEntity> => {
    const query = dataSource
      .getRepository(PendingDueEntity)
      .createQueryBuilder('d')
      .where('d.due <= :until', { until });
    if (after !== null) query.andWhere('(d.due, d.ticket) > (:due, :ticket)', { ...after });
    return query.orderBy('d.due').addOrderBy('d.ticket').limit(limit);
  };

  return { tickets, queueItems, timeline, pendingDues };
}

export function viewQueries(dataSource: DataSource): ViewQueries {
  const build = builders(dataSource);
  const parked = dataSource.getRepository(ParkedEntity);

  const parkedAmong = async (
    views: readonly string[],
    streams: readonly string[],
  ): Promise<readonly ParkedEntity[]> =>
    streams.length === 0
      ? []
      : parked
          .createQueryBuilder('p')
          .where('p.view IN (:...views) AND p.stream IN (:...streams)', { views, streams })
          .getMany();
  const unlessParked = async <T>(views: readonly string[], stream: string, read: Promise<T>): Promise<T> => {
    const [[waiting], answer] = await Promise.all([parkedAmong(views, [stream]), read]);
    if (waiting) throw new ViewParked(waiting.view, stream);
    return answer;
  };
  const pageOf = async <Row>(
    views: readonly string[],
    found: readonly Row[],
    limit: number,
    stream: (row: Row) => string,
  ): Promise<Page<Row>> => {
    const rows = found.slice(0, limit);
    const waiting = await parkedAmong(views, rows.map(stream));
    return { rows, more: found.length > limit, parked: [...new Set(waiting.map((each) => each.stream))] };
  };

  /** Of each ticket the blob of its opening's texts. */
  const subjects = async (tickets: readonly string[]): Promise<ReadonlyMap<string, Sealed | null>> => {
    if (tickets.length === 0) return new Map();
    const openings = await dataSource
      .getRepository(TimelineEntity)
      .createQueryBuilder('l')
      .select(['l.ticket', 'l.revision', 'l.sealed'])
      .where('l.ticket IN (:...tickets) AND l.revision = 0', { tickets })
      .getMany();
    return new Map(openings.map(({ ticket, sealed }) => [ticket, textBlob({ sealed })]));
  };
  const shown = async (rows: readonly TicketRow[]): Promise<readonly TicketShown[]> => {
    const blobs = await subjects(rows.map(({ id }) => id));
    return rows.map((row) => ({ ...row, subject: blobs.get(row.id) ?? null }));
  };
  const itemsShown = async (items: readonly QueueItemRow[]): Promise<readonly QueueItemShown[]> => {
    if (items.length === 0) return [];
    const rows = await dataSource
      .getRepository(TicketEntity)
      .createQueryBuilder('t')
      .where('t.id IN (:...ids)', { ids: items.map(({ ticket }) => ticket) })
      .getMany();
    const tickets = new Map((await shown(rows)).map((row) => [row.id, row]));
    // A ticket whose own row cannot be had is parked there, and told so by the page.
    return items.flatMap((item) => {
      const ticket = tickets.get(item.ticket);
      if (!ticket) return [];
      const { number, requester, priority, tier, openedAt, overdueSince, clocks, subject } = ticket;
      return [{ ...item, number, requester, priority, tier, openedAt, overdueSince, clocks, subject }];
    });
  };

  const listings = async (only?: string): Promise<QueueListing[]> => {
    const [defined, tallies] = await Promise.all([
      dataSource.getRepository(QueueEntity).findBy(only === undefined ? {} : { id: only }),
      dataSource
        .getRepository(TallyEntity)
        .findBy({ view: 'queue_items', ...(only !== undefined && { subject: only }) }),
    ]);
    const counts = new Map<string, { waiting: number; held: number; assigned: number }>();
    const countsOf = (id: string) => {
      let found = counts.get(id);
      if (!found) counts.set(id, (found = { waiting: 0, held: 0, assigned: 0 }));
      return found;
    };
    for (const { id } of defined) countsOf(id);
    for (const { subject, kind, count } of tallies)
      if (count !== 0) countsOf(subject)[kind as Exclude<Standing, 'gone'>] = count;
    const byId = new Map(defined.map((row) => [row.id, row]));
    const labels = await groupLabels([...counts.keys()].filter((id) => !byId.has(id)));
    return [...counts].map(([id, each]) => ({
      id,
      defined: byId.get(id) ?? null,
      groupLabel: labels.get(id) ?? null,
      counts: each,
    }));
  };

  /** Of each queue the label that any of its tickets carries. */
  const groupLabels = async (queues: readonly string[]): Promise<ReadonlyMap<string, Sealed | null>> => {
    if (queues.length === 0) return new Map();
    const rows = await dataSource.query<{ queue: string; label: Sealed | null }[]>(
      `SELECT q.queue, i.group_label AS label
       FROM unnest($1::text[]) AS q(queue)
       CROSS JOIN LATERAL (SELECT group_label FROM ${LIVE}.queue_items i
                           WHERE i.queue = q.queue AND i.standing <> 'gone' LIMIT 1) i`,
      [queues],
    );
    return new Map(rows.map(({ queue, label }) => [queue, label]));
  };

  return {
    ticket: async (id) => {
      const found = dataSource.getRepository(TicketEntity).findOneBy({ id });
      const row = await unlessParked(['tickets', 'timeline'], `ticket-${id}`, found);
      return row && (await shown([row]))[0]!;
    },
    tickets: async (filter, page) => {
      if (filter.status?.length === 0) return { rows: [], more: false, parked: [] };
      const found = await build.tickets(filter, page).getMany();
      const { rows, ...rest } = await pageOf(
        ['tickets', 'timeline'],
        found,
        page.limit,
        ({ id }) => `ticket-${id}`,
      );
      return { rows: await shown(rows), ...rest };
    },
    timeline: async (ticket, page) => {
      const found = build.timeline(ticket, page).getMany();
      const rows = await unlessParked(['timeline'], `ticket-${ticket}`, found);
      return { rows: rows.slice(0, page.limit), more: rows.length > page.limit, parked: [] };
    },
    queue: async (id) => {
      const [listing] = await unlessParked(['queues'], `queue-${id}`, listings(id));
      return listing ?? null;
    },
    queues: () => listings(),
    queueItems: async (queue, page) => {
      const found = await build.queueItems(queue, page).getMany();
      const { rows, ...rest } = await pageOf(
        ['queue_items', 'tickets', 'timeline'],
        found,
        page.limit,
        ({ ticket }) => `ticket-${ticket}`,
      );
      return { rows: await itemsShown(rows), ...rest };
    },
    people: async (ids) =>
      ids.length === 0
        ? []
        : dataSource
            .getRepository(PersonEntity)
            .createQueryBuilder('p')
            .where('p.id IN (:...ids)', { ids: [...new Set(ids)] })
            .getMany(),
    pendingDues: (until, limit, after) => build.pendingDues(until, limit, after).getMany(),
    nextDue: async () => {
      const [first] = await dataSource
        .getRepository(PendingDueEntity)
        .createQueryBuilder('d')
        .where('d.due IS NOT NULL')
        .orderBy('d.due')
        .limit(1)
        .getMany();
      return first?.due ?? null;
    },
    pausedUntil: (at) =>
      dataSource
        .getRepository(TicketEntity)
        .createQueryBuilder('t')
        .where('t.pausedSince <= :at', { at })
        .getCount(),
    attainment: (report) =>
      dataSource.transaction('REPEATABLE READ', async (manager) => {
        const waiting = await manager.findOneBy(ParkedEntity, { view: 'attainment' });
        if (waiting) throw new ViewParked(waiting.view, waiting.stream);
        return report(attainmentIn(manager));
      }),
    parkedStreams: (limit) => parked.find({ order: { position: 'ASC' }, take: limit }),
    passed: async () => {
      const [slowest] = await dataSource
        .getRepository(CheckpointEntity)
        .find({ order: { position: 'ASC' }, take: 1 });
      return slowest?.position ?? START;
    },
    figures: async (head) => {
      const [checkpoints, waiting] = await Promise.all([
        dataSource.getRepository(CheckpointEntity).find({ order: { view: 'ASC' } }),
        parked
          .createQueryBuilder('p')
          .select('p.view', 'view')
          .addSelect('count(*)::integer', 'streams')
          .addSelect('sum(p.up_to_revision - p.from_revision + 1)::integer', 'events')
          .groupBy('p.view')
          .getRawMany<{ view: string; streams: number; events: number }>(),
      ]);
      return checkpoints.map(({ view, position, recordedAt }) => {
        const parkedHere = waiting.find((each) => each.view === view);
        return {
          view,
          position,
          recordedAt,
          behind: Math.max(0, toOrdinal(head.position) - toOrdinal(position)),
          parkedStreams: parkedHere?.streams ?? 0,
          parkedEvents: parkedHere?.events ?? 0,
        };
      });
    },
  };
}

/** Rows held in memory at once. */
const ROWS = 5_000;

function attainmentIn(manager: EntityManager): AttainmentSource {
  async function* pages(
    where: (query: SelectQueryBuilder<AttainmentEntity>) => SelectQueryBuilder<AttainmentEntity>,
  ): AsyncGenerator<AttainmentRow> {
    for (let after: string | null = null; ;) {
      const query = where(manager.createQueryBuilder(AttainmentEntity, 'a'));
      if (after !== null) query.andWhere('a.ticket > :after', { after });
      const rows: AttainmentEntity[] = await query.orderBy('a.ticket').limit(ROWS).getMany();
      yield* rows;
      if (rows.length < ROWS) return;
      after = rows.at(-1)!.ticket;
    }
  }
  return {
    now: async () => {
      const [{ now }] = await manager.query<[{ now: Date }]>('SELECT now()');
      return toInstant(now.getTime() / 1000);
    },
    tallies: async (month) => {
      const query = manager
        .createQueryBuilder(TallyEntity, 't')
        .where(`t.view = 'attainment' AND t.count <> 0`);
      // A month holds nothing that LIKE reads otherwise.
      if (month !== undefined) query.andWhere('t.subject LIKE :prefix', { prefix: `${month}/%` });
      return query.getMany();
    },
    waited: (months) =>
      pages((query) =>
        // Said again for the planner: the index holds only these.
        query.where(`a.waited_in <> '[]' AND a.waited_in ?| :months`, { months }),
      ),
    metSince: (at) => pages((query) => query.where('a.met_at >= :at', { at })),
  };
}
