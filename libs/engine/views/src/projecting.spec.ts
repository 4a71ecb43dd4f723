import { describe, expect, test } from '@jest/globals';
import { memoryLog } from '#engine/store';
import { everyView, memoryViewStore, project, queueItems } from '#engine/views';
import { append, decode, freshTicket, History, projectingContract } from '#engine/views/testing';
import { silent } from '#kernel';

projectingContract(
  'the twins in memory',
  async () => {
    const store = memoryLog();
    const into = memoryViewStore();
    return {
      store,
      into,
      rows: async (view) => into.rows(view),
      tallies: async (view) => into.tallies(view),
      otherLog: async () => memoryLog(),
      tamper: async (view, key) => into.tamper(view, key),
      close: () => store.close(),
    };
  },
  100,
);

describe('A projector whose database is lost', () => {
  test('waits with growing pauses, starts again under new tokens, and loses and doubles nothing', async () => {
    const store = memoryLog();
    const into = memoryViewStore();
    const history = new History();
    for (let i = 0; i < 6; i++) history.ticket(freshTicket(), 'desk.ticket-opened.v1');
    await append(store, history.events);
    const pauses: number[] = [];
    const restarts: unknown[] = [];
    const stop = new AbortController();
    let losses = 5;
    const running = project(
      {
        store,
        decode,
        views: everyView,
        into,
        logger: silent,
        batchSize: 2,
        pause: async (milliseconds) => {
          pauses.push(milliseconds);
          if (losses-- > 0) into.failNext(new Error('the database is gone'));
        },
        watch: {
          restarted: (error) => restarts.push(error),
          batch: ({ position }) => {
            if (position === history.events.at(-1)!.position) stop.abort();
          },
        },
      },
      stop.signal,
    );
    into.failNext(new Error('the database is gone'));
    await running;
    expect(restarts.map(String)).toEqual(Array(6).fill('Error: the database is gone'));
    expect(pauses.slice(0, 6)).toEqual([100, 200, 400, 800, 1600, 3200]);
    expect(into.tallies(queueItems)).toEqual({ intake: { waiting: 6 } });
    expect((await into.checkpoint('tickets'))!.token).toBe(7);
  });
});
