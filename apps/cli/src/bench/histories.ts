import { randomBytes } from 'node:crypto';
import { ticket, type TicketCommand } from '#domain/desk';
import type { Policies } from '#domain/sla';
import { identities } from '#engine/identity';
import { NO_STREAM, type Means } from '#engine/store';
import { decideInTurn, toInstant, uuidV7, type Actor, type Instant, type PersonId } from '#kernel';

export interface Histories {
  readonly tickets: number;
  /** Tickets under way at once: their events lie among each other's in the log, as on a desk. */
  readonly atOnce: number;
  readonly progress: (text: string) => void;
}

interface Common {
  readonly occurredAt: Instant;
  readonly by: Actor;
  readonly policies: Policies;
}

/** Seconds from one step of a ticket to the next. */
const STEP = 1_900;
/** Characters of a message. */
const TEXT = 400;
const PERSONS = 500;
const AGENTS = 40;
const GROUPS = 20;

/**
 * Writes the log of a desk: tickets at every stage, four to nine events each, decided by the ticket's own
 * rules, each step an append of its own.
 */
export async function writeHistories(
  means: Means,
  policies: Policies,
  histories: Histories,
): Promise<number> {
  const ids = identities(randomBytes(32));
  const person = (i: number): PersonId => ids.person('bench', `person ${i}`);
  const text = (): string => randomBytes((TEXT * 3) / 4).toString('base64');
  const began = Math.floor(Date.now() / 1000) - 90 * 86_400;

  const steps = (i: number, requester: PersonId, agent: PersonId): ((common: Common) => TicketCommand)[] => {
    const group = ids.term('group', `group ${i % GROUPS}`);
    const message = (kind: 'received' | 'sent') => (common: Common) =>
      ({
        ...common,
        type: 'add-message',
        kind,
        channel: 'e-mail',
        autoReply: false,
        text: text(),
        ...(kind === 'received' && { author: requester }),
      }) satisfies TicketCommand;
    const all: ((common: Common) => TicketCommand)[] = [
      (common) => ({
        ...common,
        type: 'open-ticket',
        number: `T-${100_000 + i}`,
        channel: 'e-mail',
        requester,
        tier: 'base',
        priority: ((i % 4) + 1) as 1 | 2 | 3 | 4,
        subject: `ticket ${i}`,
        text: text(),
        policy: 'default',
        importing: false,
        carriesMessages: true,
      }),
      (common) => ({ ...common, type: 'assign-ticket', group }),
      (common) => ({ ...common, type: 'assign-ticket', group, agent }),
      message('sent'),
      (common) => ({ ...common, type: 'hold-ticket', reason: 'requester' }),
      message('received'),
      message('sent'),
      (common) => ({ ...common, type: 'resolve-ticket', resolution: 'solved', comment: text() }),
      (common) => ({ ...common, type: 'close-ticket' }),
    ];
    // Every fourth ticket goes all the way; the others rest where they are now.
    return i % 4 === 0 ? all : all.slice(0, 2 + (i % 6));
  };

  let events = 0;
  const history = async (i: number): Promise<void> => {
    const stream = `ticket-${uuidV7(Date.now(), randomBytes(10))}`;
    const by: Actor = { id: person(PERSONS + (i % AGENTS)), role: 'agent' };
    let state = ticket.initial;
    let revision = NO_STREAM;
    for (const [step, command] of steps(i, person(i % PERSONS), by.id).entries()) {
      const occurredAt = toInstant(began + i * 60 + step * STEP);
      const commands = [command({ occurredAt, by, policies })];
      const decided = decideInTurn(ticket, means.codec.catalogue, state, commands, occurredAt, by);
      if ('refused' in decided) throw new Error(`ticket ${i}: ${decided.refused.code}`);
      const fresh = decided.facts.map(() => uuidV7(Date.now(), randomBytes(10)));
      const prepared = await means.codec.prepare(decided.facts, fresh, {
        occurredAt,
        actor: by,
        correlation: stream,
        engine: means.engine,
      });
      const appended = await means.store.append({
        stream,
        expected: revision,
        events: prepared.map(({ event }) => event),
      });
      if (appended.outcome !== 'appended') throw new Error(`${stream}: a conflict at ${appended.actual}`);
      ({ revision } = appended);
      ({ state } = decided);
      events += prepared.length;
    }
  };

  let next = 0;
  await Promise.all(
    Array.from({ length: histories.atOnce }, async () => {
      while (next < histories.tickets) {
        if (next % 5_000 === 0) histories.progress(`  ${next} of ${histories.tickets} tickets`);
        await history(next++);
      }
    }),
  );
  return events;
}
