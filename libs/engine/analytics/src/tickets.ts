import { TICKETS } from '#contracts';
import { followed, folding, opens, type Consumer, type Published, type Tally } from '#engine/feed';
import { never, type Instant } from '#kernel';

/** What is counted per day, tier and channel. */
export const MEASURES = [
  'opened',
  'answered',
  'resolved',
  'reopened',
  'merged',
  'first-response-breached',
  'resolution-breached',
  'other-breached',
] as const;
export type Measure = (typeof MEASURES)[number];

/** A promise that was broken and, as far as is known, stays so. */
export interface BrokenPromise {
  readonly clock: string;
  readonly cycle: number;
  readonly due: Instant;
}

/** One ticket as the measures see it: every instant that counts, so that each count can be taken back. */
export interface TicketMeasures {
  readonly ticket: string;
  /** Of the last message in it. */
  readonly revision: number;
  readonly tier: string;
  readonly channel: string;
  readonly standing: 'open' | 'done' | 'merged';
  readonly openedAt: Instant;
  /** Of the earliest public answer that was no automatic one. */
  readonly answeredAt: Instant | null;
  readonly resolvedAt: readonly Instant[];
  readonly reopenedAt: readonly Instant[];
  /** Only where it was open then. */
  readonly mergedAt: Instant | null;
  readonly breaches: readonly BrokenPromise[];
}

export interface AnalyticsOptions {
  /** IANA zone whose days are counted, and the version of its rules; for tables made now. */
  readonly zone: string;
  readonly tzdb: string;
  /** The civil day of an instant, `2026-11-24`. */
  readonly dayOf: (zone: string, tzdb: string, at: Instant) => string;
}

/**
 * Tickets opened, answered, resolved, reopened and breached per day, tier and channel.
 *
 * - A fact counts on the day on which it happened, in the zone of the tables, whenever it was told: a late one
 *   (imports, mail that lay about) changes a day that is past. A day's figures are final only in so far as
 *   nobody learns more of it.
 * - Tier and channel are those the ticket was opened with, so that a ticket stays in one column all its life.
 * - Answered: the earliest public answer that was not automatic. A late message can move it to an earlier day.
 * - Resolved and reopened count each time, so that over any days opened + reopened − resolved − merged is how
 *   many tickets more are open.
 * - A breach counts on the day of its due instant, one a promise and cycle. An annulled one is taken back where
 *   it was counted: it never was.
 * - A merged ticket keeps what was counted of it: somebody did ask, and was or was not answered, and no day
 *   that was reported changes because of a merge next week. It only leaves the open ones, as `merged`; one that
 *   was done when it was merged had left them already. Nothing is counted for the ticket that takes it in.
 * - `superseded` stands only in messages that nothing is counted from (who has it, what it is about, what it
 *   waits for).
 */
export function analytics({ zone, tzdb, dayOf }: AnalyticsOptions): Consumer<TicketMeasures> {
  return {
    name: 'analytics',
    version: 1,
    topics: [TICKETS],
    pinned: { zone, tzdb },
    digest: folding<TicketMeasures>({
      fold: measured,
      tallies: (row, { zone, tzdb }) => tallies(row, (at) => dayOf(zone!, tzdb!, at)),
    }),
  };
}

/** Codes may grow: what is not known yet is counted all the same. */
const breached: Readonly<Record<string, Measure>> = {
  'first-response': 'first-response-breached',
  resolution: 'resolution-breached',
};

function tallies(row: TicketMeasures, day: (at: Instant) => string): readonly Tally[] {
  const { tier, channel } = row;
  const at = (measure: Measure, when: Instant): Tally => ({ day: day(when), tier, channel, measure });
  return [
    at('opened', row.openedAt),
    ...(row.answeredAt === null ? [] : [at('answered', row.answeredAt)]),
    ...row.resolvedAt.map((when) => at('resolved', when)),
    ...row.reopenedAt.map((when) => at('reopened', when)),
    ...(row.mergedAt === null ? [] : [at('merged', row.mergedAt)]),
    ...row.breaches.map(({ clock, due }) => at(breached[clock] ?? 'other-breached', due)),
  ];
}

/** Adds one message to its ticket. */
export function measured(before: TicketMeasures | null, message: Published): TicketMeasures {
  const { revision } = message;
  const when = message.time as Instant;
  if (message.type === 'covenant.ticket-opened.v1') {
    opens(before, message);
    const { tier, channel } = message.data;
    return {
      ticket: message.subject,
      revision,
      tier,
      channel,
      standing: 'open',
      openedAt: when,
      answeredAt: null,
      resolvedAt: [],
      reopenedAt: [],
      mergedAt: null,
      breaches: [],
    };
  }
  const row = followed(before, message);
  const next = (changed: Partial<TicketMeasures>): TicketMeasures => ({ ...row, revision, ...changed });
  switch (message.type) {
    case 'covenant.ticket-message-sent.v1': {
      if (message.data.automatic) return row;
      const { answeredAt } = row;
      return next({ answeredAt: answeredAt === null || when < answeredAt ? when : answeredAt });
    }
    case 'covenant.ticket-resolved.v1':
      return next({ standing: 'done', resolvedAt: [...row.resolvedAt, when] });
    case 'covenant.ticket-reopened.v1':
      return next({ standing: 'open', reopenedAt: [...row.reopenedAt, when] });
    case 'covenant.ticket-merged.v1':
      return next({ standing: 'merged', mergedAt: row.standing === 'open' ? when : row.mergedAt });
    case 'covenant.promise-breached.v1': {
      const { clock, cycle, due } = message.data;
      return next({ breaches: [...row.breaches, { clock, cycle, due: due as Instant }] });
    }
    case 'covenant.breach-annulled.v1': {
      const { clock, cycle, due } = message.data;
      const stays = (b: BrokenPromise): boolean => b.clock !== clock || b.cycle !== cycle || b.due !== due;
      return next({ breaches: row.breaches.filter(stays) });
    }
    case 'covenant.ticket-message-received.v1':
    case 'covenant.ticket-classified.v1':
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
      return row;
    default:
      return never(message);
  }
}
