import { describe, expect, test } from '@jest/globals';
import { memoryOutlet, OutletUnavailable, relay } from '#engine/announce';
import { byKey, relayingContract } from '#engine/announce/testing';
import { memoryLog } from '#engine/store';
import { append, decode, freshTicket, History } from '#engine/views/testing';
import { silent } from '#kernel';

relayingContract('the twin in memory', async () => {
  const outlet = memoryOutlet();
  return {
    outlet: () => outlet,
    read: async () => outlet.messages,
    forget: async () => outlet.forget(),
    close: async () => {},
  };
});

describe('A relay whose outlet fails', () => {
  test('starts again with growing pauses, whether or not its put was done, and loses and doubles nothing', async () => {
    const store = memoryLog();
    const outlet = memoryOutlet();
    const history = new History();
    for (let i = 0; i < 6; i++) history.ticket(freshTicket(), 'desk.ticket-opened.v1');
    await append(store, history.events);
    const pauses: number[] = [];
    const restarts: unknown[] = [];
    const stop = new AbortController();
    const gone = new OutletUnavailable('the brokers are gone');
    for (const written of [false, true, true, false]) outlet.failNext(gone, written);
    await relay(
      {
        store,
        decode,
        outlet,
        logger: silent,
        batchSize: 2,
        pause: async (milliseconds) => void pauses.push(milliseconds),
        watch: {
          restarted: (error) => restarts.push(error),
          put: ({ standing }) => {
            if (standing.position === history.events.at(-1)!.position) stop.abort();
          },
        },
      },
      stop.signal,
    );
    expect(restarts).toEqual(Array(4).fill(gone));
    expect(pauses.slice(0, 4)).toEqual([100, 200, 400, 800]);
    const told = byKey(outlet.messages);
    expect(Object.keys(told)).toHaveLength(6);
    expect(outlet.messages).toHaveLength(6);
  });

  test('notices it also where only silent events were to be passed over', async () => {
    const store = memoryLog();
    const outlet = memoryOutlet();
    const history = new History();
    history.ticket(freshTicket(), 'desk.note-added.v1');
    await append(store, history.events);
    const stop = new AbortController();
    const restarts: unknown[] = [];
    await relay(
      {
        store,
        decode,
        outlet,
        logger: silent,
        pause: async () => {},
        watch: {
          held: () => {
            if (restarts.length === 0) outlet.failNext(new OutletUnavailable('the brokers are gone'));
          },
          restarted: (error) => restarts.push(error),
          put: ({ standing }) => {
            if (standing.position === history.events[0]!.position) stop.abort();
          },
        },
      },
      stop.signal,
    );
    expect(restarts).toHaveLength(1);
    expect((await outlet.standing())!.event).toBe(history.events[0]!.id);
  });
});
