import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { TICKETS } from '#contracts';
import type { CloudEvent } from '#contracts';
import type { Deliveries, Delivery, Feed, Following } from '#engine/feed';
import { eventually } from '#kernel/testing';
import type { Uuid } from '#kernel';
import { freshId } from './messages.js';

export interface OpenedFeed {
  readonly feed: Feed;
  /** One public message for each key, in this order, and their ids. */
  publish(keys: readonly Uuid[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Milliseconds for what comes over a network. */
const WITHIN = { within: 30_000 };

/**
 * A reader as the runtime is one: keeps where each partition goes on, and all that came. Its name is its own:
 * nobody shares its partitions.
 */
class Reader {
  readonly records: Delivery[] = [];
  readonly batches: Deliveries[] = [];
  readonly positions = new Map<string, string>();
  /** Called before a batch counts as digested. */
  before: (batch: Deliveries) => Promise<void> = async () => {};
  private stop = new AbortController();
  private following: Promise<void> = Promise.resolve();

  constructor(
    readonly feed: Feed,
    readonly name = `reader-${freshId()}`,
  ) {}

  begin(more: Partial<Following> = {}): Promise<void> {
    this.stop = new AbortController();
    this.following = this.feed.follow({
      consumer: this.name,
      topics: [TICKETS],
      from: async (topic, partition) => this.positions.get(`${topic}/${partition}`) ?? null,
      take: async (batch) => {
        await this.before(batch);
        this.batches.push(batch);
        this.records.push(...batch.records);
        this.positions.set(`${batch.topic}/${batch.partition}`, batch.next);
      },
      signal: this.stop.signal,
      ...more,
    });
    this.following.catch(() => undefined);
    return this.following;
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.following;
  }

  get ids(): string[] {
    return this.records.map(({ value }) => (JSON.parse(value) as CloudEvent).id);
  }

  /** Until all of these ids have come. */
  async has(ids: readonly string[]): Promise<void> {
    await eventually(() => ids.every((id) => this.ids.includes(id)), {
      ...WITHIN,
      what: `${ids.length} records came`,
    });
  }
}

/** The promises of a Feed, for the twin and every adapter. */
export function feedContract(name: string, open: () => Promise<OpenedFeed>): void {
  describe(`${name} keeps the promises of a feed`, () => {
    let opened: OpenedFeed;
    let readers: Reader[] = [];
    beforeAll(async () => {
      opened = await open();
    }, 120_000);
    beforeEach(() => {
      readers = [];
    });
    afterAll(() => opened.close());

    const reader = (name?: string): Reader => {
      const one = new Reader(opened.feed, name);
      readers.push(one);
      return one;
    };
    const ended = async (): Promise<void> => {
      await Promise.allSettled(readers.map((one) => one.end()));
    };
    const keys = Array.from({ length: 5 }, freshId);
    const publish = (rounds = 4): Promise<readonly string[]> =>
      opened.publish(Array.from({ length: rounds }, () => keys).flat());

    test('brings everything from the beginning, in order within a key, all of a key in one partition', async () => {
      const ids = await publish();
      const one = reader();
      void one.begin();
      await one.has(ids);
      for (const key of keys) {
        const own = one.records.filter((record) => record.key === key);
        expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
        const published = ids.filter((_, i) => keys[i % keys.length] === key);
        const came = own.map(({ value }) => (JSON.parse(value) as CloudEvent).id);
        expect(came.filter((id) => published.includes(id))).toEqual(published);
      }
      for (const { topic, key, value } of one.records) {
        const message = JSON.parse(value) as CloudEvent;
        expect([topic, key]).toEqual([TICKETS.name, message.subject]);
      }
      await ended();
    }, 60_000);

    test('brings what is published while it is followed, soon', async () => {
      const one = reader();
      void one.begin();
      await one.has(await publish(1));
      for (let round = 0; round < 3; round++) await one.has(await publish(1));
      await ended();
    }, 60_000);

    test('goes on where the reader says, and leaves nothing out between', async () => {
      const one = reader();
      void one.begin();
      const before = await publish(2);
      await one.has(before);
      await one.end();
      const between = await publish(2);
      const again = reader(one.name);
      for (const [partition, next] of one.positions) again.positions.set(partition, next);
      void again.begin();
      const afterwards = await publish(1);
      await again.has([...between, ...afterwards]);
      await ended();
    }, 60_000);

    test('brings nothing more of a partition while a batch of it is being digested', async () => {
      const one = reader();
      const busy = new Set<number>();
      let overlapped = false;
      let digested = 0;
      one.before = async ({ partition }) => {
        overlapped ||= busy.has(partition);
        busy.add(partition);
        await eventually(() => ++digested > 3);
        digested = 0;
        busy.delete(partition);
      };
      void one.begin();
      await one.has(await publish());
      await ended();
      expect(overlapped).toBe(false);
    }, 60_000);

    test('ends with the failure of the reader, and brings the same again', async () => {
      const one = reader();
      const failure = new Error('the reader cannot go on');
      let failing = true;
      one.before = async () => {
        if (failing) throw failure;
      };
      const ids = await publish(1);
      await expect(one.begin()).rejects.toBe(failure);
      expect(one.records).toEqual([]);
      failing = false;
      void one.begin();
      await one.has(ids);
      await ended();
    }, 60_000);

    test('ends at the signal once the batch at hand is digested', async () => {
      const one = reader();
      let release = (): void => {};
      let held = false;
      one.before = async () => {
        if (held) return;
        held = true;
        await new Promise<void>((resolve) => (release = resolve));
      };
      await publish(1);
      void one.begin();
      await eventually(() => held, WITHIN);
      const ended = one.end();
      let over = false;
      void ended.then(() => (over = true));
      await publish(1);
      expect(over).toBe(false);
      release();
      await ended;
      expect(one.batches.length).toBeGreaterThan(0);
    }, 60_000);

    test('brings everything to each of two consumers', async () => {
      const [one, two] = [reader(), reader()];
      void one.begin();
      void two.begin();
      const ids = await publish(2);
      await one.has(ids);
      await two.has(ids);
      await ended();
    }, 60_000);

    test('is not held up by another consumer that digests for long', async () => {
      const [slow, quick] = [reader(), reader()];
      let release = (): void => {};
      const stuck = new Promise<void>((resolve) => (release = resolve));
      slow.before = () => stuck;
      void slow.begin();
      void quick.begin();
      await quick.has(await publish(2));
      release();
      await ended();
    }, 60_000);

    test('says that it can be reached, and takes dead letters', async () => {
      expect(opened.feed.reachable).toBe(true);
      const one = reader();
      void one.begin();
      const ids = await publish(1);
      await one.has(ids);
      await opened.feed.bury(one.name, [{ delivery: one.records[0]!, reason: 'not-json: a test' }]);
      await ended();
    });
  });
}
