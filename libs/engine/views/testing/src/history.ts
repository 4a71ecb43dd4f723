import { randomBytes } from 'node:crypto';
import type { QueueEvent, TicketEvent } from '#domain/desk';
import type { PersonEvent } from '#domain/people';
import type { ClockRecord } from '#domain/sla';
import {
  DESK,
  HOUSE,
  instant,
  toPosition,
  uuidV7,
  type Actor,
  type Instant,
  type PersonId,
  type SealedText,
  type Uuid,
} from '#kernel';
import type { Noted } from '#engine/views';

export const freshId = (): Uuid => uuidV7(1_764_000_000_000, randomBytes(10));
const id = (n: number): Uuid => `00000000-0000-8000-8000-${n.toString(16).padStart(12, '0')}` as Uuid;

export const REQUESTER: PersonId = id(0x101);
export const AGENT: PersonId = id(0x102);
export const GROUP = id(0x201);
export const OTHER_GROUP = id(0x202);
export const VENDOR = id(0x301);
export const LOG = id(0x401);

export const at = (time: string): Instant => instant(`2026-11-24T${time}Z`);

export function clock(name: ClockRecord['clock'], changes: Partial<ClockRecord> = {}): ClockRecord {
  return {
    clock: name,
    cycle: 1,
    change: 'started',
    state: 'running',
    startedAt: at('09:00:00'),
    target: 14_400,
    consumed: 0,
    asOf: at('09:00:00'),
    due: name === 'first-response' ? at('13:00:00') : at('17:00:00'),
    reasons: [],
    breachedAt: null,
    policy: 'default@1',
    calendar: 'default@1',
    zone: 'UTC',
    tzdb: '2025c',
    ...changes,
  };
}

type DataOf<E extends { readonly type: string; readonly data: object }> = {
  readonly [T in E['type']]: Extract<E, { readonly type: T }>['data'];
};

/** One example of every fact about a ticket; a type without one does not compile. */
export const ticketSamples: DataOf<TicketEvent> = {
  'desk.ticket-opened.v1': {
    number: 'T-100001',
    channel: 'e-mail',
    requester: REQUESTER,
    customer: id(0x501),
    tier: 'base',
    priority: 3,
    externalReference: id(0x502),
    policy: 'default',
    importing: false,
    carriesMessages: true,
    clocks: [clock('first-response'), clock('resolution')],
  },
  'desk.message-received.v1': { author: REQUESTER, channel: 'e-mail', autoReply: false, clocks: [] },
  'desk.message-sent.v1': {
    author: AGENT,
    channel: 'e-mail',
    autoReply: false,
    clocks: [clock('first-response', { state: 'met', change: 'stopped', due: at('13:00:00') })],
  },
  'desk.note-added.v1': { author: AGENT },
  'desk.ticket-classified.v1': { category: id(0x601), subcategory: id(0x602), service: id(0x603) },
  'desk.ticket-prioritised.v1': {
    priority: 1,
    from: 3,
    policy: 'default@1',
    clocks: [clock('first-response', { due: at('10:00:00') }), clock('resolution', { due: at('13:00:00') })],
  },
  'desk.ticket-retargeted.v1': {
    policy: 'default@2',
    clocks: [
      clock('first-response', { change: 'retargeted', due: at('11:00:00') }),
      clock('resolution', { change: 'retargeted', due: at('14:00:00') }),
    ],
  },
  'desk.ticket-assigned.v1': { group: GROUP, agent: AGENT },
  'desk.handover-offered.v1': { handover: id(0x701), group: OTHER_GROUP, agent: AGENT },
  'desk.handover-accepted.v1': { handover: id(0x701), group: OTHER_GROUP, agent: AGENT },
  'desk.handover-declined.v1': { handover: id(0x701) },
  'desk.handover-withdrawn.v1': { handover: id(0x701), because: 'reassigned' },
  'desk.ticket-held.v1': {
    reason: 'requester',
    clocks: [
      clock('resolution', {
        state: 'paused',
        change: 'paused',
        due: null,
        reasons: ['requester'],
        asOf: at('10:00:00'),
      }),
    ],
  },
  'desk.ticket-resumed.v1': {
    reason: 'requester',
    because: 'asked',
    clocks: [clock('resolution', { change: 'resumed', due: at('17:30:00') })],
  },
  'desk.ticket-handed-to-vendor.v1': { vendor: VENDOR, vendorReference: id(0x302), clocks: [] },
  'desk.ticket-taken-back.v1': { vendor: VENDOR, clocks: [] },
  'desk.ticket-escalated.v1': { level: 1 },
  'desk.ticket-resolved.v1': {
    resolution: 'solved',
    clocks: [clock('resolution', { state: 'met', change: 'stopped' })],
  },
  'desk.ticket-reopened.v1': {
    mode: 'resume',
    clocks: [clock('resolution', { change: 'reopened', due: at('18:00:00') })],
  },
  'desk.ticket-closed.v1': {},
  'desk.merge-begun.v1': { merge: id(0x801), duplicate: id(0x802) },
  'desk.ticket-merged.v1': {
    merge: id(0x801),
    into: id(0x803),
    clocks: [clock('resolution', { state: 'merged', change: 'ended', due: null })],
  },
  'desk.merge-completed.v1': { merge: id(0x801), duplicate: id(0x802), clocks: [] },
  'desk.merge-withdrawn.v1': { merge: id(0x801), because: 'closed' },
  'desk.tickets-linked.v1': { other: id(0x804), kind: 'relates-to' },
  'desk.ticket-rated.v1': { score: 5 },
  'desk.case-imported.v1': { mapping: 'servicenow@1', rows: [id(0x901)] },
  'sla.clock-breached.v1': {
    clock: 'first-response',
    cycle: 1,
    due: at('13:00:00'),
    target: 14_400,
    policy: 'default@1',
  },
  'sla.clock-warned.v1': {
    clock: 'first-response',
    cycle: 1,
    numerator: 1,
    denominator: 2,
    at: at('11:00:00'),
    due: at('13:00:00'),
    target: 14_400,
    policy: 'default@1',
  },
  'sla.warning-annulled.v1': {
    clock: 'first-response',
    cycle: 1,
    numerator: 1,
    denominator: 2,
    at: at('11:00:00'),
    cause: 'desk.message-sent.v1',
  },
  'sla.breach-annulled.v1': {
    clock: 'first-response',
    cycle: 1,
    due: at('13:00:00'),
    cause: 'desk.message-sent.v1',
  },
  'house.command-noted.v1': {},
};

export const queueSamples: DataOf<QueueEvent> = {
  'desk.queue-defined.v1': { group: GROUP },
  'house.command-noted.v1': {},
};

export const personSamples: DataOf<PersonEvent> = {
  'people.person-named.v1': { digest: id(0xa01) },
  'house.command-noted.v1': {},
};

type Told = TicketEvent | QueueEvent | PersonEvent;

export interface Telling {
  readonly occurredAt?: Instant;
  readonly actor?: Actor;
  readonly sealed?: SealedText;
  readonly key?: { readonly id: string; readonly body: string };
}

/** A log in the making: each fact told gets the next revision of its stream and the next position. */
export class History {
  readonly events: Noted[] = [];
  private readonly revisions = new Map<string, number>();

  tell<E extends Told>(stream: string, type: E['type'], data: object, telling: Telling = {}): Noted {
    const revision = (this.revisions.get(stream) ?? -1) + 1;
    this.revisions.set(stream, revision);
    const event = {
      type,
      data,
      id: freshId(),
      stream,
      revision,
      position: toPosition(this.events.length + 1),
      occurredAt: telling.occurredAt ?? at('09:00:00'),
      recordedAt: 1_764_000_000_000_000 + this.events.length,
      actor: telling.actor ?? { id: AGENT, role: 'agent' },
      correlation: 'told',
      engine: '1',
      sealed: telling.sealed ?? { [REQUESTER]: 'cmVxdWVzdGVy', [DESK]: 'ZGVzaw==' },
      ...(telling.key && { key: telling.key }),
    } as unknown as Noted;
    this.events.push(event);
    return event;
  }

  /** A fact about a ticket by its sample, with changes. */
  ticket<T extends TicketEvent['type']>(
    stream: string,
    type: T,
    changes: Partial<DataOf<TicketEvent>[T]> = {},
    telling: Telling = {},
  ): Noted {
    return this.tell<TicketEvent>(stream, type, { ...ticketSamples[type], ...changes }, telling);
  }
}

export const house: Actor = { id: HOUSE, role: 'system' };
export const freshTicket = (): string => `ticket-${freshId()}`;
