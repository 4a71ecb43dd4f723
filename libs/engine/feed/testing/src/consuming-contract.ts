import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TICKETS } from '#contracts';
import type { TicketMeasures } from '#engine/analytics';
import { OlderThanLog } from '#engine/store';
import {
  consume,
  Fenced,
  ForeignSource,
  memoryConsumerStore,
  memoryFeed,
  rebuildTables,
  retryLetters,
  skipLetter,
  TablesOutdated,
  TablesUnavailable,
  type Consumer,
  type ConsumerStore,
  type Consuming,
  type Digested,
  type MemoryFeed,
  type Published,
} from '#engine/feed';
import { eventually } from '#kernel/testing';
import { silent, START, type Logger, type Uuid } from '#kernel';
import { inUtc, type OpenedConsumerStore } from './consumer-store-contract.js';
import { check, freshId, Told } from './messages.js';

const TOPIC = TICKETS.name;
const patience = { within: 20_000 };

/** What one pass over the messages leaves, in memory and undisturbed. */
export async function onePass(messages: readonly Published[]): Promise<{
  readonly rows: Readonly<Record<string, TicketMeasures>>;
  readonly counts: Readonly<Record<string, number>>;
}> {
  const store = memoryConsumerStore<TicketMeasures>('analytics');
  await store.transact(async ({ tables }) => {
    for (const message of messages) await inUtc.digest([message], tables, inUtc.pinned);
  });
  return { rows: store.rows(), counts: store.counts() };
}

/** Consumers that run, each as a process of its own would, until they are stopped. */
class Running {
  readonly stop = new AbortController();
  readonly batches: Digested[] = [];
  paused = 0;
  restarted = 0;
  readonly lines: string[] = [];
  readonly ended: Promise<void>;
  failure: unknown = null;

  constructor(consuming: Pick<Consuming, 'store' | 'feed'> & Partial<Consuming>) {
    const note: Logger['info'] = (fields, text) => void this.lines.push(`${text} ${JSON.stringify(fields)}`);
    this.ended = consume(
      {
        consumer: inUtc,
        check,
        logger: { ...silent, info: note, warn: note, error: note },
        pause: async (_, signal) => signal.throwIfAborted(),
        watch: {
          batch: (batch) => this.batches.push(batch),
          paused: () => this.paused++,
          restarted: () => this.restarted++,
        },
        ...consuming,
      },
      this.stop.signal,
    ).catch((error: unknown) => {
      this.failure = error;
    });
  }

  sum(of: 'digested' | 'repeats' | 'buried'): number {
    return this.batches.reduce((sum, batch) => sum + batch[of], 0);
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.ended;
  }
}

/** What the runtime promises over a store (consuming.ts, rebuilding.ts). */
export function consumingContract(name: string, open: () => Promise<OpenedConsumerStore>): void {
  describe(`A consumer over ${name}`, () => {
    let opened: OpenedConsumerStore;
    let store: ConsumerStore<TicketMeasures>;
    let feed: MemoryFeed;
    let told: Told;
    let running: Running[] = [];
    beforeAll(async () => {
      opened = await open();
      ({ store } = opened);
    });
    beforeEach(async () => {
      for (const one of running) await one.end();
      running = [];
      feed = memoryFeed();
      told = new Told();
      await opened.empty();
    });
    afterAll(async () => {
      for (const one of running) await one.end();
      await opened.close();
    });

    const run = (more: Partial<Consuming> = {}): Running => {
      const one = new Running({ store, feed, ...more });
      running.push(one);
      return one;
    };
    const publish = (messages: readonly Published[] = told.messages): void => {
      for (const message of messages) feed.publish(TOPIC, message.subject, JSON.stringify(message));
    };
    const taken = (count: number, ...of: readonly Running[]) =>
      eventually(
        () =>
          of.reduce((sum, one) => sum + one.sum('digested') + one.sum('repeats') + one.sum('buried'), 0) >=
          count,
        { ...patience, what: `${count} records were taken in` },
      );
    const asOnePass = async (messages: readonly Published[] = told.messages): Promise<void> => {
      const { rows, counts } = await onePass(messages);
      expect(await opened.rows()).toEqual(rows);
      expect(await opened.counts()).toEqual(counts);
    };
    const inAll = async (...of: readonly ('digested' | 'repeats' | 'buried')[]): Promise<number> =>
      (await store.positions()).reduce((sum, one) => of.reduce((n, each) => n + one[each], sum), 0);
    const takenInAll = () => inAll('digested', 'repeats', 'buried');
    const digestedInAll = () => inAll('digested');
    const letters = async () =>
      (await store.letters(0, 1000)).map(({ delivery: { key }, reason }) => [key, reason] as const);

    test('takes in each message once, those of a key in order', async () => {
      told.day();
      const one = run();
      publish();
      await taken(told.messages.length, one);
      await asOnePass();
      expect(one.sum('digested')).toBe(told.messages.length);
      expect(await digestedInAll()).toBe(told.messages.length);
    });

    test('takes nothing in twice that comes again, at once or after a start anew', async () => {
      told.day();
      const first = run();
      publish();
      publish(told.messages.slice(0, 30));
      await taken(told.messages.length + 30, first);
      await first.end();
      publish();
      const second = run();
      await taken(told.messages.length, second);
      expect(second.sum('repeats')).toBe(told.messages.length);
      await asOnePass();
    });

    test('buries what is no JSON and what breaks its schema, and tells nothing of it', async () => {
      const good = told.opens();
      const bad = told.opens();
      const broken = [
        'SENTINEL',
        '{"SENTINEL": 1',
        '[]',
        '"SENTINEL"',
        '{"type":"SENTINEL"}',
        JSON.stringify({ ...told.messages[1], data: { SENTINEL: 1 } }),
        JSON.stringify({ ...told.messages[1], time: 'SENTINEL' }),
        JSON.stringify({ ...told.messages[1], subject: good }),
      ];
      for (const [i, value] of broken.entries()) feed.publish(TOPIC, `${bad}-${i}`, value);
      publish(told.messages.slice(0, 1));
      const one = run();
      await taken(broken.length + 1, one);
      expect(one.sum('buried')).toBe(broken.length);
      await asOnePass(told.messages.slice(0, 1));
      const reasons = (await letters()).sort().map(([, reason]) => reason);
      expect(reasons).toEqual([
        'not-json: the value is no JSON',
        'not-json: the value is no JSON',
        'breaks-schema: the value is no object',
        'breaks-schema: the value is no object',
        'breaks-schema: /type names no message of the topic',
        'breaks-schema: covenant.ticket-opened.v1 /data required',
        'breaks-schema: covenant.ticket-opened.v1 /time pattern',
        'wrong-key: covenant.ticket-opened.v1 lies under a key that is not its subject',
      ]);
      await eventually(async () => (await store.untold(1)).length === 0);
      expect(feed.buried.map(({ consumer }) => consumer)).toEqual(broken.map(() => 'analytics'));
      expect(one.lines.filter((line) => line.startsWith('a message was buried'))).toHaveLength(broken.length);
      expect(one.lines.join('')).not.toContain('SENTINEL');
      expect(feed.buried.map(({ reason }) => reason).join('')).not.toContain('SENTINEL');
    });

    /** Throws on the messages that `poison` names, after it has written. */
    const picky = (poison: (message: Published) => boolean): Consumer<TicketMeasures> => ({
      ...inUtc,
      digest: async (messages, tables, pinned) => {
        await inUtc.digest(messages, tables, pinned);
        if (messages.some(poison)) throw new TypeError('SENTINEL is not a function');
      },
    });

    test('buries a message that it throws on, and what follows under its key, until a retry takes them up in order', async () => {
      told.day();
      const third = told.messages.filter(({ type }) => type === 'covenant.ticket-opened.v1')[2]!
        .subject as Uuid;
      const own = told.messages.filter(({ subject }) => subject === third);
      const sick = own[1]!;
      publish();
      const one = run({ consumer: picky(({ id }) => id === sick.id) });
      await taken(told.messages.length, one);
      await asOnePass(
        told.messages.filter(({ subject }, i) => subject !== third || told.messages[i] === own[0]),
      );
      expect(await letters()).toEqual([
        [third, 'threw: TypeError'],
        ...own.slice(2).map(() => [third, 'behind: an earlier message of its key lies here']),
      ]);
      expect(one.lines.join('')).not.toContain('SENTINEL');
      await one.end();

      // What comes later under that key waits as well, also with a program that has been mended.
      told.reopens(third, 200_000);
      publish(told.messages.slice(-1));
      const mended = run();
      await taken(1, mended);
      expect((await letters()).at(-1)![1]).toMatch(/^behind/);
      const still = await retryLetters(
        { consumer: picky(({ id }) => id === sick.id), store, check },
        mended.stop.signal,
      );
      expect(still).toEqual({ digested: 0, still: own.length });
      const retried = await retryLetters({ consumer: inUtc, store, check }, mended.stop.signal);
      expect(retried).toEqual({ digested: own.length, still: 0 });
      await asOnePass();
      told.resolves(third, 300_000);
      publish(told.messages.slice(-1));
      await taken(2, mended);
      await asOnePass();
    });

    test('a message that would undo what others wrote in its batch undoes nothing', async () => {
      const tickets = Array.from({ length: 20 }, () => told.opens());
      publish();
      const one = run({ consumer: picky(({ subject }) => tickets.indexOf(subject as never) % 5 === 2) });
      await taken(20, one);
      await asOnePass(told.messages.filter((_, i) => i % 5 !== 2));
      expect(await letters()).toHaveLength(4);
    });

    test('a value that the tables refuse is buried, and its neighbours are not', async () => {
      const ids = [0, 1, 2].map((n) =>
        told.opens(freshId(), 0, { channel: n === 1 ? ('a\0b' as never) : 'web' }),
      );
      publish();
      const one = run();
      await taken(3, one);
      expect(await letters()).toEqual([[ids[1], expect.stringMatching(/^refused: 22/)]]);
      await asOnePass(told.messages.filter((_, i) => i !== 1));
    });

    test('a letter that somebody gives up lets what is behind it go on', async () => {
      const id = told.opens();
      publish();
      feed.publish(TOPIC, id, 'garbage');
      const one = run();
      await taken(2, one);
      told.resolves(id, 60);
      publish(told.messages.slice(-1));
      await taken(3, one);
      const [garbage] = await store.letters(0, 1);
      expect(await skipLetter(store, garbage!.number + 100)).toBe(false);
      expect(await skipLetter(store, garbage!.number)).toBe(true);
      expect(await retryLetters({ consumer: inUtc, store, check }, one.stop.signal)).toEqual({
        digested: 1,
        still: 0,
      });
      await asOnePass();
    });

    test.each(['covenant.ticket-opened.v99', 'covenant.ticket-vaporised.v1'])(
      'stops at %s, skips nothing, and a later release goes on there',
      async (type) => {
        const id = told.opens();
        told.answers(id, 60);
        publish();
        const unknown = { ...told.messages[0], id: freshId(), type };
        feed.publish(TOPIC, id, JSON.stringify(unknown));
        told.resolves(id, 120);
        publish(told.messages.slice(-1));
        const old = run();
        await old.ended;
        expect(old.failure).toBeInstanceOf(OlderThanLog);
        expect(String(old.failure)).toContain(type);
        await asOnePass(told.messages.slice(0, 2));
        expect(await letters()).toEqual([]);
        const again = run();
        await again.ended;
        expect(again.failure).toBeInstanceOf(OlderThanLog);
        await asOnePass(told.messages.slice(0, 2));

        const newer: Consumer<TicketMeasures> = {
          ...inUtc,
          topics: [
            {
              ...TICKETS,
              messages: { ...TICKETS.messages, [type]: TICKETS.messages['covenant.ticket-closed.v1']! },
            },
          ],
          digest: async (messages, tables, pinned) =>
            inUtc.digest(
              messages.filter((message) => (message.type as string) !== type),
              tables,
              pinned,
            ),
        };
        const renewed = run({ consumer: newer, check: (t, value) => (t === type ? null : check(t, value)) });
        await taken(4, renewed);
        await asOnePass();
      },
    );

    test('stops at a message of another log, and says what to do', async () => {
      told.opens();
      publish();
      const one = run();
      await taken(1, one);
      const other = new Told('/covenant/logs/another');
      other.opens();
      publish(other.messages);
      await one.ended;
      expect(one.failure).toBeInstanceOf(ForeignSource);
      expect(String(one.failure)).toContain('npm run covenant -- consumers rebuild analytics');
      await asOnePass();
      expect(await letters()).toEqual([]);
    });

    test('does not go on with tables of another version', async () => {
      await store.start({ ...inUtc, version: 2 });
      const one = run();
      await one.ended;
      expect(one.failure).toBeInstanceOf(TablesOutdated);
      expect(String(one.failure)).toContain('older than they are');
    });

    /** A store whose transactions fail at times: before they are done, or after (a lost answer to the commit). */
    const failing = (times: number, when: 'before' | 'after'): ConsumerStore<TicketMeasures> => {
      let left = times;
      return {
        ...store,
        transact: async (work, alone) => {
          if (left-- <= 0) return store.transact(work, alone);
          if (when === 'after') await store.transact(work, alone);
          throw new TablesUnavailable('08006');
        },
      };
    };

    test('waits for tables that fail, buries nothing and skips nothing', async () => {
      told.day();
      publish();
      const one = run({ store: failing(12, 'before') });
      await taken(told.messages.length, one);
      expect(one.paused).toBe(12);
      await asOnePass();
      expect(await letters()).toEqual([]);
    });

    test('takes nothing in twice where the answer to a commit was lost', async () => {
      told.day();
      publish();
      const one = run({ store: failing(2, 'after') });
      await eventually(async () => (await digestedInAll()) === told.messages.length, patience);
      await eventually(() => one.restarted > 0, patience);
      await asOnePass();
    });

    test('an instance that lost its partitions and does not know writes nothing more', async () => {
      told.day();
      let release = (): void => {};
      let stuck = 0;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const fenced: unknown[] = [];
      const slow: ConsumerStore<TicketMeasures> = {
        ...store,
        transact: async (work, alone) => {
          stuck++;
          await gate;
          return store.transact(work, alone).catch((error: unknown) => {
            fenced.push(error);
            throw error;
          });
        },
      };
      const zombie = run({ store: slow });
      publish();
      await eventually(() => stuck === 3, patience);
      const heir = run({ store: opened.second });
      await eventually(() => heir.sum('digested') > 0, patience);
      release();
      await eventually(async () => (await digestedInAll()) === told.messages.length, patience);
      await eventually(() => fenced.some((error) => error instanceof Fenced), patience);
      expect(zombie.failure).toBeNull();
      await asOnePass();
    });

    test('built anew from the log, the tables are the same, and the consumer goes on', async () => {
      told.day();
      publish();
      const one = run();
      await taken(told.messages.length, one);
      const digesting = { consumer: inUtc, store: opened.second, check };
      const rebuilt = await rebuildTables(digesting, told.publication, START, one.stop.signal);
      expect(rebuilt).toMatchObject({
        messages: told.messages.length,
        otherLog: false,
        comparison: { equal: true, differing: [] },
      });
      const before = told.messages.length;
      told.day();
      publish(told.messages.slice(before));
      await taken(told.messages.length, one);
      await asOnePass();
      expect(one.restarted).toBeGreaterThan(0);
    });

    test('built anew they hold what the live ones have taken in, and say where those were wrong', async () => {
      told.day();
      const known = told.messages.slice(0, 40);
      publish(known);
      const one = run();
      await taken(known.length, one);
      await one.end();
      const { subject } = told.messages[3]!;
      await opened.tamper(subject);
      const rebuilt = await rebuildTables(
        { consumer: inUtc, store, check },
        told.publication,
        START,
        new AbortController().signal,
      );
      expect(rebuilt).toMatchObject({ messages: 40, comparison: { equal: false, differing: [subject] } });
      await asOnePass(known);
      publish(told.messages.slice(40));
      const next = run();
      await taken(told.messages.length - 40, next);
      await asOnePass();
    });

    test('built anew they hold what was buried, where it can be digested now', async () => {
      told.day();
      publish();
      const sick = told.messages[2]!.subject;
      const one = run({ consumer: picky(({ subject }) => subject === sick) });
      await taken(told.messages.length, one);
      await one.end();
      expect(await letters()).not.toEqual([]);
      const digesting = { consumer: inUtc, store, check };
      const { comparison } = await rebuildTables(
        digesting,
        told.publication,
        START,
        new AbortController().signal,
      );
      expect(comparison!.equal).toBe(false);
      await asOnePass();
      expect(await letters()).toEqual([]);
    });

    test('built anew from another log they hold that one, and the feed is read from its beginning', async () => {
      told.day();
      publish();
      const one = run();
      await taken(told.messages.length, one);
      await one.end();
      const restored = new Told('/covenant/logs/restored');
      restored.day();
      const rebuilt = await rebuildTables(
        { consumer: inUtc, store, check },
        restored.publication,
        START,
        new AbortController().signal,
      );
      expect(rebuilt).toMatchObject({ otherLog: true, comparison: null, messages: restored.messages.length });
      const { rows } = await onePass(restored.messages);
      expect(await opened.rows()).toEqual(rows);
      expect(await store.positions()).toEqual([]);
      feed = memoryFeed();
      publish(restored.messages);
      const next = run();
      await taken(restored.messages.length, next);
      expect(next.sum('repeats')).toBe(restored.messages.length);
      await asOnePass(restored.messages);
    });

    test('any order of keys, batches, repeats, failures and starts anew leaves what one pass leaves', async () => {
      const runs = name === 'memory' ? 60 : 8;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 2, max: 9 }), { minLength: 1, maxLength: 3 }),
          fc.infiniteStream(fc.nat()),
          fc.array(fc.record({ upTo: fc.nat({ max: 200 }), back: fc.nat({ max: 40 }) }), { maxLength: 6 }),
          fc.nat({ max: 3 }),
          async (days, chance, cuts, failures) => {
            await opened.empty();
            feed = memoryFeed();
            told = new Told();
            for (const tickets of days) told.day(tickets);
            // Keys come in any order beside one another, each in its own.
            const byKey = new Map<string, Published[]>();
            for (const message of told.messages)
              byKey.set(message.subject, [...(byKey.get(message.subject) ?? []), message]);
            const shuffled: Published[] = [];
            while (byKey.size > 0) {
              const all = [...byKey.keys()];
              const key = all[chance.next().value! % all.length]!;
              shuffled.push(byKey.get(key)!.shift()!);
              if (byKey.get(key)!.length === 0) byKey.delete(key);
            }
            let published = 0;
            for (const { upTo, back } of [...cuts, { upTo: 1e9, back: 10 }]) {
              const from = Math.max(0, published - back);
              const to = Math.max(published, Math.min(upTo, shuffled.length));
              publish(shuffled.slice(from, to));
              published = to;
              const before = await takenInAll();
              const one = run({ store: failing(failures, failures % 2 === 0 ? 'before' : 'after') });
              const enough = async (): Promise<boolean> =>
                to < shuffled.length
                  ? to === from || (await takenInAll()) > before
                  : (await digestedInAll()) === shuffled.length;
              await eventually(enough, { ...patience, what: 'messages were taken in' });
              await one.end();
            }
            await asOnePass();
          },
        ),
        { numRuns: runs, endOnFailure: name !== 'memory' },
      );
    }, 120_000);
  });
}
