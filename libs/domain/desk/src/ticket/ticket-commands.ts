import type { HoldReason, ClockRecord, Policies, Priority } from '#domain/sla';
import type { Actor, Instant, PersonId, Refusal, Term, Uuid } from '#kernel';
import type { Channel, LinkKind, Resolution, StatedTime, Tier } from './ticket-events.js';

/** What every command on a ticket carries. Texts are plain here: decide knows whose file they belong to. */
interface Common {
  readonly occurredAt: Instant;
  readonly by: Actor;
  readonly policies: Policies;
}

export interface OpenTicket extends Common {
  readonly type: 'open-ticket';
  readonly number: string;
  readonly channel: Channel;
  readonly requester: PersonId;
  readonly customer?: Term;
  /** `base` unless `integration` says otherwise (ruling 22); the handler sees to it. */
  readonly tier: Tier;
  /** 3 normal where nobody said (domain.md C.3). */
  readonly priority?: Priority;
  readonly subject: string;
  readonly text: string;
  readonly externalReference?: Term;
  /** Policy name, or `name@version` to pin it (imports, ruling 19). */
  readonly policy: string;
  /** A history is being taken in; `note-import` closes it (ruling 17). */
  readonly importing: boolean;
  /** False where the source’s history has no messages (ruling 9). */
  readonly carriesMessages: boolean;
}

export interface AddMessage extends Common {
  readonly type: 'add-message';
  readonly kind: 'received' | 'sent' | 'note';
  readonly channel: Channel;
  readonly autoReply: boolean;
  readonly text: string;
  /** Who said it, where that is not who records it. */
  readonly author?: PersonId;
}

export interface ClassifyTicket extends Common {
  readonly type: 'classify-ticket';
  readonly category: Term;
  readonly subcategory?: Term;
  readonly service?: Term;
}

export interface PrioritiseTicket extends Common {
  readonly type: 'prioritise-ticket';
  readonly priority: Priority;
}

/** A version of its policy is in force from `occurredAt` on, for open tickets too. */
export interface RetargetTicket extends Common {
  readonly type: 'retarget-ticket';
  /** `default@2`. */
  readonly policy: string;
}

/** Neither group nor agent: back to the intake. */
export interface AssignTicket extends Common {
  readonly type: 'assign-ticket';
  readonly group?: Term;
  readonly agent?: PersonId;
}

/** To a group, an agent, or an agent of a group; to neither is refused. */
export interface OfferHandover extends Common {
  readonly type: 'offer-handover';
  readonly handover: Uuid;
  readonly group?: Term;
  readonly agent?: PersonId;
  readonly reason: string;
}

export interface AcceptHandover extends Common {
  readonly type: 'accept-handover';
}

export interface DeclineHandover extends Common {
  readonly type: 'decline-handover';
  readonly reason: string;
}

export interface HoldTicket extends Common {
  readonly type: 'hold-ticket';
  readonly reason: HoldReason;
  readonly comment?: string;
}

/** Without a reason: all of them. */
export interface ResumeTicket extends Common {
  readonly type: 'resume-ticket';
  readonly reason?: HoldReason;
}

export interface HandToVendor extends Common {
  readonly type: 'hand-to-vendor';
  readonly vendor: Term;
  readonly vendorReference?: Term;
}

export interface TakeBack extends Common {
  readonly type: 'take-back';
}

export interface EscalateTicket extends Common {
  readonly type: 'escalate-ticket';
  readonly reason: string;
}

export interface ResolveTicket extends Common {
  readonly type: 'resolve-ticket';
  readonly resolution: Resolution;
  readonly comment?: string;
}

export interface ReopenTicket extends Common {
  readonly type: 'reopen-ticket';
  readonly reason?: string;
}

export interface CloseTicket extends Common {
  readonly type: 'close-ticket';
}

/** On the survivor. */
export interface MergeTicket extends Common {
  readonly type: 'merge-ticket';
  /** The survivor's own id. */
  readonly self: Uuid;
  readonly merge: Uuid;
  readonly duplicate: Uuid;
}

/** On the duplicate, by the merging flow. */
export interface JoinTicket extends Common {
  readonly type: 'join-ticket';
  readonly merge: Uuid;
  readonly into: Uuid;
}

/** On the survivor, by the merging flow, once the duplicate has joined: with the duplicate’s clocks as they stood. */
export interface CompleteMerge extends Common {
  readonly type: 'complete-merge';
  readonly merge: Uuid;
  readonly duplicate: Uuid;
  readonly mergedAt: Instant;
  readonly clocks: readonly ClockRecord[];
}

export const MERGE_REFUSALS = [
  'closed',
  'already-merged',
  'merge-pending',
  'unknown-ticket',
  'mutual',
] as const;

/** On the survivor, by the merging flow, where the duplicate refused. */
export interface WithdrawMerge extends Common {
  readonly type: 'withdraw-merge';
  readonly merge: Uuid;
  readonly because: (typeof MERGE_REFUSALS)[number];
}

export interface LinkTicket extends Common {
  readonly type: 'link-ticket';
  /** The ticket's own id. */
  readonly self: Uuid;
  readonly other: Uuid;
  readonly kind: LinkKind;
}

export interface RateTicket extends Common {
  readonly type: 'rate-ticket';
  readonly score: number;
  readonly comment?: string;
}

/** Closes an import of the case up to these rows (ruling 17). */
export interface NoteImport extends Common {
  readonly type: 'note-import';
  /** `servicenow@1`. */
  readonly mapping: string;
  readonly rows: readonly Uuid[];
  /** What the source itself says of its times. */
  readonly stated?: readonly { readonly what: StatedTime; readonly at: Instant }[];
}

export type TicketCommand =
  | OpenTicket
  | AddMessage
  | ClassifyTicket
  | PrioritiseTicket
  | RetargetTicket
  | AssignTicket
  | OfferHandover
  | AcceptHandover
  | DeclineHandover
  | HoldTicket
  | ResumeTicket
  | HandToVendor
  | TakeBack
  | EscalateTicket
  | ResolveTicket
  | ReopenTicket
  | CloseTicket
  | MergeTicket
  | JoinTicket
  | CompleteMerge
  | WithdrawMerge
  | LinkTicket
  | RateTicket
  | NoteImport;

/** Why a command on a ticket is refused; the edge maps the codes to HTTP. */
export const TICKET_REFUSALS = [
  /** There is no such ticket. */
  'unknown-ticket',
  /** Before the ticket was opened. */
  'before-opening',
  'already-open',
  'already-resolved',
  'not-resolved',
  'already-closed',
  /** Closed: only reopening, rating, linking and notes remain. */
  'closed',
  /** It goes on in another ticket. */
  'merged',
  'merge-pending',
  'merge-with-itself',
  'no-merge-pending',
  'handover-pending',
  'no-handover-pending',
  /** Offered to somebody else. */
  'not-yours-to-answer',
  'handover-to-nobody',
  'not-on-hold',
  'with-vendor',
  'not-with-vendor',
  /** Only who asked may rate. */
  'not-the-requester',
  'bad-score',
  'link-to-itself',
] as const;
export type TicketRefusalCode = (typeof TICKET_REFUSALS)[number];
export type TicketRefusal = Refusal<TicketRefusalCode>;
