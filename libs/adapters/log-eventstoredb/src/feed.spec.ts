import { describe, expect, test } from '@jest/globals';
import { eventually } from '#kernel/testing';
import { silent } from '#kernel';
import type { LogClient, Told, WireRecord } from './client.js';
import { CallFailed, Connection } from './connection.js';
import { Feed } from './feed.js';

const record = (position: number): WireRecord => ({
  stream: 'ticket-1',
  id: `id-${position}`,
  type: 't',
  revision: 0,
  position,
  created: 0,
  body: '{}',
  metadata: {},
});

/** A subscription moved by hand. */
class Hands {
  private readonly waiting: (WireRecord | Error)[] = [];
  private wake = (): void => {};
  told!: Told;
  cancelled = false;

  give(...records: (WireRecord | Error)[]): void {
    this.waiting.push(...records);
    this.wake();
  }

  open(room = 10, answerMs = 10_000): Feed {
    const { waiting } = this;
    const next = (): Promise<void> => new Promise((resolve) => (this.wake = resolve));
    const client = {
      follow: (_after: unknown, _prefixes: unknown, told: Told) => {
        this.told = told;
        return {
          cancel: () => (this.cancelled = true),
          async *records() {
            for (;;) {
              const one = waiting.shift();
              if (one instanceof Error) throw one;
              if (one) yield one;
              else await next();
            }
          },
        };
      },
    } as unknown as LogClient;
    const connection = new Connection(() => client, silent);
    return new Feed({ connection, prefixes: ['ticket-'], after: 'start', room, answerMs });
  }
}

const never = new AbortController().signal;
const positions = ({ records }: { readonly records: readonly WireRecord[] }): number[] =>
  records.map(({ position }) => position);

describe('a feed', () => {
  test('brings what has come, at most so many, and says when nothing is left', async () => {
    const hands = new Hands();
    const feed = hands.open();
    hands.give(record(1), record(2), record(3));
    await eventually(() => feed.ready === 3);
    expect(positions(feed.take(2))).toEqual([1, 2]);
    expect(feed.take(2)).toMatchObject({ empty: true, records: [{ position: 3 }] });
  });

  test('reads ahead only as far as there is room', async () => {
    const hands = new Hands();
    const feed = hands.open(2);
    hands.give(...[1, 2, 3, 4, 5].map(record));
    await eventually(() => feed.ready === 2);
    expect(feed.heard).toBe(2);
    feed.take(1);
    await eventually(() => feed.heard === 3);
    expect(positions(feed.take(5))).toEqual([2, 3]);
  });

  test('hands out what had come before it failed, then fails with the first cause', async () => {
    const hands = new Hands();
    const feed = hands.open();
    hands.give(record(1), Object.assign(new Error('gone'), { type: 'unavailable', code: 14 }));
    await eventually(() => feed.ended);
    expect(positions(feed.take(5))).toEqual([1]);
    expect(() => feed.take(5)).toThrow(CallFailed);
    expect(() => feed.take(5)).toThrow('gone');
    expect(hands.cancelled).toBe(true);
  });

  test('fails where the server gives no sign at all', async () => {
    const feed = new Hands().open(10, 20);
    await eventually(() => feed.ended);
    expect(() => feed.take(1)).toThrow(/not answered/);
  });

  test('moves over a foreign stretch only when the reader waits with nothing left and the server has gone on', async () => {
    const hands = new Hands();
    const feed = hands.open();
    hands.give(record(1));
    await eventually(() => feed.ready === 1);
    hands.told.checkpoint(50);
    hands.told.checkpoint(60);
    // The reader has not even taken the first.
    expect(feed.movedTo).toBeNull();
    feed.take(5);
    hands.told.checkpoint(70);
    // It has, but works on it.
    expect(feed.movedTo).toBeNull();
    const waits = feed.change(10_000, never);
    hands.told.checkpoint(80);
    await waits;
    expect(feed.movedTo).toBe(70);
  });

  test('does not believe a checkpoint that an earlier event of ours follows', async () => {
    const hands = new Hands();
    const feed = hands.open();
    await eventually(() => hands.told !== undefined);
    let waits = feed.change(10_000, never);
    hands.told.checkpoint(50);
    await waits;
    waits = feed.change(10_000, never);
    hands.give(record(40));
    await waits;
    feed.take(5);
    waits = feed.change(10_000, never);
    hands.told.checkpoint(60);
    await waits;
    expect(feed.movedTo).toBeNull();
  });

  test('ends its reading when it is closed', async () => {
    const hands = new Hands();
    const feed = hands.open();
    await eventually(() => hands.told !== undefined);
    feed.close();
    expect(hands.cancelled).toBe(true);
  });
});
