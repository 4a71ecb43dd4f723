import { openEventStoreDbLog } from '#adapters/log-eventstoredb';
import { openPostgresSeal } from '#adapters/log-postgres';
import { NO_STREAM, UnknownOutcome, sealing, type Append, type StoredEvent } from '#engine/store';
import { eventually } from '#kernel/testing';
import { everything, freshStream, someEvents } from '#engine/store/testing';
import { silent } from '#kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshDatabase } from './database.js';
import { EventStoreDouble } from './eventstoredb.js';

export interface KillRun {
  readonly kills: number;
  readonly writers: number;
  /** Milliseconds between two kills, chosen at random up to this. */
  readonly apart: number;
  /** A real server, which nobody kills; absent: a double. */
  readonly url?: string;
}

export interface KillReport {
  readonly acknowledged: number;
  /** Appends whose answer was lost, and that were asked for again with the same ids at the same revision. */
  readonly unknown: number;
  readonly conflicts: number;
  readonly lost: number;
  readonly doubled: number;
  readonly unasked: number;
  /** What a subscription that lived through all of it brought, and a reading of the log brings. */
  readonly followed: readonly string[];
  readonly read: readonly string[];
  readonly sealed: number;
}

/** Writers, one to a stream, a subscription and a sealer, while the double is killed with SIGKILL. */
export async function killRun({ kills, writers, apart, url }: KillRun): Promise<KillReport> {
  const [double, database] = await Promise.all([
    url === undefined ? EventStoreDouble.start() : null,
    freshDatabase(),
  ]);
  const seal = await openPostgresSeal({ url: database.url });
  const timeouts = { appendMs: 4_000, readMs: 4_000, watchMs: 2_000 };
  const store = await openEventStoreDbLog({
    url: url ?? double!.url,
    categories: ['ticket'],
    seal,
    timeouts,
  });
  const { position: begun } = await store.head();
  const stop = new AbortController();
  const ended = new AbortController();
  let writing: Promise<void>[] = [];
  try {
    const followed: StoredEvent[] = [];
    const following = (async () => {
      for await (const { events } of store.subscribe(begun, { signal: ended.signal }))
        followed.push(...events);
    })();
    const pause = (milliseconds: number): Promise<void> => sleep(milliseconds);
    const sealer = sealing({ store, seal, logger: silent, pause }, ended.signal);

    let [unknown, conflicts] = [0, 0];
    const written = new Map<string, string[]>();
    const surely = async (append: Append): Promise<number> => {
      for (let tries = 0; ; tries++) {
        try {
          const answer = await store.append(append);
          if (answer.outcome === 'appended') return answer.revision;
          conflicts++;
          return answer.actual;
        } catch (error) {
          if (!(error instanceof UnknownOutcome)) throw error;
          if (tries === 0) unknown++;
          await sleep(100);
        }
      }
    };
    writing = Array.from({ length: writers }, async () => {
      const stream = freshStream();
      written.set(stream, []);
      for (let revision = NO_STREAM; !stop.signal.aborted;) {
        const events = someEvents(1 + Math.floor(Math.random() * 3));
        revision = await surely({ stream, expected: revision, events });
        written.get(stream)!.push(...events.map(({ id }) => id));
      }
    });
    for (let i = 0; i < kills; i++) {
      await sleep(200 + Math.random() * apart);
      await double?.kill();
      await double?.up();
    }
    await sleep(500);
    stop.abort();
    await Promise.all(writing);

    const read = await everything(store, begun);
    const before = (await everything(store)).length - read.length;
    await eventually(() => followed.length >= read.length, {
      within: 60_000,
      what: 'the subscription’s end',
    });
    await eventually(async () => (await seal.head()).ordinal >= before + read.length, { within: 60_000 });
    ended.abort();
    await Promise.all([following, sealer]);

    const mine = [...written.values()].flat();
    const [stored, asked] = [new Set(read.map(({ id }) => id as string)), new Set(mine)];
    return {
      ...{ acknowledged: mine.length, unknown, conflicts },
      lost: mine.filter((id) => !stored.has(id)).length,
      doubled: read.length - stored.size,
      unasked: [...stored].filter((id) => !asked.has(id)).length,
      followed: followed.map(({ id }) => id),
      read: read.map(({ id }) => id),
      sealed: (await seal.head()).ordinal - before,
    };
  } finally {
    stop.abort();
    ended.abort();
    await Promise.allSettled(writing);
    await store.close();
    await seal.close();
    await database.drop();
    await double?.remove();
  }
}
