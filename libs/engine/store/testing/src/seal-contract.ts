import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toPosition } from '#kernel';
import { SealFenced, UNSEALED, type Seal, type SealEntry } from '#engine/store';
import { freshId, freshStream } from './some.js';

export interface OpenedSeal {
  readonly seal: Seal;
  /** A second process on the same seal. */
  another?(): Promise<{ readonly seal: Seal; close(): Promise<void> }>;
  close(): Promise<void>;
}

/** Every sentence of seal.ts as a test; each adapter and the twin run it, on a seal that is new. */
export function sealContract(name: string, under: { open(): Promise<OpenedSeal> }): void {
  describe(`${name} keeps the promises of a seal`, () => {
    let opened: OpenedSeal;
    let seal: Seal;
    const never = new AbortController().signal;
    const entry = (ordinal: number, more: Partial<SealEntry> = {}): SealEntry => ({
      ordinal,
      position: toPosition(ordinal * 100),
      id: freshId(),
      stream: freshStream(),
      revision: 0,
      recordedAt: ordinal * 1_000,
      ...more,
    });

    beforeAll(async () => {
      opened = await under.open();
      seal = opened.seal;
    });
    afterAll(() => opened.close());

    test('it is empty at first, and belongs to the log that claims it first', async () => {
      expect(await seal.log()).toBeNull();
      expect(await seal.head()).toEqual(UNSEALED);
      expect(await seal.upTo(toPosition(5))).toEqual(UNSEALED);
      expect(await seal.at(1)).toBeNull();
      const [mine, other] = [freshId(), freshId()];
      expect(await seal.claim(mine)).toBe(mine);
      expect(await seal.claim(other)).toBe(mine);
      expect(await seal.log()).toBe(mine);
    });

    test('entries are found by ordinal, and the last one up to any position', async () => {
      const lead = await seal.lead(never);
      expect(lead.head).toEqual(UNSEALED);
      const entries = [entry(1), entry(2), entry(3)];
      expect(await lead.record(entries.slice(0, 2))).toEqual([]);
      expect(await lead.record(entries.slice(2))).toEqual([]);
      await lead.release();
      const { stream: _, revision: __, ...head } = entries[2]!;
      expect(await seal.head()).toEqual(head);
      expect(await seal.at(2)).toEqual(entries[1]);
      expect(await seal.at(4)).toBeNull();
      expect(await seal.upTo(toPosition(200))).toMatchObject({ ordinal: 2 });
      expect(await seal.upTo(toPosition(299))).toMatchObject({ ordinal: 2 });
      expect(await seal.upTo(toPosition(99))).toEqual(UNSEALED);
    });

    test('a repeated id and a missing revision are noticed, and stay recorded', async () => {
      const lead = await seal.lead(never);
      const first = (await seal.at(1))!;
      const stream = freshStream();
      const own = freshId();
      const entries = [
        entry(4, { id: first.id }),
        entry(5, { stream, id: own }),
        entry(6, { stream, revision: 1 }),
        entry(7, { stream, revision: 3 }),
        entry(8, { id: own }),
      ];
      expect(await lead.record(entries)).toEqual(
        expect.arrayContaining([
          { is: 'id-repeated', entry: entries[0], first: 1 },
          { is: 'revision-missing', entry: entries[3] },
          { is: 'id-repeated', entry: entries[4], first: 5 },
        ]),
      );
      await lead.release();
      expect(await seal.at(4)).toEqual(entries[0]);
      expect(await seal.head()).toMatchObject({ ordinal: 8 });
    });

    test('one sealer leads at a time, and whoever waits can give up', async () => {
      const lead = await seal.lead(never);
      const impatient = new AbortController();
      const waiting = seal.lead(impatient.signal);
      impatient.abort();
      await expect(waiting).rejects.toThrow();
      const next = seal.lead(never);
      await lead.release();
      const later = await next;
      expect(later.head).toMatchObject({ ordinal: 8 });
      await expect(lead.record([entry(9)])).rejects.toThrow();
      await later.release();
      expect(await seal.head()).toMatchObject({ ordinal: 8 });
    });

    test('a sealer that another one has followed writes nothing', async () => {
      if (!opened.another) return;
      const other = await opened.another();
      const lead = await other.seal.lead(never);
      await lead.record([entry(9)]);
      await lead.release();
      const [mine, again] = [await seal.lead(never), entry(9)];
      await expect(mine.record([again])).rejects.toThrow(SealFenced);
      await mine.release();
      await other.close();
      expect((await seal.at(9))!.id).not.toBe(again.id);
    });

    test('steps are told in order, each once', async () => {
      const [early, late] = [
        { position: toPosition(100), recordedAt: 1_000 },
        { position: toPosition(300), recordedAt: 3_000 },
      ];
      expect(await seal.steps()).toEqual([]);
      await Promise.all([seal.step(late), seal.step(early), seal.step(early)]);
      expect(await seal.steps()).toEqual([early, late]);
    });

    test('its clock goes on', async () => {
      const before = await seal.now();
      expect(Number.isSafeInteger(before)).toBe(true);
      expect(await seal.now()).toBeGreaterThanOrEqual(before);
    });
  });
}
