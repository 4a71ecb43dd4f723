import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { silent, toPosition } from '#kernel';
import { appended, freshStream, sealContract, someEvent, someEvents } from '#engine/store/testing';
import { LogReplaced, LogUnavailable } from './errors.js';
import { memoryLog } from './memory.js';
import { NO_STREAM, type EventStore, type StoredEvent } from './port.js';
import { UNSEALED, memorySeal, type Irregularity, type Seal } from './seal.js';
import { numbered, sealing } from './sealing.js';

const now = (): number => 5;
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

sealContract('the memory seal', {
  open: async () => {
    const seal = memorySeal(now);
    return { seal, another: async () => ({ seal, close: async () => {} }), close: async () => {} };
  },
});

/** Seals until so many events are sealed. */
async function sealUpTo(
  count: number,
  store: Pick<EventStore, 'subscribe' | 'at'>,
  seal: Seal,
  alarm: (irregularity: Irregularity) => void = () => {},
): Promise<void> {
  const stop = new AbortController();
  const sealed = ({ ordinal }: { ordinal: number }): void => {
    if (ordinal >= count) stop.abort();
  };
  await sealing({ store, seal, logger: silent, pause, alarm, sealed }, stop.signal);
}

describe('sealing', () => {
  test('numbers every event from 1 on, in log order, and goes on where it was', async () => {
    const store = memoryLog();
    const seal = memorySeal(now);
    for (let i = 0; i < 5; i++)
      await appended(store, { stream: freshStream(), expected: NO_STREAM, events: someEvents(3) });
    await sealUpTo(15, store, seal);
    await appended(store, { stream: freshStream(), expected: NO_STREAM, events: someEvents(2) });
    await sealUpTo(17, store, seal);
    const all = await store.readAll(toPosition(0), 100);
    const sealed = await Promise.all(all.map((_, i) => seal.at(i + 1)));
    expect(sealed.map((entry) => entry!.id)).toEqual(all.map(({ id }) => id));
    expect(sealed.map((entry) => entry!.ordinal)).toEqual(all.map((_, i) => i + 1));
  });

  test('goes on after whatever may pass', async () => {
    const store = memoryLog();
    await appended(store, { stream: freshStream(), expected: NO_STREAM, events: someEvents(4) });
    let asked = 0;
    const flaky: Pick<EventStore, 'subscribe' | 'at'> = {
      at: store.at,
      subscribe: (after, options) => {
        if (asked++ < 3) throw new LogUnavailable('not now');
        return store.subscribe(after, options);
      },
    };
    const seal = memorySeal(now);
    await sealUpTo(4, flaky, seal);
    expect(await seal.head()).toMatchObject({ ordinal: 4 });
  });

  test('stops where the event it sealed last is not in the log', async () => {
    const [store, other] = [memoryLog(), memoryLog()];
    const seal = memorySeal(now);
    for (const log of [store, other])
      await appended(log, { stream: freshStream(), expected: NO_STREAM, events: someEvents(2) });
    await sealUpTo(2, store, seal);
    await expect(sealUpTo(9, other, seal)).rejects.toThrow(LogReplaced);
  });

  test('sounds the alarm at an id that is stored twice, and numbers both', async () => {
    const twice = someEvent();
    const stored = [someEvent(), twice, twice].map((event, i): StoredEvent => {
      const position = toPosition(i + 1);
      return { ...event, stream: freshStream(), revision: 0, position, recordedAt: i };
    });
    const store: Pick<EventStore, 'subscribe' | 'at'> = {
      at: async () => null,
      async *subscribe() {
        yield { events: stored, position: toPosition(3), caughtUp: true };
      },
    };
    const alarms: Irregularity[] = [];
    const seal = memorySeal(now);
    await sealUpTo(3, store, seal, (found) => alarms.push(found));
    expect(alarms).toMatchObject([{ is: 'id-repeated', first: 2, entry: { ordinal: 3 } }]);
    expect(await seal.head()).toMatchObject({ ordinal: 3 });
  });
});

test('times never fall, whatever the clock did, and ordinals have no gap', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { minLength: 1 }), fc.nat(20), (times, cut) => {
      const events = times.map((recordedAt, i): StoredEvent => {
        const position = toPosition(i + 1);
        return { ...someEvent(), stream: 'ticket-1', revision: i, position, recordedAt };
      });
      const first = numbered(UNSEALED, events.slice(0, cut));
      const all = [...first, ...numbered(first.at(-1) ?? UNSEALED, events.slice(cut))];
      expect(all.map(({ ordinal }) => ordinal)).toEqual(times.map((_, i) => i + 1));
      expect(all.map(({ recordedAt }) => recordedAt)).toEqual(
        times.map((_, i) => Math.max(...times.slice(0, i + 1))),
      );
    }),
  );
});
