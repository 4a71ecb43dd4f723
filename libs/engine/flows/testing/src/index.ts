import { describe, expect, it } from '@jest/globals';
import { FlowFenced, type FlowCheckpoints } from '#engine/flows';
import { START, toPosition, type Uuid } from '#kernel';

const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;

/** What every adapter of FlowCheckpoints promises; `another` is a second process on the same checkpoints. */
export function flowCheckpointsContract(
  open: () => Promise<{ checkpoints: FlowCheckpoints; another: FlowCheckpoints; close(): Promise<void> }>,
): void {
  const withOpen = async (
    test: (checkpoints: FlowCheckpoints, another: FlowCheckpoints) => Promise<void>,
  ): Promise<void> => {
    const { checkpoints, another, close } = await open();
    try {
      await test(checkpoints, another);
    } finally {
      await close();
    }
  };
  const never = new AbortController().signal;

  describe('A checkpoint of a flow', () => {
    it('begins before the first event of its log, and goes on where it was', () =>
      withOpen(async (checkpoints, another) => {
        const first = await checkpoints.start('merging', id(1));
        expect(first).toEqual({
          flow: 'merging',
          token: 1,
          log: id(1),
          position: START,
          event: null,
          held: [],
        });
        const held = [
          { position: toPosition(3), stream: 'ticket-a', problem: null },
          { position: toPosition(4), stream: null, problem: 'TypeError' },
        ];
        const moved = await checkpoints.move(first, { position: toPosition(7), event: id(2), held });
        expect(await another.start('merging', id(9))).toEqual({ ...moved, token: 2, log: id(1) });
        expect((await another.start('linking', id(9))).position).toBe(START);
      }));

    it('is not moved under an older token, nor from another position', () =>
      withOpen(async (checkpoints, another) => {
        const first = await checkpoints.start('merging', id(1));
        const second = await another.start('merging', id(1));
        const to = { position: toPosition(1), event: id(2), held: [] };
        await expect(checkpoints.move(first, to)).rejects.toThrow(FlowFenced);
        await another.move(second, to);
        await expect(another.move(second, { ...to, position: toPosition(2) })).rejects.toThrow(FlowFenced);
        expect((await checkpoints.start('merging', id(1))).position).toBe(toPosition(1));
      }));
  });

  describe('A flow that is forgotten', () => {
    it('begins anew, in another log if need be, and fences who ran it', () =>
      withOpen(async (checkpoints, another) => {
        const first = await checkpoints.start('merging', id(1));
        const to = { position: toPosition(7), event: id(2), held: [] };
        const moved = await checkpoints.move(first, to);
        await checkpoints.start('linking', id(1));
        expect((await another.stand()).map(({ flow, position }) => [flow, position])).toEqual([
          ['linking', START],
          ['merging', toPosition(7)],
        ]);
        await another.forget('merging');
        await expect(checkpoints.move(moved, { ...to, position: toPosition(8) })).rejects.toThrow(FlowFenced);
        expect(await another.start('merging', id(9))).toMatchObject({
          log: id(9),
          position: START,
          event: null,
        });
      }));
  });

  describe('The lead of a flow', () => {
    it('is one runner’s, and passes on when it lets go', () =>
      withOpen(async (checkpoints, another) => {
        const lead = await checkpoints.lead('merging', never);
        let passed = false;
        const next = another.lead('merging', never).then((got) => {
          passed = true;
          return got;
        });
        // Another flow has a lead of its own.
        await (await another.lead('linking', never)).release();
        expect(passed).toBe(false);
        await lead.release();
        await (await next).release();
      }));

    it('is waited for no longer than wanted', () =>
      withOpen(async (checkpoints, another) => {
        const lead = await checkpoints.lead('merging', never);
        const stop = new AbortController();
        const waiting = another.lead('merging', stop.signal);
        stop.abort();
        await expect(waiting).rejects.toThrow();
        await lead.release();
      }));
  });
}
