import { TICKETS } from '#contracts';
import { followed, folding, opens, type Consumer, type Published } from '#engine/feed';
import { never, type Instant } from '#kernel';

/** Where tickets without a category are counted. */
export const CATEGORYLESS = 'none';

/** A ticket as the knowledge base sees it. */
export interface Candidate {
  readonly ticket: string;
  /** Of the last message in it. */
  readonly revision: number;
  /** Said on the phone, `T-104233`. */
  readonly number: string;
  /** Opaque: the word lies sealed with the desk. */
  readonly category: string | null;
  readonly subcategory: string | null;
  readonly resolution: string | null;
  /** Of the last resolution; null while it is not resolved. */
  readonly resolvedAt: Instant | null;
  /** True once it goes on in another ticket: then it is none of its own. */
  readonly gone: boolean;
  /** Something may be learnt from how it was resolved. */
  readonly candidate: boolean;
}

/**
 * How a ticket must have been resolved for something to be learnt from it. `unspecified` is what imports say
 * that know no more; what was withdrawn, could not be reproduced or was a duplicate has no answer in it, and of
 * a code that came later nobody knows.
 */
const TEACHING: ReadonlySet<string> = new Set(['solved', 'workaround', 'unspecified']);

/**
 * Resolved tickets by category, as candidates for articles: withdrawn when reopened, gone when they go on in
 * another ticket. The surviving ticket stands for itself. A classification that something later had replaced
 * already when it was told (`superseded`) changes nothing. Closing files what is resolved; it stays a candidate.
 */
export const knowledge: Consumer<Candidate> = {
  name: 'knowledge',
  version: 1,
  topics: [TICKETS],
  pinned: {},
  digest: folding<Candidate>({
    fold: noted,
    tallies: ({ candidate, category }) => (candidate ? [{ category: category ?? CATEGORYLESS }] : []),
  }),
};

/** Adds one message to its ticket. */
export function noted(before: Candidate | null, message: Published): Candidate {
  const { revision } = message;
  if (message.type === 'covenant.ticket-opened.v1') {
    opens(before, message);
    return {
      ticket: message.subject,
      revision,
      number: message.data.number,
      category: null,
      subcategory: null,
      resolution: null,
      resolvedAt: null,
      gone: false,
      candidate: false,
    };
  }
  const row = followed(before, message);
  const next = (changed: Partial<Candidate>): Candidate => {
    const now = { ...row, revision, ...changed };
    const { gone, resolvedAt, resolution } = now;
    return {
      ...now,
      candidate: !gone && resolvedAt !== null && resolution !== null && TEACHING.has(resolution),
    };
  };
  switch (message.type) {
    case 'covenant.ticket-classified.v1': {
      const { category, subcategory, superseded } = message.data;
      return superseded ? row : next({ category, subcategory });
    }
    case 'covenant.ticket-resolved.v1':
      return next({ resolution: message.data.resolution, resolvedAt: message.time as Instant });
    case 'covenant.ticket-reopened.v1':
      return next({ resolution: null, resolvedAt: null });
    case 'covenant.ticket-merged.v1':
      return next({ gone: true });
    case 'covenant.ticket-message-received.v1':
    case 'covenant.ticket-message-sent.v1':
    case 'covenant.ticket-prioritised.v1':
    case 'covenant.ticket-retargeted.v1':
    case 'covenant.ticket-assigned.v1':
    case 'covenant.ticket-held.v1':
    case 'covenant.ticket-resumed.v1':
    case 'covenant.ticket-handed-to-vendor.v1':
    case 'covenant.ticket-taken-back.v1':
    case 'covenant.ticket-escalated.v1':
    case 'covenant.ticket-closed.v1':
    case 'covenant.ticket-absorbed.v1':
    case 'covenant.ticket-rated.v1':
    case 'covenant.promise-breached.v1':
    case 'covenant.breach-annulled.v1':
      return row;
    default:
      return never(message);
  }
}
