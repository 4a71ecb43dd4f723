import { randomBytes } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { messageSchema, schemaId, TICKETS, TOPICS, type TicketMessage } from '#contracts';
import type { Check, Delivery, Publication, Published } from '#engine/feed';
import { START, toInstant, toPosition, uuidV7, type Position, type Uuid } from '#kernel';

export const freshId = (): Uuid => uuidV7(Date.now(), randomBytes(10));
export const SOURCE = `/covenant/logs/${freshId()}`;

const ajv = new Ajv2020({ allowUnionTypes: true, formats: { 'date-time': true } });
const validators = new Map(
  TOPICS.flatMap((topic) =>
    Object.keys(topic.messages).map((type) => [type, ajv.compile(messageSchema(topic, type))] as const),
  ),
);

/** By the published schemas, as the edge checks. */
export const check: Check = (type, value) => {
  const valid = validators.get(type)!;
  if (valid(value)) return null;
  const { instancePath, keyword } = valid.errors![0]!;
  return `${instancePath} ${keyword}`;
};

/** 2026-11-23T09:00:00Z, a Monday. */
export const MONDAY = 1_795_424_400;

type DataOf<T extends TicketMessage['type']> = Extract<TicketMessage, { readonly type: T }>['data'];

/** The messages of one log, in its order: what happens in it happens at the end. */
export class Told {
  readonly messages: Published[] = [];
  private readonly revisions = new Map<string, number>();

  constructor(readonly source = SOURCE) {}

  /** @param after seconds since MONDAY */
  tell<T extends TicketMessage['type']>(ticket: Uuid, type: T, after: number, data: DataOf<T>): Published {
    const revision = (this.revisions.get(ticket) ?? -1) + 1;
    this.revisions.set(ticket, revision);
    const time = toInstant(MONDAY + after);
    const message = {
      specversion: '1.0',
      id: freshId(),
      source: this.source,
      type,
      subject: ticket,
      time,
      datacontenttype: 'application/json',
      dataschema: schemaId(type),
      position: toPosition(this.messages.length + 1),
      revision,
      recordedat: `${time.slice(0, 19)}.000000Z`,
      data,
    } as unknown as Published;
    this.messages.push(message);
    return message;
  }

  opens(ticket: Uuid = freshId(), after = 0, more: Partial<DataOf<'covenant.ticket-opened.v1'>> = {}): Uuid {
    this.tell(ticket, 'covenant.ticket-opened.v1', after, {
      number: `T-${1000 + this.messages.length}`,
      channel: 'phone',
      tier: 'base',
      priority: 3,
      customer: null,
      late: false,
      promises: [],
      ...more,
    });
    return ticket;
  }

  answers(ticket: Uuid, after: number, automatic = false): void {
    this.tell(ticket, 'covenant.ticket-message-sent.v1', after, {
      channel: 'e-mail',
      automatic,
      late: false,
      promises: [],
    });
  }

  classifies(ticket: Uuid, category: Uuid, after = 0, superseded = false): void {
    this.tell(ticket, 'covenant.ticket-classified.v1', after, {
      category,
      subcategory: null,
      service: null,
      ...(superseded && { superseded }),
      late: superseded,
    });
  }

  resolves(
    ticket: Uuid,
    after: number,
    resolution: DataOf<'covenant.ticket-resolved.v1'>['resolution'] = 'solved',
  ): void {
    this.tell(ticket, 'covenant.ticket-resolved.v1', after, { resolution, late: false, promises: [] });
  }

  reopens(ticket: Uuid, after: number): void {
    this.tell(ticket, 'covenant.ticket-reopened.v1', after, { mode: 'resume', late: false, promises: [] });
  }

  merges(ticket: Uuid, into: Uuid, after: number): void {
    this.tell(ticket, 'covenant.ticket-merged.v1', after, { into, late: false, promises: [] });
    this.tell(into, 'covenant.ticket-absorbed.v1', after, { duplicate: ticket, late: false, promises: [] });
  }

  breaches(ticket: Uuid, after: number, clock: 'first-response' | 'resolution' = 'resolution'): void {
    this.tell(ticket, 'covenant.promise-breached.v1', after, {
      clock,
      cycle: 1,
      due: toInstant(MONDAY + after),
      target: 3600,
      policy: 'default@1',
    });
  }

  annuls(ticket: Uuid, after: number, clock: 'first-response' | 'resolution' = 'resolution'): void {
    this.tell(ticket, 'covenant.breach-annulled.v1', after, {
      clock,
      cycle: 1,
      due: toInstant(MONDAY + after),
    });
  }

  /** A working day: every kind of happening that a consumer counts, on several tickets. */
  day(tickets = 12): void {
    const ids = Array.from({ length: tickets }, (_, n) =>
      this.opens(freshId(), n * 60, {
        channel: n % 2 === 0 ? 'phone' : 'e-mail',
        tier: n % 3 === 0 ? 'vip' : 'base',
      }),
    );
    const categories = [freshId(), freshId()];
    for (const [n, id] of ids.entries()) {
      if (n % 4 !== 3) this.classifies(id, categories[n % 2]!, 4000 + n);
      if (n % 5 === 0) this.breaches(id, 5000 + n);
      this.answers(id, 6000 + n, n % 6 === 5);
      if (n % 3 !== 2) this.resolves(id, 7000 + n, n % 7 === 6 ? 'withdrawn' : 'solved');
      if (n % 6 === 1) this.reopens(id, 90_000 + n);
      if (n % 10 === 0) this.annuls(id, 5000 + n);
    }
    for (let n = 2; n + 1 < tickets; n += 6) this.merges(ids[n]!, ids[n + 1]!, 95_000 + n);
  }

  /** As a feed’s own log: all of it, in pages of seven. */
  get publication(): Publication {
    const { messages, source } = this;
    return {
      source,
      pages: async function* (after: Position) {
        let at = after === START ? 0 : Number(after);
        while (at < messages.length) {
          const page = messages.slice(at, at + 7);
          at += page.length;
          yield { records: page.map((message) => recordOf(message, { message })), position: toPosition(at) };
        }
      },
    };
  }
}

/** A message as it lies in a topic. */
export const recordOf = (message: Published, more: Partial<Delivery> = {}): Delivery => ({
  topic: TICKETS.name,
  partition: 0,
  offset: message.position,
  key: message.subject,
  value: JSON.stringify(message),
  ...more,
});
