import { describe, expect, it } from '@jest/globals';
import { TICKETS } from '#contracts';
import { everyEvent } from '#engine/catalogue';
import type { Deliveries, Feed } from '#engine/feed';
import { feedContract, freshId } from '#engine/feed/testing';
import {
  codec,
  LogReplaced,
  memoryLog,
  memoryVault,
  NO_STREAM,
  OlderThanLog,
  type EventStore,
  type MemoryLog,
} from '#engine/store';
import { HOUSE, silent, START, toOrdinal, type Uuid } from '#kernel';
import { eventually } from '#kernel/testing';
import { localFeed, publicationOf } from './index.js';

const nothing = { bytes: (count: number) => Buffer.alloc(count) };
const { decode } = codec({ catalogue: everyEvent, vault: memoryVault(nothing), chance: nothing });

/** What happens on tickets, as the log holds it. */
class Happenings {
  private readonly revisions = new Map<string, number>();
  constructor(readonly log: MemoryLog = memoryLog()) {}

  async note(ticket: Uuid, type: string, data: object = {}): Promise<string> {
    const stream = `ticket-${ticket}`;
    const expected = this.revisions.get(stream) ?? NO_STREAM;
    this.revisions.set(stream, expected + 1);
    const id = freshId();
    const body = JSON.stringify({
      at: '2026-11-24T09:00:00Z',
      actor: { id: HOUSE, role: 'system' },
      correlation: 'c',
      engine: '1',
      data,
    });
    await this.log.append({ stream, expected, events: [{ id, type, body }] });
    return id;
  }

  closed = (ticket: Uuid): Promise<string> => this.note(ticket, 'desk.ticket-closed.v1');
  /** The outside learns nothing of it. */
  silent = (ticket: Uuid): Promise<string> => this.note(ticket, 'desk.note-added.v1', { author: HOUSE });
}

feedContract('The log as a feed', async () => {
  const happenings = new Happenings();
  const feed = localFeed({ store: happenings.log, decode, logger: silent });
  return {
    feed,
    publish: async (keys) => {
      const ids: string[] = [];
      for (const key of keys) {
        ids.push(await happenings.closed(key));
        await happenings.silent(key);
      }
      return ids;
    },
    close: () => feed.close(),
  };
});

/** Follows a feed and keeps what came. */
function reading(
  feed: Feed,
  from: string | null = null,
  take: (batch: Deliveries) => Promise<void> = async () => {},
) {
  const stop = new AbortController();
  const batches: Deliveries[] = [];
  const ended = feed.follow({
    consumer: `c-${freshId()}`,
    topics: [TICKETS],
    from: async () => from,
    take: async (batch) => {
      await take(batch);
      batches.push(batch);
    },
    signal: stop.signal,
  });
  ended.catch(() => undefined);
  return {
    batches,
    ended,
    ids: () => batches.flatMap(({ records }) => records.map(({ message }) => message!.id)),
    end: async () => {
      stop.abort();
      await ended;
    },
  };
}

/** A store that counts who reads it. */
function counted(log: EventStore): { readonly store: EventStore; readonly counts: Record<string, number> } {
  const counts: Record<string, number> = {};
  const store = new Proxy(log, {
    get: (target, name: keyof EventStore) => {
      const method = target[name] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        counts[name] = (counts[name] ?? 0) + 1;
        return method.apply(target, args);
      };
    },
  });
  return { store, counts };
}

describe('Consumers of one process', () => {
  it('share one reading of the log while they keep up, and each event is read once for all', async () => {
    const happenings = new Happenings();
    const { store, counts } = counted(happenings.log);
    let read = 0;
    const feed = localFeed({
      store,
      decode: (stored) => {
        read++;
        return decode(stored);
      },
      logger: silent,
    });
    const readers = [reading(feed), reading(feed), reading(feed)];
    const ids = [await happenings.closed(freshId())];
    for (const reader of readers) await eventually(() => reader.ids().length === 1);
    read = 0;
    for (let n = 0; n < 50; n++) ids.push(await happenings.closed(freshId()));
    for (const reader of readers) {
      await eventually(() => reader.ids().length === ids.length);
      expect(reader.ids()).toEqual(ids);
    }
    expect(counts['subscribe']).toBe(1);
    expect(read).toBe(50);
    for (const reader of readers) await reader.end();
  });

  it('who begins far behind holds nobody up, and joins the others', async () => {
    const happenings = new Happenings();
    const ids: string[] = [];
    for (let n = 0; n < 2_500; n++) ids.push(await happenings.closed(freshId()));
    const feed = localFeed({ store: happenings.log, decode, logger: silent });
    const early = reading(feed);
    await eventually(() => early.ids().length === 2_500);
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const late = reading(feed, null, () => gate);
    ids.push(await happenings.closed(freshId()));
    await eventually(() => early.ids().length === 2_501);
    expect(late.ids()).toEqual([]);
    release();
    await eventually(() => late.ids().length === 2_501);
    expect(late.ids()).toEqual(ids);
    expect(early.ids()).toEqual(ids);
    await Promise.all([early.end(), late.end()]);
  });

  it('who is far too slow for the others is brought everything all the same', async () => {
    const happenings = new Happenings();
    const feed = localFeed({ store: happenings.log, decode, logger: silent });
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const [quick, slow] = [reading(feed), reading(feed, null, () => gate)];
    const ids = [await happenings.closed(freshId())];
    await eventually(() => quick.ids().length === 1);
    for (let n = 0; n < 9_000; n++) ids.push(await happenings.closed(freshId()));
    await eventually(() => quick.ids().length === 9_001);
    release();
    await eventually(() => slow.ids().length === 9_001);
    expect(slow.ids()).toEqual(ids);
    await Promise.all([quick.end(), slow.end()]);
  });
});

describe('A silent stretch', () => {
  it('moves the position, but not at every event', async () => {
    const happenings = new Happenings();
    const ticket = freshId();
    await happenings.closed(ticket);
    const feed = localFeed({ store: happenings.log, decode, logger: silent });
    const reader = reading(feed);
    await eventually(() => reader.ids().length === 1);
    for (let n = 0; n < 500; n++) await happenings.silent(ticket);
    const { position } = await happenings.log.head();
    await eventually(() => feed.log!.standing(reader.batches.at(-1)!.next) === position);
    expect(reader.batches.length).toBeLessThan(8);
    await reader.end();
  });
});

describe('A position', () => {
  it('is followed by what stands behind it, and by nothing before', async () => {
    const happenings = new Happenings();
    const ids: string[] = [];
    for (let n = 0; n < 10; n++) ids.push(await happenings.closed(freshId()));
    const feed = localFeed({ store: happenings.log, decode, logger: silent });
    const first = reading(feed);
    await eventually(() => first.ids().length === 10);
    const { offset } = first.batches[0]!.records[3]!;
    await first.end();
    const second = reading(feed, offset);
    await eventually(() => second.ids().length === 6);
    expect(second.ids()).toEqual(ids.slice(4));
    await second.end();
  });

  it.each([
    ['of another log', 3],
    ['beyond the end of a log that was put back', 30],
  ])('%s stops the reader, and says what to do', async (_, position) => {
    const happenings = new Happenings();
    for (let n = 0; n < 10; n++) await happenings.closed(freshId());
    const feed = localFeed({ store: happenings.log, decode, logger: silent });
    const reader = reading(feed, `${String(position).padStart(16, '0')} ${freshId()}`);
    await expect(reader.ended).rejects.toBeInstanceOf(LogReplaced);
    await expect(reader.ended).rejects.toThrow(/npm run covenant -- consumers rebuild c-/);
  });
});

describe('An event of a later release', () => {
  it.each(['while it is followed', 'far behind'])(
    '%s ends it at its place, all before it brought',
    async (when) => {
      const happenings = new Happenings();
      const feed = localFeed({ store: happenings.log, decode, logger: silent });
      const early = when === 'far behind' ? null : reading(feed);
      const ids: string[] = [];
      for (let n = 0; n < 5; n++) ids.push(await happenings.closed(freshId()));
      if (early) await eventually(() => early.ids().length === 5);
      const place = (await happenings.log.head()).position;
      await happenings.note(freshId(), 'desk.ticket-closed.v99');
      ids.push(await happenings.closed(freshId()));
      const reader = early ?? reading(feed);
      await expect(reader.ended).rejects.toBeInstanceOf(OlderThanLog);
      expect(reader.ids()).toEqual(ids.slice(0, 5));
      expect(feed.log!.standing(reader.batches.at(-1)!.next)).toBe(place);
      await expect(reading(feed, reader.batches.at(-1)!.next).ended).rejects.toBeInstanceOf(OlderThanLog);
    },
  );
});

describe('The publication of a log', () => {
  it('is all that it has told the outside, in its order', async () => {
    const happenings = new Happenings();
    const ids: string[] = [];
    for (let n = 0; n < 1_200; n++) {
      ids.push(await happenings.closed(freshId()));
      await happenings.silent(freshId());
    }
    const { source, pages } = await publicationOf({ store: happenings.log, decode });
    expect(source).toBe(`/covenant/logs/${await happenings.log.identity()}`);
    const told: string[] = [];
    let last = START;
    for await (const { records, position } of pages(START, new AbortController().signal)) {
      told.push(...records.map(({ message }) => message!.id));
      last = position;
    }
    expect(told).toEqual(ids);
    expect(toOrdinal(last)).toBe(2_400);
  });
});
