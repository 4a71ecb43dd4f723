import { describe, expect, test } from '@jest/globals';
import { appended, eventStoreContract, everything, freshStream, someEvents } from '#engine/store/testing';
import { memoryLog } from './memory.js';
import { NO_STREAM } from './port.js';

eventStoreContract('the memory log', {
  open: async () => {
    const store = memoryLog();
    return { store, another: async () => store.another(), close: () => store.close() };
  },
});

describe('the memory log', () => {
  test('records no event before an earlier one, though its clock falls', async () => {
    const readings = [5_000, 3_000, 4_000, 9_000];
    const store = memoryLog({ clock: () => readings.shift()! });
    for (let i = 0; i < 4; i++)
      await appended(store, { stream: freshStream(), expected: NO_STREAM, events: someEvents(1) });
    expect((await everything(store)).map((e) => e.recordedAt)).toEqual([5_000, 5_000, 5_000, 9_000]);
  });

  test('has an identity of its own', async () => {
    expect(await memoryLog().identity()).not.toBe(await memoryLog().identity());
  });
});
