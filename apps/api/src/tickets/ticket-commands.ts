import type { OpenTicket, TicketCommand } from '#domain/desk';
import type { Policies } from '#domain/sla';
import type { Actor, Instant, PersonId, Term, Uuid } from '#kernel';
import type { Identities, TermKind } from '#engine/identity';
import { ISSUER } from '#edge';
import type {
  AcceptHandoverRequest,
  AddMessageRequest,
  AssignRequest,
  ClassifyRequest,
  CloseRequest,
  DeclineHandoverRequest,
  EscalateRequest,
  HandoverRequest,
  HandToVendorRequest,
  HoldRequest,
  LinkRequest,
  MergeRequest,
  OpenTicketRequest,
  PersonGiven,
  PrioritiseRequest,
  RateRequest,
  ReopenRequest,
  ResolveRequest,
  ResumeRequest,
  TakeBackRequest,
} from './ticket-requests.js';

/** What a request's command is made of beside its body; pure values, taken once and kept across conflict retries. */
export interface Around {
  readonly ticket: Uuid;
  readonly by: Actor;
  /** The account that a caller of role customer speaks for. */
  readonly customer?: string;
  readonly policies: Policies;
  readonly identities: Identities;
  /** Who asked for the ticket; absent while it is being opened. */
  readonly requester?: PersonId;
  /** Id of what the command begins beside the ticket: a hand-over, a merge, a person known by name alone. */
  readonly begun: Uuid;
}

/** The service-level policy of everything that comes in over HTTP (ruling 46). */
const POLICY = 'default';

type Build<Request> = (request: Request, around: Around) => (occurredAt: Instant) => TicketCommand;

const term = ({ identities }: Around, kind: TermKind, text: string): Term => identities.term(kind, text);

/** Staff are known by the subject of their token (ruling 33); letter case does not count. */
export const staff = (identities: Pick<Identities, 'person'>, subject: string): PersonId =>
  identities.person(ISSUER, subject.trim().toLowerCase());

/** An address makes a person; a name alone makes one for this ticket only, since two people share it easily. */
export const personOf = (
  { email }: PersonGiven,
  { identities, begun }: Pick<Around, 'identities' | 'begun'>,
): PersonId => (email === undefined ? begun : identities.personByAddress(email));

const common = ({ by, policies }: Around, occurredAt: Instant) => ({ occurredAt, by, policies });

export function openTicket(
  request: OpenTicketRequest,
  around: Around,
  number: string,
): (occurredAt: Instant) => OpenTicket {
  const { by, policies } = around;
  const { channel, subject, text, tier = 'base', priority, externalReference: reference } = request;
  const account = around.customer ?? request.customer;
  const requester = request.requester ? personOf(request.requester, around) : by.id;
  // Absent fields stand here as undefined, which a command does not tell apart: spreading them in costs more
  // than all the rest of it, and opening is what a desk does most.
  const customer = account === undefined ? undefined : term(around, 'customer', account);
  const externalReference =
    reference === undefined ? undefined : term(around, 'external-reference', reference);
  return (occurredAt) =>
    ({
      type: 'open-ticket',
      occurredAt,
      by,
      policies,
      number,
      channel,
      requester,
      customer,
      tier,
      priority,
      subject,
      text,
      externalReference,
      policy: POLICY,
      importing: false,
      carriesMessages: true,
    }) as OpenTicket;
}

/** Body to command, by the last segment of the route; ticket-routes.ts says the rest of them. */
export const ticketCommands = {
  messages: (request, around) => (occurredAt) => {
    const kind = request.kind ?? (around.by.role === 'customer' ? 'received' : 'sent');
    const author = request.author
      ? personOf(request.author, around)
      : kind === 'received'
        ? around.by.role === 'customer'
          ? around.by.id
          : around.requester
        : undefined;
    return {
      ...common(around, occurredAt),
      type: 'add-message',
      kind,
      channel: request.channel ?? (kind === 'note' ? 'note' : 'web'),
      autoReply: request.autoReply ?? false,
      text: request.text,
      ...(author !== undefined && { author }),
    };
  },
  assign:
    ({ group, agent }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'assign-ticket',
      ...(group !== undefined && { group: term(around, 'group', group) }),
      ...(agent !== undefined && { agent: staff(around.identities, agent) }),
    }),
  handover:
    ({ group, agent, reason }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'offer-handover',
      handover: around.begun,
      ...(group !== undefined && { group: term(around, 'group', group) }),
      ...(agent !== undefined && { agent: staff(around.identities, agent) }),
      reason,
    }),
  'accept-handover': (_, around) => (occurredAt) => ({
    ...common(around, occurredAt),
    type: 'accept-handover',
  }),
  'decline-handover':
    ({ reason }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'decline-handover',
      reason,
    }),
  hold:
    ({ reason, comment }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'hold-ticket',
      reason,
      ...(comment !== undefined && { comment }),
    }),
  resume:
    ({ reason }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'resume-ticket',
      ...(reason !== undefined && { reason }),
    }),
  escalate:
    ({ reason }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'escalate-ticket',
      reason,
    }),
  prioritise:
    ({ priority }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'prioritise-ticket',
      priority,
    }),
  classify:
    ({ category, subcategory, service }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'classify-ticket',
      category: term(around, 'category', category),
      ...(subcategory !== undefined && { subcategory: term(around, 'subcategory', subcategory) }),
      ...(service !== undefined && { service: term(around, 'service', service) }),
    }),
  'hand-to-vendor':
    ({ vendor, vendorReference }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'hand-to-vendor',
      vendor: term(around, 'vendor', vendor),
      ...(vendorReference !== undefined && {
        vendorReference: term(around, 'vendor-reference', vendorReference),
      }),
    }),
  'take-back': (_, around) => (occurredAt) => ({ ...common(around, occurredAt), type: 'take-back' }),
  resolve:
    ({ resolution, comment }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'resolve-ticket',
      resolution: resolution ?? 'unspecified',
      ...(comment !== undefined && { comment }),
    }),
  reopen:
    ({ reason }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'reopen-ticket',
      ...(reason !== undefined && { reason }),
    }),
  close: (_, around) => (occurredAt) => ({ ...common(around, occurredAt), type: 'close-ticket' }),
  merge:
    ({ duplicate }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'merge-ticket',
      self: around.ticket,
      merge: around.begun,
      duplicate: duplicate as Uuid,
    }),
  link:
    ({ other, kind }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'link-ticket',
      self: around.ticket,
      other: other as Uuid,
      kind: kind ?? 'relates-to',
    }),
  rate:
    ({ score, comment }, around) =>
    (occurredAt) => ({
      ...common(around, occurredAt),
      type: 'rate-ticket',
      score,
      ...(comment !== undefined && { comment }),
    }),
} as const satisfies {
  readonly messages: Build<AddMessageRequest>;
  readonly assign: Build<AssignRequest>;
  readonly handover: Build<HandoverRequest>;
  readonly 'accept-handover': Build<AcceptHandoverRequest>;
  readonly 'decline-handover': Build<DeclineHandoverRequest>;
  readonly hold: Build<HoldRequest>;
  readonly resume: Build<ResumeRequest>;
  readonly escalate: Build<EscalateRequest>;
  readonly prioritise: Build<PrioritiseRequest>;
  readonly classify: Build<ClassifyRequest>;
  readonly 'hand-to-vendor': Build<HandToVendorRequest>;
  readonly 'take-back': Build<TakeBackRequest>;
  readonly resolve: Build<ResolveRequest>;
  readonly reopen: Build<ReopenRequest>;
  readonly close: Build<CloseRequest>;
  readonly merge: Build<MergeRequest>;
  readonly link: Build<LinkRequest>;
  readonly rate: Build<RateRequest>;
};

export type TicketCommandName = keyof typeof ticketCommands;
