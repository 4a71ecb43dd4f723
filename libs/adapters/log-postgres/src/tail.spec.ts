import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toOrdinal, toPosition, uuidV8 } from '#kernel';
import type { StoredEvent } from '#engine/store';
import { Tail } from './tail.js';

const event = (ordinal: number): StoredEvent => ({
  id: uuidV8(Buffer.alloc(16, ordinal)),
  type: 'desk.note-added.v1',
  body: '{}',
  stream: 'ticket-1',
  revision: ordinal - 1,
  position: toPosition(ordinal),
  recordedAt: ordinal,
});

const KEPT = 40;

/** A log of so many events that counts how often it is asked. */
function log(size: number) {
  const asked = { size, reads: 0 };
  const tail = new Tail(async (after, limit) => {
    asked.reads++;
    const from = toOrdinal(after);
    return Array.from({ length: Math.max(0, Math.min(limit, asked.size - from)) }, (_, i) =>
      event(from + i + 1),
    );
  }, KEPT);
  return { asked, tail };
}

const ordinals = (events: readonly StoredEvent[]): readonly number[] =>
  events.map(({ position }) => toOrdinal(position));

describe('The end of the log', () => {
  it('is asked for once, however many follow it', async () => {
    const { asked, tail } = log(10);
    const read = await Promise.all([1, 2, 3].map(() => tail.after(toPosition(4), 100)));
    expect(read.map(ordinals)).toEqual([1, 2, 3].map(() => [5, 6, 7, 8, 9, 10]));
    expect(asked.reads).toBe(1);
    asked.size = 12;
    expect(ordinals(await tail.after(toPosition(10), 100))).toEqual([11, 12]);
    expect(ordinals(await tail.after(toPosition(9), 2))).toEqual([10, 11]);
    expect(asked.reads).toBe(2);
  });

  it('is given to nobody who is further back without what lies between', async () => {
    const { tail } = log(900);
    await tail.after(toPosition(890), 100);
    expect(ordinals(await tail.after(toPosition(0), 3))).toEqual([1, 2, 3]);
    expect(ordinals(await tail.after(toPosition(895), 3))).toEqual([896, 897, 898]);
  });

  it('leaves an error to those who waited, and is asked for again by the next', async () => {
    let fails = true;
    const tail = new Tail(async () => {
      if (fails) throw new Error('lost');
      return [event(1)];
    });
    const both = await Promise.allSettled([tail.after(toPosition(0), 9), tail.after(toPosition(0), 9)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(ordinals(await tail.after(toPosition(0), 9))).toEqual([1]);
  });

  it('gives everybody every event in order, whatever their pace', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ who: fc.nat(3), limit: fc.integer({ min: 1, max: 30 }), grows: fc.nat(30) }), {
          maxLength: 60,
        }),
        async (turns) => {
          const { asked, tail } = log(0);
          const seen = [0, 0, 0, 0];
          for (const { who, limit, grows } of turns) {
            asked.size += grows;
            const read = ordinals(await tail.after(toPosition(seen[who]!), limit));
            expect(read).toEqual(read.map((_, i) => seen[who]! + i + 1));
            expect(read.length).toBeLessThanOrEqual(limit);
            if (seen[who]! < asked.size) expect(read.length).toBeGreaterThan(0);
            seen[who] = read.at(-1) ?? seen[who]!;
          }
        },
      ),
    );
  });
});
