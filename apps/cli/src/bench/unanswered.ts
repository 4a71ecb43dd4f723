import { randomBytes } from 'node:crypto';
import { openPostgresVault, type PostgresLog } from '#adapters/log-postgres';
import { ticket, ticketStream, type TicketCommand } from '#domain/desk';
import { activation, builtIn, ENGINE, type Policies } from '#domain/sla';
import { everyEvent, upcasters } from '#engine/catalogue';
import { identities } from '#engine/identity';
import { policyBook } from '#engine/policies';
import { codec, NO_STREAM, type Means } from '#engine/store';
import { decideInTurn, HOUSE, toInstant, uuidV7, type Actor, type EpochSeconds, type Instant } from '#kernel';

const WRITERS = 512;
/** Seconds from the opening of a ticket of priority 1 to when its first response is due. */
const TARGET = 3_600;

const freshId = () => uuidV7(Date.now(), randomBytes(10));

/** What opening tickets takes. */
export interface Desk {
  readonly means: Means;
  readonly policies: Policies;
}

/** A desk open around the clock, so that opening and due lie an hour apart at any time of day. */
export async function openDesk(log: PostgresLog, masterKey: Buffer): Promise<Desk> {
  const vault = await openPostgresVault({ pool: log.pool, masterKey });
  const chance = { bytes: (count: number) => randomBytes(count) };
  const codecs = codec({ catalogue: everyEvent, vault, chance, upcasters });
  const means: Means = { store: log, codec: codecs, chance, clock: Date, engine: ENGINE };
  const { targets, ...rest } = builtIn('UTC');
  const fact = activation(
    {
      ...rest,
      calendar: { zone: 'UTC', always: true },
      targets: { ...targets, 1: { ...targets[1], 'first-response': TARGET } },
    },
    { name: 'default', version: 1, source: 'desk', effective: '1970-01-01T00:00:00Z' as Instant },
  );
  const prepared = await codecs.prepare([fact], [freshId()], {
    occurredAt: toInstant(Date.now() / 1000),
    actor: { id: HOUSE, role: 'system' },
    correlation: 'bench',
    engine: ENGINE,
  });
  await log.append({
    stream: 'policy-default',
    expected: NO_STREAM,
    events: prepared.map(({ event }) => event),
  });
  return { means, policies: (await policyBook(log, codecs, ['default'])).current() };
}

/** A ticket for each due instant, opened the target before it and given to a group, as it stands when nobody answers. */
export async function openUnanswered(
  { means, policies }: Desk,
  dues: readonly EpochSeconds[],
): Promise<void> {
  const ids = identities(randomBytes(32));
  const persons = Array.from({ length: 500 }, (_, i) => ids.person('bench', `person ${i}`));
  const groups = Array.from({ length: 20 }, (_, i) => ids.term('group', `group ${i}`));
  const { codec: codecs, store, engine } = means;
  const queue = dues.entries();
  const writer = async (): Promise<void> => {
    for (const [i, due] of queue) {
      const requester = persons[i % persons.length]!;
      const by: Actor = { id: requester, role: 'agent' };
      const occurredAt = toInstant(due - TARGET);
      const common = { occurredAt, by, policies };
      const commands: TicketCommand[] = [
        {
          ...common,
          ...{ type: 'open-ticket', number: `T-${100_000 + i}`, channel: 'e-mail', requester },
          ...{ tier: 'base', priority: 1, policy: 'default', importing: false, carriesMessages: true },
          ...{ subject: `ticket ${i}`, text: 'x'.repeat(200) },
        },
        { ...common, type: 'assign-ticket', group: groups[i % groups.length]! },
      ];
      const decided = decideInTurn(ticket, codecs.catalogue, ticket.initial, commands, occurredAt, by);
      if ('refused' in decided) throw new Error(decided.refused.code);
      const prepared = await codecs.prepare(
        decided.facts,
        decided.facts.map(() => freshId()),
        { occurredAt, actor: by, correlation: 'bench', engine },
      );
      const appended = await store.append({
        stream: ticketStream(freshId()),
        expected: NO_STREAM,
        events: prepared.map(({ event }) => event),
      });
      if (appended.outcome !== 'appended') throw new Error('a new stream was not new');
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}
