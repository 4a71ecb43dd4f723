import type { TicketRefusalCode } from '#domain/desk';
import type { Operation } from '#domain/access';
import type { TicketCommandName } from './ticket-commands.js';
import {
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
  PrioritiseRequest,
  RateRequest,
  ReopenRequest,
  ResolveRequest,
  ResumeRequest,
  TakeBackRequest,
} from './ticket-requests.js';

export interface TicketRoute {
  readonly operation: Operation;
  readonly summary: string;
  readonly about?: string;
  readonly request: new () => object;
  readonly status?: 201;
  /** Codes it may be refused with, beside `unknown-ticket`. */
  readonly refusals: readonly TicketRefusalCode[];
}

const KEPT = ['merged', 'before-opening'] as const;
const LIVE = [...KEPT, 'closed'] as const;
const WORKED_ON = [...LIVE, 'already-resolved'] as const;

/** The commands on a ticket that exists, `POST /v1/tickets/{id}/<name>`, each with its row of the access table. */
export const ticketRoutes: Readonly<Record<TicketCommandName, TicketRoute>> = {
  messages: {
    operation: 'tickets.message',
    summary: 'Say something on a ticket',
    about:
      'A public answer of the desk ends first response. The word of the requester ends the wait for it. A note is internal.',
    request: AddMessageRequest,
    status: 201,
    refusals: LIVE,
  },
  assign: {
    operation: 'tickets.assign',
    summary: 'Make a group, an agent or both responsible',
    about: 'The ticket waits in the queue of its group; agents take a ticket by assigning it to themselves.',
    request: AssignRequest,
    refusals: WORKED_ON,
  },
  handover: {
    operation: 'tickets.handover',
    summary: 'Offer a ticket to a group or an agent',
    about: 'The sender stays accountable until it is accepted.',
    request: HandoverRequest,
    refusals: [...WORKED_ON, 'handover-pending', 'handover-to-nobody'],
  },
  'accept-handover': {
    operation: 'tickets.accept-handover',
    summary: 'Accept the pending hand-over',
    request: AcceptHandoverRequest,
    refusals: [...WORKED_ON, 'no-handover-pending', 'not-yours-to-answer'],
  },
  'decline-handover': {
    operation: 'tickets.decline-handover',
    summary: 'Decline the pending hand-over',
    request: DeclineHandoverRequest,
    refusals: [...WORKED_ON, 'no-handover-pending', 'not-yours-to-answer'],
  },
  hold: {
    operation: 'tickets.hold',
    summary: 'Put a ticket on hold',
    about: 'Reasons are a set; which of them pause which promise is the policy’s to say.',
    request: HoldRequest,
    refusals: WORKED_ON,
  },
  resume: {
    operation: 'tickets.resume',
    summary: 'Stop waiting',
    request: ResumeRequest,
    refusals: [...WORKED_ON, 'not-on-hold'],
  },
  escalate: {
    operation: 'tickets.escalate',
    summary: 'Ask somebody above to look',
    request: EscalateRequest,
    refusals: WORKED_ON,
  },
  prioritise: {
    operation: 'tickets.prioritise',
    summary: 'Change the priority',
    about: 'Promises are re-targeted.',
    request: PrioritiseRequest,
    refusals: WORKED_ON,
  },
  classify: {
    operation: 'tickets.classify',
    summary: 'Say what it is about',
    request: ClassifyRequest,
    refusals: LIVE,
  },
  'hand-to-vendor': {
    operation: 'tickets.hand-to-vendor',
    summary: 'Hand to a vendor',
    request: HandToVendorRequest,
    refusals: [...WORKED_ON, 'with-vendor'],
  },
  'take-back': {
    operation: 'tickets.take-back',
    summary: 'Take back from the vendor',
    request: TakeBackRequest,
    refusals: [...WORKED_ON, 'not-with-vendor'],
  },
  resolve: {
    operation: 'tickets.resolve',
    summary: 'Hold it done',
    about: 'Without a public answer before it, first response ends as not applicable.',
    request: ResolveRequest,
    refusals: WORKED_ON,
  },
  reopen: {
    operation: 'tickets.reopen',
    summary: 'It was not done',
    about: 'Within the policy’s window the resolution promise goes on, after it a new one begins.',
    request: ReopenRequest,
    refusals: [...KEPT, 'not-resolved'],
  },
  close: {
    operation: 'tickets.close',
    summary: 'File a resolved ticket',
    request: CloseRequest,
    refusals: [...KEPT, 'already-closed', 'not-resolved'],
  },
  merge: {
    operation: 'tickets.merge',
    summary: 'Merge a duplicate into this ticket',
    about:
      'Begins the merge on this ticket; the duplicate joins a moment later, or the merge is withdrawn where it refuses (its timeline says why).',
    request: MergeRequest,
    refusals: [...LIVE, 'merge-pending', 'merge-with-itself'],
  },
  link: {
    operation: 'tickets.link',
    summary: 'Link to another ticket',
    about: 'Stands in both a moment later.',
    request: LinkRequest,
    refusals: [...KEPT, 'link-to-itself'],
  },
  rate: {
    operation: 'tickets.rate',
    summary: 'Rate a ticket that one asked for',
    request: RateRequest,
    refusals: [...KEPT, 'not-resolved', 'not-the-requester', 'bad-score'],
  },
};
