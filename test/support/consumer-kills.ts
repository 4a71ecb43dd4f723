import { expect } from '@jest/globals';
import { openAnalyticsTables, openKnowledgeTables, type ConsumerTables } from '#adapters/consumers-postgres';
import { publicationOf } from '#adapters/feed-local';
import type { PostgresLog } from '#adapters/log-postgres';
import { civilDay, NEWEST_ZONE_RULES, schemaCheck } from '#edge';
import { analytics } from '#engine/analytics';
import { rebuildTables, type Consumer } from '#engine/feed';
import { knowledge } from '#engine/knowledge';
import { append, decode, freshTicket, History } from '#engine/views/testing';
import { silent, START } from '#kernel';
import type { Seeded } from '../long/support/chance.js';
import { eventually } from './eventually.js';
import { killAgainAndAgain } from './kills.js';

/** What happens to tickets, as far as consumers make something of it; and what they hear nothing of. */
const HAPPENINGS = [
  'desk.message-sent.v1',
  'desk.ticket-classified.v1',
  'desk.ticket-resolved.v1',
  'desk.ticket-reopened.v1',
  'desk.ticket-closed.v1',
  'desk.note-added.v1',
] as const;
const EVENTS_A_TICKET = 8;

/** Opens tickets and works on them, a few hundred events a second, until it is told to stop. */
export async function workOnTickets(log: PostgresLog, chance: Seeded, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const history = new History();
    const stream = freshTicket();
    history.ticket(stream, 'desk.ticket-opened.v1', { channel: chance.pick(['phone', 'web', 'chat']) });
    for (let i = 1; i < EVENTS_A_TICKET; i++) history.ticket(stream, chance.pick(HAPPENINGS));
    for (const event of history.events) {
      await append(log, [event]);
      await new Promise((resolve) => setTimeout(resolve, chance.int(10)));
    }
  }
}

const APPS = [
  {
    app: 'analytics',
    open: openAnalyticsTables,
    consumer: analytics({ zone: 'UTC', tzdb: NEWEST_ZONE_RULES, dayOf: civilDay }) as Consumer,
  },
  { app: 'knowledge-base', open: openKnowledgeTables, consumer: knowledge as Consumer },
] as const;

/** Every public message of the log, once. */
async function published(log: PostgresLog): Promise<number> {
  let messages = 0;
  const { pages } = await publicationOf({ store: log, decode });
  for await (const { records } of pages(START, new AbortController().signal)) messages += records.length;
  return messages;
}

async function withTables<T>(
  url: string,
  work: (consumer: Consumer, store: ConsumerTables<object>['store']) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  for (const { consumer, open } of APPS) {
    const tables: ConsumerTables<object> = await open({ url, logger: silent });
    try {
      done.push(await work(consumer, tables.store));
    } finally {
      await tables.close();
    }
  }
  return done;
}

type Store = ConsumerTables<object>['store'];
const inAll = async (store: Store, of: 'digested' | 'buried'): Promise<number> =>
  (await store.positions()).reduce((sum, one) => sum + one[of], 0);

/** Waits until every consumer has digested all that the log has published. @returns how many messages that is */
export async function consumersCameToTheEnd(log: PostgresLog, url: string): Promise<number> {
  const messages = await published(log);
  await withTables(url, (consumer, store) =>
    eventually(async () => (await inAll(store, 'digested')) >= messages, {
      within: 90_000,
      every: 200,
      what: `${consumer.name} digested ${messages} messages`,
    }),
  );
  return messages;
}

/** Every message was digested exactly once, none was buried, and the tables equal ones built from the log. */
export async function expectTablesAsRebuilt(log: PostgresLog, url: string): Promise<void> {
  const messages = await published(log);
  const publication = await publicationOf({ store: log, decode });
  await withTables(url, async (consumer, store) => {
    expect([await inAll(store, 'digested'), await inAll(store, 'buried')]).toEqual([messages, 0]);
    const digesting = { consumer, store, check: schemaCheck() };
    const rebuilt = await rebuildTables(digesting, publication, START, new AbortController().signal);
    expect(rebuilt).toMatchObject({
      messages,
      otherLog: false,
      comparison: { equal: true, differing: [] },
    });
    expect(rebuilt.comparison!.live.rows).toBeGreaterThan(0);
  });
}

export interface ConsumerKills {
  readonly env: Readonly<Record<string, string>> & { readonly DATABASE_URL: string };
  readonly log: PostgresLog;
  readonly chance: Seeded;
  /** Processes of each of the two consumers, beside one another; 1 unless given. */
  readonly instances?: number;
  /** Of each process. */
  readonly kills: number;
  /** Message of their logs that says they are at work. */
  readonly sign: string;
  /** Milliseconds from that sign to the kill, at most. */
  readonly within: number;
  readonly writers: number;
}

/**
 * Kills both consumers again and again while tickets are worked on, then lets them come to the end, and holds
 * every message digested exactly once and the tables equal to ones built from the log.
 */
export async function killConsumersUnderLoad(run: ConsumerKills): Promise<void> {
  const { env, log, chance, instances = 1, kills, sign, within, writers } = run;
  const stop = new AbortController();
  const working = Array.from({ length: writers }, () => workOnTickets(log, chance, stop.signal));
  try {
    const last = await Promise.all(
      APPS.flatMap(({ app }) =>
        Array.from({ length: instances }, () =>
          killAgainAndAgain({ kills, process: { app, env }, sign, after: () => chance.int(within) }),
        ),
      ),
    );
    stop.abort();
    await Promise.all(working);
    const messages = await consumersCameToTheEnd(log, env.DATABASE_URL);
    for (const one of last) expect(await one.stop()).toBe(0);
    await expectTablesAsRebuilt(log, env.DATABASE_URL);
    process.stderr.write(
      `${APPS.length * instances} × ${kills} kills, ${messages} messages, each digested once\n`,
    );
  } finally {
    stop.abort();
    await Promise.allSettled(working);
  }
}
