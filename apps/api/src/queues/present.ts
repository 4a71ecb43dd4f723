import type { Mask } from '#domain/access';
import { toInstant, type PersonId } from '#kernel';
import type { Sealed } from '#engine/store';
import type { QueueItemShown, QueueListing } from '#adapters/views-postgres';
import type { Texts } from '../reading/texts.js';
import { personAnswer, promiseAnswer, type People } from '../tickets/present.js';

/** A queue that nothing stands in. */
export const NOTHING_IN = (id: string): QueueListing => ({
  id,
  defined: null,
  groupLabel: null,
  counts: { waiting: 0, held: 0, assigned: 0 },
});

export function* blobsOfQueue({ defined, groupLabel }: QueueListing): Generator<Sealed | null> {
  yield defined?.label ?? null;
  yield groupLabel;
}

export function queueAnswer({ id, defined, groupLabel, counts }: QueueListing, texts: Texts) {
  const name = texts.field(defined?.label ?? groupLabel, 'group');
  return { id, name, title: texts.field(defined?.label, 'title') ?? name, defined: defined !== null, counts };
}

export function* personsOfItem(row: QueueItemShown): Generator<PersonId> {
  yield row.requester;
  if (row.agent) yield row.agent;
}

export function* blobsOfItem(row: QueueItemShown): Generator<Sealed | null> {
  yield row.subject;
}

export function itemAnswer(mask: Mask, row: QueueItemShown, people: People, texts: Texts): object {
  return {
    ticket: row.ticket,
    number: row.number,
    subject: texts.field(row.subject, 'subject'),
    requester: personAnswer(row.requester, people, texts),
    priority: row.priority,
    tier: row.tier,
    status: row.status,
    standing: row.standing,
    rank: row.rank === null ? null : toInstant(row.rank),
    enteredAt: row.enteredAt,
    openedAt: row.openedAt,
    overdueSince: row.overdueSince,
    holds: row.holds,
    agent: row.agent && personAnswer(row.agent, people, texts),
    promises: row.clocks.map((clock) => promiseAnswer(mask, clock)),
  };
}
