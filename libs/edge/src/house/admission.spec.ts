import { describe, expect, it } from '@jest/globals';
import { OlderThanLog, type Transactor } from '#engine/store';
import { Problem } from '../problem/problem.js';
import { admission, admitted, LEAST_FREE } from './admission.js';

const counting = (fail?: Error) => {
  let decided = 0;
  const transactor = {
    transact: async () => {
      decided++;
      if (fail) throw fail;
      return { outcome: 'key-reused' };
    },
    load: async () => {
      if (fail) throw fail;
      return {};
    },
  } as unknown as Transactor<never, never, never, never>;
  return { transactor, decided: () => decided };
};
const request = {} as never;

describe('Commands', () => {
  it('are decided while nothing stands against it', async () => {
    const { transactor, decided } = counting();
    const gate = admission();
    gate.free(LEAST_FREE);
    await admitted(gate, transactor).transact(request, () => request);
    expect(decided()).toBe(1);
  });

  it('wait for room on the disk, and go on once there is', async () => {
    const { transactor, decided } = counting();
    const gate = admission();
    const guarded = admitted(gate, transactor);
    gate.free(LEAST_FREE - 1);
    const refused = await guarded.transact(request, () => request).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Problem);
    expect(refused).toMatchObject({ code: 'storage-low', httpStatus: 503 });
    expect(decided()).toBe(0);
    gate.free(LEAST_FREE);
    await guarded.transact(request, () => request);
    expect(decided()).toBe(1);
  });

  it.each(['transact', 'load'] as const)(
    'are decided no more once %s met an event of a later release, whatever their stream',
    async (way) => {
      const gate = admission();
      const meeting = admitted(gate, counting(new OlderThanLog('desk.ticket-opened.v99')).transactor);
      await expect(
        way === 'load' ? meeting.load('ticket-1') : meeting.transact(request, () => request),
      ).rejects.toBeInstanceOf(OlderThanLog);
      expect(gate.olderThan).toBe('desk.ticket-opened.v99');
      const { transactor, decided } = counting();
      await expect(admitted(gate, transactor).transact(request, () => request)).rejects.toThrow('v99');
      expect(decided()).toBe(0);
    },
  );

  it('go on after any other error', async () => {
    const gate = admission();
    await expect(admitted(gate, counting(new Error('lost')).transactor).load('ticket-1')).rejects.toThrow();
    gate.demand();
  });
});
