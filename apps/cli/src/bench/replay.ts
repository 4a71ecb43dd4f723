import { randomBytes } from 'node:crypto';
import { openPostgresLog, openPostgresVault } from '#adapters/log-postgres';
import { promises, ticket, type TicketCommand, type TicketState } from '#domain/desk';
import { ENGINE } from '#domain/sla';
import { categoryOf, everyEvent, upcasters } from '#engine/catalogue';
import { identities } from '#engine/identity';
import { policyBook, recordBuiltIn } from '#engine/policies';
import {
  codec,
  foldStream,
  transactor,
  type EventStore,
  type Folded,
  type Means,
  type StoredEvent,
} from '#engine/store';
import {
  START,
  toInstant,
  uuidV7,
  type Actor,
  type Event,
  type Instant,
  type PersonId,
  type Recorded,
} from '#kernel';
import { median, type BenchContext } from './bench.js';
import { scan } from './references/scan.js';

const TICKETS = 12_000;
const AT_ONCE = 512;
const PAGE = 2_000;
const ROUNDS = 5;

/** Pages of the whole log in order; the next one is on its way while one is worked on. */
export async function* pages(store: EventStore, size = PAGE): AsyncGenerator<readonly StoredEvent[]> {
  let page = await store.readAll(START, size);
  while (page.length > 0) {
    const next = store.readAll(page.at(-1)!.position, size);
    yield page;
    page = await next;
  }
}

/** Every stream of one category folded, from the log alone. */
export async function foldAll(
  store: EventStore,
  decode: (stored: StoredEvent) => Recorded<Event>,
  size = PAGE,
): Promise<Map<string, Folded<TicketState>>> {
  const folded = new Map<string, Folded<TicketState>>();
  for await (const page of pages(store, size)) {
    const byStream = new Map<string, Recorded<Event>[]>();
    for (const stored of page) {
      const event = decode(stored);
      const events = byStream.get(stored.stream);
      if (events) events.push(event);
      else byStream.set(stored.stream, [event]);
    }
    for (const [stream, events] of byStream)
      if (categoryOf(stream) === 'ticket')
        folded.set(stream, foldStream<TicketState, never>(ticket as never, events, folded.get(stream)));
  }
  return folded;
}

export async function replay(bench: BenchContext): Promise<void> {
  const url = await bench.database();
  const log = await openPostgresLog({ url });
  const vault = await openPostgresVault({ pool: log.pool, masterKey: randomBytes(32) });
  try {
    const chance = { bytes: (count: number) => randomBytes(count) };
    const codecs = codec({ catalogue: everyEvent, vault, chance, upcasters });
    const means: Means = { store: log, codec: codecs, chance, clock: Date, engine: ENGINE };
    await recordBuiltIn(means, 'default', 'UTC');
    const policies = (await policyBook(log, codecs, ['default'])).current();

    bench.progress(`writing the histories of ${TICKETS} tickets`);
    await write(means, policies, bench);
    await log.pool.query('ANALYZE log.events');

    let events = 0;
    const timed = async (work: () => Promise<number>): Promise<number> => {
      const began = performance.now();
      events = await work();
      return (events * 1000) / (performance.now() - began);
    };
    await scan(pages(log));
    await foldAll(log, codecs.decode);
    await bench.compare({
      name: 'events folded',
      unit: 'events/s',
      rounds: ROUNDS,
      ours: () =>
        timed(async () => {
          let count = 0;
          for (const { revision } of (await foldAll(log, codecs.decode)).values()) count += revision + 1;
          return count;
        }),
      reference: () => timed(() => scan(pages(log))),
      bar: 'fold against scan',
    });
    bench.figure('events of the log', events, 'events');

    const rates: number[] = [];
    for (let round = 0; round < 3 && bench.left() > 60_000; round++)
      rates.push(
        await timed(async () => {
          let count = 0;
          for (const { state, revision } of (await foldAll(log, codecs.decode)).values()) {
            recompute(state, policies);
            count += revision + 1;
          }
          return count;
        }),
      );
    bench.figure('events folded, every promise recomputed', median(rates), 'events/s');
  } finally {
    await log.close();
  }
}

/** The promises from what happened to the ticket alone; they must be those that its events carry. */
function recompute(state: TicketState, policies: Parameters<typeof promises>[1]): void {
  if (state.status === 'none') return;
  for (const { records } of promises(state.history, policies, state.latest, 'corrected')) {
    const record = records.at(-1)!;
    const carried = state.clocks[record.clock];
    if (carried?.due !== record.due || carried.state !== record.state || carried.consumed !== record.consumed)
      throw new Error(
        `recomputed ${JSON.stringify(record)}, the event says ${JSON.stringify(carried)}, from ${JSON.stringify(state.history)}`,
      );
  }
}

/** Histories of several commands each, taken as one desk would: many tickets at once, each step an append. */
async function write(
  means: Means,
  policies: Parameters<typeof promises>[1],
  bench: BenchContext,
): Promise<void> {
  const transact = transactor({ ...means, decider: ticket, cached: 2 * AT_ONCE });
  const ids = identities(randomBytes(32));
  const person = (i: number): PersonId => ids.person('bench', `person ${i}`);
  const text = (): string => randomBytes(300).toString('base64');
  const began = Math.floor(Date.now() / 1000) - 90 * 86_400;

  const history = async (i: number): Promise<void> => {
    const stream = `ticket-${uuidV7(Date.now(), randomBytes(10))}`;
    const agent: Actor = { id: person(1_000 + (i % 40)), role: 'agent' };
    const requester = person(i % 500);
    const opened = began + i * 300;
    const steps: ((common: {
      occurredAt: Instant;
      by: Actor;
      policies: typeof policies;
    }) => TicketCommand)[] = [
      (common) => ({
        ...common,
        type: 'open-ticket',
        number: `T-${i}`,
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
      (common) => ({
        ...common,
        type: 'assign-ticket',
        group: ids.term('group', `group ${i % 20}`),
        agent: agent.id,
      }),
      (common) => ({
        ...common,
        type: 'add-message',
        kind: 'sent',
        channel: 'e-mail',
        autoReply: false,
        text: text(),
      }),
      (common) => ({ ...common, type: 'hold-ticket', reason: 'requester' }),
      (common) => ({
        ...common,
        type: 'add-message',
        kind: 'received',
        channel: 'e-mail',
        autoReply: false,
        text: text(),
        author: requester,
      }),
      (common) => ({
        ...common,
        type: 'add-message',
        kind: 'sent',
        channel: 'e-mail',
        autoReply: false,
        text: text(),
      }),
      (common) => ({ ...common, type: 'resolve-ticket', resolution: 'solved', comment: text() }),
      (common) => ({ ...common, type: 'close-ticket' }),
    ];
    for (const [step, command] of steps.entries()) {
      const outcome = await transact.transact(
        {
          stream,
          actor: agent,
          correlation: stream,
          occurredAt: toInstant(opened + step * 1_900),
          expectNew: step === 0,
          key: { id: `${stream} ${step}`, body: 'bench', own: true },
        },
        (occurredAt) => command({ occurredAt, by: agent, policies }),
      );
      if (outcome.outcome !== 'accepted') throw new Error(`${stream}: ${JSON.stringify(outcome)}`);
    }
  };
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < TICKETS) {
        if (next % 2_000 === 0) bench.progress(`  ${next}`);
        await history(next++);
      }
    }),
  );
}
