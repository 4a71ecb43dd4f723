import { shown, type Mask } from '#domain/access';
import { ticketEvents, type Explained, type Origin, type TicketEvent } from '#domain/desk';
import type { ClockRecord, LedgerLine } from '#domain/sla';
import {
  microsToText,
  sealedFields,
  type Actor,
  type Instant,
  type PersonId,
  type Position,
  type Recorded,
} from '#kernel';
import { INTAKE, shownToRequester, type LabelName, type PersonRow, type TimelineRow } from '#engine/views';
import type { Sealed } from '#engine/store';
import type { TicketShown } from '#adapters/views-postgres';
import type { Texts } from '../reading/texts.js';
import type { LedgerPage } from './ledger-pages.js';

/** Rows and stored events as answers: pure. Which fields a caller sees is the mask's to say. */

export type People = ReadonlyMap<PersonId, PersonRow>;

// ── Promises ────────────────────────────────────────────────────────────────────────────────────────────

export function promiseAnswer(mask: Mask, clock: ClockRecord): object {
  const { change: _, ...promise } = clock;
  return shown(mask, 'clock', promise);
}

/** Persons whom a page of a ledger names. */
export function* personsOfLedger({ lines }: LedgerPage): Generator<PersonId> {
  for (const line of lines) {
    if (line.source) yield line.source.by.id;
    if (line.kind === 'paused') for (const { source } of line.reasons) yield source.by.id;
  }
}

export function clockAnswer(
  mask: Mask,
  { standing, agrees }: Explained,
  { lines, next }: LedgerPage,
  people: People,
  texts: Texts,
): object {
  const ledger = lines.map((line) => lineAnswer(mask, line, people, texts));
  return shown(mask, 'clock', { ...standing, agrees, ledger, next });
}

function lineAnswer(mask: Mask, line: LedgerLine<Origin>, people: People, texts: Texts): object {
  const { source, ...rest } = line;
  const origin = (of: Origin) => ({
    event: of.event,
    revision: of.revision,
    type: of.type,
    by: actorAnswer(mask, of.by, people, texts),
  });
  return {
    ...rest,
    ...(rest.kind === 'paused' && {
      reasons: rest.reasons.map(({ reason, source }) => ({ reason, ...origin(source) })),
    }),
    ...(source ? origin(source) : { event: null, revision: null, type: null, by: null }),
  };
}

/** The promises that events changed, each as it stood after the last of them. */
function promisesOf(mask: Mask, events: readonly Recorded<TicketEvent>[]): object[] {
  const last = new Map<string, ClockRecord>();
  for (const { data } of events)
    if ('clocks' in data) for (const clock of data.clocks ?? []) last.set(clock.clock, clock);
  return [...last.values()].map((clock) => promiseAnswer(mask, clock));
}

// ── What commands answer: made of the stored events of the request's key alone (ruling 11) ──────────────

interface Done {
  readonly revision: number;
  readonly position: Position;
  readonly events: readonly Recorded<TicketEvent>[];
}

export function openedAnswer(mask: Mask, id: string, { revision, position, events }: Done): object {
  const opening = events.find((event) => event.type === 'desk.ticket-opened.v1');
  if (!opening) throw new Error(`the key that opened ${id} holds no opening`);
  return {
    id,
    number: opening.data.number,
    position,
    revision,
    promises: opening.data.clocks.map((clock) => promiseAnswer(mask, clock)),
  };
}

export function recordedAnswer(mask: Mask, id: string, { revision, position, events }: Done): object {
  const offered = events.find((event) => event.type === 'desk.handover-offered.v1');
  const begun = events.find((event) => event.type === 'desk.merge-begun.v1');
  return {
    id,
    position,
    revision,
    promises: promisesOf(mask, events),
    ...(offered && { handover: offered.data.handover }),
    ...(begun && { merge: begun.data.merge }),
  };
}

// ── Tickets ─────────────────────────────────────────────────────────────────────────────────────────────

/** Persons whom a ticket's page names. */
export function* personsOf(row: TicketShown): Generator<PersonId> {
  yield row.requester;
  if (row.agent) yield row.agent;
  if (row.handover) {
    yield row.handover.offeredBy;
    if (row.handover.agent) yield row.handover.agent;
  }
}

export function* blobsOf(row: TicketShown): Generator<Sealed | null> {
  yield row.subject;
  for (const label of Object.values(row.labels)) yield label;
}

export function personAnswer(id: PersonId, people: People, texts: Texts): object {
  const called = people.get(id)?.called;
  return { id, name: texts.field(called, 'name'), email: texts.field(called, 'email') };
}

function actorAnswer(mask: Mask, actor: Actor, people: People, texts: Texts): object {
  return shown(mask, 'actor', { ...actor, name: texts.field(people.get(actor.id)?.called, 'name') });
}

/** @param forgotten promises that have stood still since then or longer are a forgotten pause */
export function ticketAnswer(
  mask: Mask,
  row: TicketShown,
  people: People,
  texts: Texts,
  forgotten: Instant,
): object {
  const label = (name: LabelName): string | null => {
    const blob = row.labels[name];
    return blob ? texts.field(blob, blob.field) : null;
  };
  const named = (id: string | null, name: LabelName) => (id === null ? null : { id, name: label(name) });
  const person = (id: PersonId | null) => (id === null ? null : personAnswer(id, people, texts));
  return shown(mask, 'ticket', {
    id: row.id,
    number: row.number,
    revision: row.revision,
    status: row.status,
    channel: row.channel,
    tier: row.tier,
    priority: row.priority,
    subject: texts.field(row.subject, 'subject'),
    requester: personAnswer(row.requester, people, texts),
    customer: named(row.customer, 'customer'),
    queue: { id: row.queue, name: row.queue === INTAKE ? null : label('group') },
    group: named(row.group, 'group'),
    agent: person(row.agent),
    holds: row.holds,
    overdueSince: row.overdueSince,
    pausedSince: row.pausedSince,
    pauseForgotten: row.pausedSince !== null && row.pausedSince <= forgotten,
    vendor: named(row.vendor, 'vendor'),
    vendorReference: label('vendorReference'),
    category: named(row.category, 'category'),
    subcategory: named(row.subcategory, 'subcategory'),
    service: named(row.service, 'service'),
    externalReference: label('externalReference'),
    handover: row.handover && {
      id: row.handover.id,
      group: named(row.handover.group, 'handoverGroup'),
      agent: person(row.handover.agent),
      offeredAt: row.handover.offeredAt,
      offeredBy: personAnswer(row.handover.offeredBy, people, texts),
    },
    escalation: row.escalation,
    rating: row.rating,
    pendingMerge: row.pendingMerge,
    mergedInto: row.mergedInto,
    merged: row.merged,
    links: row.links,
    policy: row.policy,
    promises: row.clocks.map((clock) => promiseAnswer(mask, clock)),
    openedAt: row.openedAt,
    updatedAt: row.updatedAt,
    resolvedAt: row.resolvedAt,
    closedAt: row.closedAt,
  });
}

// ── Timeline ────────────────────────────────────────────────────────────────────────────────────────────

export function* blobsOfEntry(row: TimelineRow): Generator<Sealed> {
  for (const [of, blob] of Object.entries(row.sealed ?? {})) yield { of: of as PersonId, blob };
}

/** A line of the history, with what was typed into it; a text whose key was destroyed stands as null. */
export function entryAnswer(mask: Mask, row: TimelineRow, people: People, texts: Texts): object {
  const type = row.type as TicketEvent['type'];
  const fields = mask === 'all' ? null : (shownToRequester(type) ?? []);
  const seen = (things: Readonly<Record<string, unknown>>) =>
    fields === null
      ? things
      : Object.fromEntries(Object.entries(things).filter(([field]) => fields.includes(field)));
  const text: Record<string, string | null> = {};
  for (const blob of blobsOfEntry(row)) {
    const opened = texts.all(blob);
    if (opened) Object.assign(text, opened);
    else
      for (const { field, kind } of sealedFields(ticketEvents[type]))
        if (kind === 'text') text[field] ??= null;
  }
  return {
    revision: row.revision,
    position: row.position,
    type,
    occurredAt: row.occurredAt,
    recordedAt: microsToText(row.recordedAt),
    actor: actorAnswer(mask, row.actor, people, texts),
    data: seen(row.data as Readonly<Record<string, unknown>>),
    text: seen(text),
  };
}
