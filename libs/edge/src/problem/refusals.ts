import type { TicketRefusalCode } from '#domain/desk';
import type { PolicyRefusalCode } from '#domain/sla';
import type { Event, Refusal } from '#kernel';
import type { Outcome } from '#engine/store';
import { notFound, Problem } from './problem.js';

/** What a refused command answers with: the only place where a refusal meets HTTP. */
const TICKET: Readonly<Record<TicketRefusalCode, 400 | 403 | 404 | 409>> = {
  'unknown-ticket': 404,
  'before-opening': 409,
  'already-open': 409,
  'already-resolved': 409,
  'not-resolved': 409,
  'already-closed': 409,
  closed: 409,
  merged: 409,
  'merge-pending': 409,
  'merge-with-itself': 400,
  'no-merge-pending': 409,
  'handover-pending': 409,
  'no-handover-pending': 409,
  'not-yours-to-answer': 403,
  'handover-to-nobody': 400,
  'not-on-hold': 409,
  'with-vendor': 409,
  'not-with-vendor': 409,
  'not-the-requester': 403,
  'bad-score': 400,
  'link-to-itself': 400,
};

const POLICY: Readonly<Record<PolicyRefusalCode, 400 | 403 | 404 | 409>> = {
  'unknown-proposal': 404,
  'proposal-exists': 409,
  'proposal-withdrawn': 409,
  'proposal-activated': 409,
  'activation-by-author': 403,
  'effective-in-past': 400,
  'bad-policy': 400,
};

export type RefusalCode = TicketRefusalCode | PolicyRefusalCode;

export const REFUSAL_STATUS: Readonly<Record<RefusalCode, 400 | 403 | 404 | 409>> = {
  ...TICKET,
  ...POLICY,
};

export function refused(refusal: Refusal<RefusalCode>): Problem {
  const status = REFUSAL_STATUS[refusal.code];
  return status === 404 ? notFound() : Problem.refusal(refusal.code, status, refusal.detail);
}

type Accepted<S, E extends Event, R extends Refusal> = Extract<
  Outcome<S, E, R>,
  { readonly outcome: 'accepted' }
>;

/** The accepted outcome of a command. @throws Problem for every other one */
export function accepted<S, E extends Event, R extends Refusal<RefusalCode>>(
  outcome: Outcome<S, E, R>,
): Accepted<S, E, R> {
  switch (outcome.outcome) {
    case 'accepted':
      return outcome;
    case 'refused':
      throw refused(outcome.refusal);
    case 'stale':
      throw Problem.of('stale', `It is at "${outcome.etag}" now; read it again and decide anew.`, {
        headers: { etag: etagOf(outcome.etag) },
      });
    case 'key-reused':
      throw Problem.of('key-reused', 'This Idempotency-Key was used for a request with another body.');
    case 'in-future':
      throw Problem.of('in-future', `occurredAt is later than now, ${outcome.now}.`);
  }
}

/** The strong entity tag of an aggregate, `"7"`. */
export const etagOf = (etag: number): string => `"${etag}"`;
