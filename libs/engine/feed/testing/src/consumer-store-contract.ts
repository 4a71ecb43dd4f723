import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { analytics, type TicketMeasures } from '#engine/analytics';
import {
  Fenced,
  ValueRefused,
  type ConsumerStore,
  type ConsumerTransaction,
  type Delivery,
  type Move,
} from '#engine/feed';
import { eventually } from '#kernel/testing';
import { toInstant, type Instant } from '#kernel';
import { freshId, MONDAY, SOURCE } from './messages.js';

export interface OpenedConsumerStore {
  /** Of the consumer `analytics`. */
  readonly store: ConsumerStore<TicketMeasures>;
  /** Another process on the same tables. */
  readonly second: ConsumerStore<TicketMeasures>;
  /** All rows by ticket, as others read them. */
  rows(): Promise<Readonly<Record<string, TicketMeasures>>>;
  /** Counts other than 0, by the values of their dimensions with `/` between. */
  counts(): Promise<Readonly<Record<string, number>>>;
  /** Everything gone, as before the first start. */
  empty(): Promise<void>;
  /** Changes the row of a ticket behind everybody's back. */
  tamper(ticket: string): Promise<void>;
  close(): Promise<void>;
}

/** UTC days; zones are not what stores are about. */
export const inUtc = analytics({ zone: 'UTC', tzdb: '2026f', dayOf: (_, __, at) => at.slice(0, 10) });

const never = new AbortController().signal;
const at = (seconds: number): Instant => toInstant(MONDAY + seconds);

const row = (ticket: string, more: Partial<TicketMeasures> = {}): TicketMeasures => ({
  ticket,
  revision: 0,
  tier: 'base',
  channel: 'phone',
  standing: 'open',
  openedAt: at(0),
  answeredAt: null,
  resolvedAt: [],
  reopenedAt: [],
  mergedAt: null,
  breaches: [],
  ...more,
});

const move = (more: Partial<Move> = {}): Move => ({
  feed: 'kafka',
  topic: 'covenant.tickets.v1',
  partition: 3,
  from: null,
  to: '17',
  generation: 1,
  digested: 5,
  repeats: 2,
  buried: 1,
  recordedAt: 1_795_424_400_000_001,
  ...more,
});

const delivery = (key: string, offset: string, value = '{}'): Delivery => ({
  topic: 'covenant.tickets.v1',
  partition: 3,
  offset,
  key,
  value,
});

/** The promises of a ConsumerStore, for the twin and every adapter. */
export function consumerStoreContract(name: string, open: () => Promise<OpenedConsumerStore>): void {
  describe(`${name} keeps the promises of a consumer store`, () => {
    let opened: OpenedConsumerStore;
    let store: ConsumerStore<TicketMeasures>;
    beforeAll(async () => {
      opened = await open();
      ({ store } = opened);
    });
    beforeEach(() => opened.empty());
    afterAll(() => opened.close());

    const start = () => store.start(inUtc);
    const saved = (...rows: readonly TicketMeasures[]) =>
      new Map(rows.map((one) => [one.ticket, one] as const));
    const failing = new Error('the work fails');

    test('begins with the values of its consumer, and keeps those it has', async () => {
      expect(await store.state()).toBeNull();
      expect(await start()).toEqual({
        version: 1,
        pinned: { zone: 'UTC', tzdb: '2026f' },
        source: null,
        generation: 1,
      });
      const other = await opened.second.start({
        version: 2,
        pinned: { zone: 'Europe/Berlin', tzdb: '2026f' },
      });
      expect(other).toEqual(await store.state());
      expect(other.version).toBe(1);
    });

    test('keeps all that a transaction wrote, to the last field', async () => {
      await start();
      const [a, b] = [freshId(), freshId()];
      const full = row(b, {
        revision: 7,
        tier: 'vip',
        channel: 'e-mail',
        standing: 'merged',
        answeredAt: at(60),
        resolvedAt: [at(70), at(90)],
        reopenedAt: [at(80)],
        mergedAt: at(100),
        breaches: [{ clock: 'resolution', cycle: 2, due: at(50) }],
      });
      await store.transact(async ({ tables }) => {
        await tables.save(saved(row(a), full));
        await tables.count([
          { tally: { day: '2026-11-23', tier: 'vip', channel: 'e-mail', measure: 'opened' }, by: 2 },
          { tally: { day: '2026-11-23', tier: 'base', channel: 'phone', measure: 'opened' }, by: 1 },
        ]);
      });
      expect(await opened.rows()).toEqual({ [a]: row(a), [b]: full });
      await store.transact(async ({ tables }) => {
        const loaded = await tables.load([b, freshId()]);
        expect([...loaded]).toEqual([[b, full]]);
        await tables.save(saved(row(a, { revision: 1, standing: 'done', resolvedAt: [at(5)] })));
        await tables.count([
          { tally: { day: '2026-11-23', tier: 'vip', channel: 'e-mail', measure: 'opened' }, by: -2 },
          { tally: { day: '2026-11-23', tier: 'base', channel: 'phone', measure: 'opened' }, by: 3 },
        ]);
      });
      expect((await opened.rows())[a]).toMatchObject({ revision: 1, standing: 'done' });
      expect(await opened.counts()).toEqual({ '2026-11-23/base/phone/opened': 4 });
    });

    test('keeps nothing of a transaction that fails', async () => {
      await start();
      const id = freshId();
      const work = store.transact(async (tx) => {
        await tx.tables.save(saved(row(id)));
        await tx.tables.count([
          { tally: { day: '2026-11-23', tier: 't', channel: 'c', measure: 'm' }, by: 1 },
        ]);
        await tx.see([id]);
        await tx.bury('kafka', [{ delivery: delivery(id, '1'), reason: 'not-json: x' }]);
        await tx.pin(SOURCE);
        await tx.move(move());
        throw failing;
      });
      await expect(work).rejects.toBe(failing);
      expect(await opened.rows()).toEqual({});
      expect(await opened.counts()).toEqual({});
      expect(await store.positions()).toEqual([]);
      expect(await store.letterFigures()).toEqual({ letters: 0, keys: 0 });
      expect((await store.state())!.source).toBeNull();
      await store.transact(async (tx) => expect(await tx.see([id])).toEqual(new Set([id])));
    });

    test('an attempt that fails leaves nothing, and what stands around it stays', async () => {
      await start();
      const [a, b, c] = [freshId(), freshId(), freshId()];
      await store.transact(async (tx) => {
        await tx.tables.save(saved(row(a)));
        const attempt = tx.attempt(async () => {
          await tx.tables.save(saved(row(b)));
          throw failing;
        });
        await expect(attempt).rejects.toBe(failing);
        const refused = tx.attempt(() => tx.tables.save(saved(row(freshId(), { channel: 'a\0b' }))));
        await expect(refused).rejects.toBeInstanceOf(ValueRefused);
        await tx.attempt(() => tx.tables.save(saved(row(c))));
      });
      expect(Object.keys(await opened.rows()).sort()).toEqual([a, c].sort());
    });

    test('tells ids that were taken in from those that are new', async () => {
      await start();
      const ids = Array.from({ length: 4 }, freshId);
      await store.transact(async (tx) =>
        expect(await tx.see(ids.slice(0, 3))).toEqual(new Set(ids.slice(0, 3))),
      );
      await store.transact(async (tx) => expect(await tx.see(ids)).toEqual(new Set([ids[3]])));
    });

    test('two transactions that take the same ids in at once do so once', async () => {
      await start();
      const ids = Array.from({ length: 50 }, freshId);
      const taken = await Promise.all(
        [store, opened.second].map((one, i) =>
          one.transact(async (tx) => {
            const news = await tx.see(i === 0 ? ids : [...ids].reverse());
            return news.size;
          }),
        ),
      );
      expect(taken[0]! + taken[1]!).toBe(50);
    });

    test('moves a position only from where it stands, and adds up what was taken in', async () => {
      await start();
      const moves = (more: Partial<Move>) => store.transact((tx) => tx.move(move(more)));
      await moves({});
      await expect(moves({})).rejects.toBeInstanceOf(Fenced);
      await expect(moves({ from: '16', to: '20' })).rejects.toBeInstanceOf(Fenced);
      await moves({ from: '17', to: '20', recordedAt: null });
      await moves({ from: '20', to: '20', digested: 0, repeats: 1, buried: 0 });
      expect(await store.positions()).toEqual([
        {
          feed: 'kafka',
          topic: 'covenant.tickets.v1',
          partition: 3,
          next: '20',
          digested: 10,
          repeats: 5,
          buried: 2,
          recordedAt: 1_795_424_400_000_001,
        },
      ]);
      expect(await store.position(move())).toBe('20');
      expect(await store.position(move({ feed: 'local' }))).toBeNull();
      expect(await store.position(move({ partition: 4 }))).toBeNull();
    });

    test('a position that stands nowhere yet may stay so, but not under another generation', async () => {
      await start();
      await store.transact((tx) => tx.move(move({ to: null })));
      expect(await store.positions()).toEqual([]);
      for (const to of [null, '17'])
        await expect(store.transact((tx) => tx.move(move({ to, generation: 0 })))).rejects.toBeInstanceOf(
          Fenced,
        );
    });

    test('of two that move one position at once, one is fenced', async () => {
      await start();
      for (const from of [null, '17']) {
        const outcomes = await Promise.allSettled(
          [store, opened.second].map((one) =>
            one.transact((tx) => tx.move(move({ from, to: from === null ? '17' : '18' }))),
          ),
        );
        const failures = outcomes.flatMap((one) =>
          one.status === 'rejected' ? [one.reason as unknown] : [],
        );
        expect(failures).toEqual([expect.any(Fenced)]);
      }
    });

    test('is of one log', async () => {
      await start();
      await store.transact((tx) => tx.pin(SOURCE));
      await store.transact((tx) => tx.pin(SOURCE));
      expect((await store.state())!.source).toBe(SOURCE);
      await expect(store.transact((tx) => tx.pin('/covenant/logs/other'))).rejects.toBeInstanceOf(Fenced);
    });

    test('keeps dead letters in their order, each once, whatever they hold', async () => {
      await start();
      const odd = ['', 'a\0b', '\ud800', 'ä😀', '{"'];
      const letters = odd.map((text, i) => ({
        delivery: delivery(text, String(i), text),
        reason: `r: ${i}`,
      }));
      const more = { delivery: delivery('', '9'), reason: 'behind: x' };
      await store.transact((tx) => tx.bury('kafka', [...letters, more]));
      await store.transact((tx) => tx.bury('kafka', letters));
      const kept = await store.letters(0, 100);
      expect(kept.map(({ reason }) => reason)).toEqual([...letters, more].map(({ reason }) => reason));
      expect(kept.map(({ delivery: { offset } }) => offset)).toEqual(['0', '1', '2', '3', '4', '9']);
      expect(kept[3]).toMatchObject({ feed: 'kafka', delivery: delivery('ä😀', '3', 'ä😀') });
      expect((await store.letters(kept[1]!.number, 2)).map(({ number }) => number)).toEqual([
        kept[2]!.number,
        kept[3]!.number,
      ]);
      expect(await store.letterFigures()).toEqual({ letters: 6, keys: 5 });
      expect((await store.keysWithLetters())[0]).toBe('');
      await store.transact(async (tx) => {
        expect(await tx.blocked(['', 'ä😀', 'free'])).toEqual(new Set(['', 'ä😀']));
        expect((await tx.lettersOf('')).map(({ delivery: { offset } }) => offset)).toEqual(['0', '9']);
        await tx.blame(kept[5]!.number, 'threw: Error');
        await tx.unbury([kept[0]!.number]);
      });
      expect((await store.letters(0, 100)).map(({ reason }) => reason).at(-1)).toBe('threw: Error');
      expect(await store.letterFigures()).toEqual({ letters: 5, keys: 5 });
    });

    test('remembers which dead letters were told', async () => {
      await start();
      const letters = [1, 2, 3].map((i) => ({ delivery: delivery('k', String(i)), reason: 'not-json: x' }));
      await store.transact((tx) => tx.bury('kafka', letters));
      const untold = await store.untold(2);
      expect(untold.map(({ delivery: { offset } }) => offset)).toEqual(['1', '2']);
      await store.told(untold.map(({ number }) => number));
      expect((await store.untold(10)).map(({ delivery: { offset } }) => offset)).toEqual(['3']);
    });

    test('lets one lead, and the next when it leaves', async () => {
      const first = await store.lead(never);
      const stop = new AbortController();
      const gaveUp = opened.second.lead(stop.signal);
      stop.abort(new Error('enough'));
      await expect(gaveUp).rejects.toThrow('enough');
      let second = false;
      const waiting = opened.second.lead(never).then((lead) => {
        second = true;
        return lead;
      });
      expect(second).toBe(false);
      await first.release();
      const lead = await waiting;
      expect(lead.lost.aborted).toBe(false);
      await lead.release();
    });

    describe('beside the live tables', () => {
      const fill = async (
        one: ConsumerStore<TicketMeasures>,
        ids: readonly string[],
        more: (tx: ConsumerTransaction<TicketMeasures>) => Promise<void> = async () => {},
      ): Promise<void> => {
        await one.start(inUtc);
        await one.transact(async (tx) => {
          await tx.see(ids);
          await tx.tables.save(saved(...ids.map((id) => row(id))));
          await tx.tables.count([
            {
              tally: { day: '2026-11-23', tier: 'base', channel: 'phone', measure: 'opened' },
              by: ids.length,
            },
          ]);
          await tx.pin(SOURCE);
          await more(tx);
        });
      };

      test('equal ones take their place, with positions as they are', async () => {
        const ids = Array.from({ length: 5 }, freshId);
        await fill(store, ids, async (tx) => {
          await tx.move(move());
          await tx.bury('kafka', [{ delivery: delivery('k', '1'), reason: 'not-json: x' }]);
        });
        const before = [await opened.rows(), await opened.counts()];
        const beside = await store.beside();
        expect(await beside.unmet()).toBe(5);
        expect(await beside.seenLive([ids[0]!, freshId()])).toEqual(new Set([ids[0]]));
        await fill(beside.store, ids);
        expect(await beside.unmet()).toBe(0);
        expect([await opened.rows(), await opened.counts()]).toEqual(before);
        await beside.hold();
        expect(await beside.swap({ compare: true, forget: false })).toEqual({
          live: { rows: 5, counts: 1 },
          rebuilt: { rows: 5, counts: 1 },
          equal: true,
          differing: [],
        });
        expect([await opened.rows(), await opened.counts()]).toEqual(before);
        expect(await store.state()).toMatchObject({ generation: 2, source: SOURCE });
        expect(await store.position(move())).toBe('17');
        expect(await store.letterFigures()).toEqual({ letters: 0, keys: 0 });
        await store.transact(async (tx) => expect(await tx.see(ids)).toEqual(new Set()));
        await expect(store.transact((tx) => tx.move(move({ from: '17' })))).rejects.toBeInstanceOf(Fenced);
        await store.transact((tx) => tx.move(move({ from: '17', generation: 2 })));
      });

      test('different ones say where, and positions can be forgotten', async () => {
        const ids = Array.from({ length: 3 }, freshId);
        await fill(store, ids, (tx) => tx.move(move()));
        await opened.tamper(ids[1]!);
        const beside = await store.beside();
        const more = freshId();
        await fill(beside.store, [...ids, more]);
        await beside.hold();
        const comparison = await beside.swap({ compare: true, forget: true });
        expect(comparison).toMatchObject({ equal: false, live: { rows: 3 }, rebuilt: { rows: 4 } });
        expect([...comparison!.differing].sort()).toEqual(
          [ids[1]!, more, 'count 2026-11-23/base/phone/opened'].sort(),
        );
        expect(Object.keys(await opened.rows()).sort()).toEqual([...ids, more].sort());
        expect(await store.positions()).toEqual([]);
      });

      test('nothing of the live ones is written while they are held', async () => {
        await fill(store, [freshId()]);
        const beside = await store.beside();
        await beside.store.start(inUtc);
        await beside.hold();
        let done = false;
        const late = opened.second.transact((tx) => tx.see([freshId()])).then(() => (done = true));
        await beside.seenLive([freshId()]);
        expect(done).toBe(false);
        await beside.abandon();
        await late;
        expect(Object.keys(await opened.rows())).toHaveLength(1);
      });

      test('a second one replaces what the first left', async () => {
        await fill(store, [freshId()]);
        const first = await store.beside();
        await fill(first.store, [freshId()]);
        await first.abandon();
        const second = await store.beside();
        await fill(second.store, [freshId()]);
        await second.hold();
        await second.swap({ compare: false, forget: false });
        expect(Object.keys(await opened.rows())).toHaveLength(1);
        await eventually(async () => (await store.state())!.generation === 2);
      });
    });
  });
}
