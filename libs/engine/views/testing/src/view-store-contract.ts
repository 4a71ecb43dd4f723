import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  BadRow,
  everyView,
  Fenced,
  foldEvents,
  queueItems,
  tickets,
  timeline,
  type Advance,
  type Checkpoint,
  type Folding,
  type Noted,
  type View,
  type ViewStore,
} from '#engine/views';
import { START } from '#kernel';
import { at, freshId, freshTicket, History, LOG } from './history.js';

export interface OpenedViewStore {
  readonly store: ViewStore;
  /** All rows of a view as others read them, by nobody's order. */
  rows(view: View): Promise<readonly Folding[]>;
  tallies(view: View): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>>;
  /** Every row, tally, parked stream and checkpoint gone. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

const never = new AbortController().signal;

/** What one view takes from events, from a checkpoint just started. */
function advance(
  view: View,
  from: Checkpoint,
  events: readonly Noted[],
  rows = new Map<string, Folding>(),
): Advance {
  const folded = foldEvents(view, events, (key) => rows.get(key) ?? null, new Map());
  const { position, id, recordedAt } = events.at(-1)!;
  return {
    view,
    from,
    to: { position, event: id, recordedAt },
    rows: [...folded.rows.values()],
    tallies: folded.tallies,
    parked: folded.parked,
    unparked: [],
  };
}

/** The promises of a ViewStore, for the twin and every adapter. */
export function viewStoreContract(name: string, open: () => Promise<OpenedViewStore>): void {
  describe(`${name} keeps the promises of a view store`, () => {
    let opened: OpenedViewStore;
    let store: ViewStore;
    beforeAll(async () => {
      opened = await open();
      ({ store } = opened);
    });
    beforeEach(() => opened.empty());
    afterAll(() => opened.close());

    const start = async (view: View): Promise<Checkpoint> => (await store.start([view], LOG)).get(view.name)!;

    test('a view met for the first time begins before the first event of its log', async () => {
      expect(await store.checkpoint('tickets')).toBeNull();
      expect(await start(tickets)).toMatchObject({
        view: 'tickets',
        version: tickets.version,
        log: LOG,
        position: START,
        event: null,
        recordedAt: 0,
      });
      expect((await store.checkpoint('tickets'))?.position).toBe(START);
    });

    test('every start takes a higher token, and leaves position, log and version as they are', async () => {
      const first = await start(tickets);
      const history = new History();
      history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      await store.commit([advance(tickets, first, history.events)]);
      const second = (await store.start([{ ...tickets, version: 7 }], freshId())).get('tickets')!;
      expect(second.token).toBeGreaterThan(first.token);
      expect(second).toMatchObject({
        position: history.events[0]!.position,
        log: LOG,
        version: tickets.version,
      });
    });

    test('what is committed is loaded exactly as it was folded', async () => {
      const history = new History();
      const stream = freshTicket();
      for (const type of [
        'desk.ticket-opened.v1',
        'desk.ticket-assigned.v1',
        'desk.handover-offered.v1',
        'desk.ticket-classified.v1',
        'desk.ticket-held.v1',
        'sla.clock-breached.v1',
        'desk.tickets-linked.v1',
        'desk.merge-begun.v1',
        'desk.ticket-rated.v1',
      ] as const)
        history.ticket(stream, type);
      history.tell(`queue-${freshId()}`, 'desk.queue-defined.v1', { group: freshId() });
      history.tell(`person-${freshId()}`, 'people.person-named.v1', { digest: freshId() });
      const views = everyView;
      const checkpoints = await store.start(views, LOG);
      const advances = views.map((view) => advance(view, checkpoints.get(view.name)!, history.events));
      await store.commit(advances);
      for (const { view, rows } of advances) {
        expect(rows.length).toBeGreaterThan(0);
        expect(await opened.rows(view)).toHaveLength(rows.length);
        if (view.appendOnly) continue;
        const keys = [
          ...new Set(
            history.events.filter((e) => view.categories.includes(e.stream.split('-')[0]!)).map(view.key),
          ),
        ];
        expect([...(await store.load(view, keys)).values()]).toEqual(rows);
      }
    });

    test('rows that are not there are missing from what is loaded', async () => {
      expect((await store.load(tickets, [freshId()])).size).toBe(0);
    });

    test('a projector with an older token moves nothing, in none of its views', async () => {
      const history = new History();
      history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      const old = await store.start([tickets, timeline, queueItems], LOG);
      const fresh = await start(timeline);
      await expect(
        store.commit(
          [tickets, timeline, queueItems].map((view) => advance(view, old.get(view.name)!, history.events)),
        ),
      ).rejects.toBeInstanceOf(Fenced);
      for (const view of [tickets, timeline, queueItems]) expect(await opened.rows(view)).toEqual([]);
      expect(await opened.tallies(queueItems)).toEqual({});
      expect((await store.checkpoint('tickets'))?.position).toBe(START);
      await store.commit([advance(timeline, fresh, history.events)]);
      expect(await opened.rows(timeline)).toHaveLength(1);
    });

    test('a batch is taken once: its repeat meets another position', async () => {
      const history = new History();
      history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      const from = await start(queueItems);
      await store.commit([advance(queueItems, from, history.events)]);
      await expect(store.commit([advance(queueItems, from, history.events)])).rejects.toBeInstanceOf(Fenced);
      expect(await opened.tallies(queueItems)).toEqual({ intake: { waiting: 1 } });
    });

    test('a checkpoint of another version is not moved', async () => {
      const history = new History();
      history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      const from = await start(tickets);
      await expect(
        store.commit([advance(tickets, { ...from, version: from.version + 1 }, history.events)]),
      ).rejects.toBeInstanceOf(Fenced);
    });

    test('a row is never replaced by an older or equal one', async () => {
      const history = new History();
      const stream = freshTicket();
      history.ticket(stream, 'desk.ticket-opened.v1');
      history.ticket(stream, 'desk.ticket-prioritised.v1');
      let from = await start(tickets);
      const both = advance(tickets, from, history.events);
      await store.commit([both]);
      from = { ...from, ...both.to };
      const [late] = advance(tickets, from, history.events.slice(0, 1)).rows;
      await store.commit([{ ...both, from, rows: [late!] }]);
      expect(await opened.rows(tickets)).toMatchObject([{ revision: 1, priority: 1 }]);
    });

    test('rows said to be fresh go in with the others, and fail their batch where they are there already', async () => {
      const history = new History();
      for (let i = 0; i < 3; i++) history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      const both = advance(tickets, await start(tickets), history.events);
      const [first, ...others] = both.rows;
      await store.commit([{ ...both, rows: [first!], tallies: [], fresh: new Set([first!]) }]);
      const from = (await store.checkpoint('tickets'))!;
      await expect(store.commit([{ ...both, from, fresh: new Set(both.rows) }])).rejects.toBeInstanceOf(
        BadRow,
      );
      expect(await opened.rows(tickets)).toHaveLength(1);
      await store.commit([{ ...both, from, fresh: new Set(others) }]);
      expect(await opened.rows(tickets)).toHaveLength(both.rows.length);
    });

    test('a row that cannot be written fails its whole batch, and is told by its view', async () => {
      const history = new History();
      history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      history.ticket(freshTicket(), 'desk.ticket-opened.v1', { number: 'T-\u0000' });
      const checkpoints = await store.start([timeline, tickets], LOG);
      const failed = store.commit(
        [timeline, tickets].map((view) => ({
          ...advance(view, checkpoints.get(view.name)!, history.events),
          ...(view === timeline && { rows: [] }),
        })),
      );
      await expect(failed).rejects.toBeInstanceOf(BadRow);
      await expect(failed).rejects.toMatchObject({ view: 'tickets' });
      await expect(failed).rejects.not.toThrow(/T-/);
      expect(await opened.rows(tickets)).toEqual([]);
      expect((await store.checkpoint('timeline'))?.position).toBe(START);
    });

    test('tallies add up over batches, also down to nothing', async () => {
      const history = new History();
      const stream = freshTicket();
      history.ticket(stream, 'desk.ticket-opened.v1');
      history.ticket(stream, 'desk.ticket-resolved.v1');
      const [opening, resolving] = history.events;
      let from = await start(queueItems);
      const first = advance(queueItems, from, [opening!]);
      await store.commit([first]);
      expect(await opened.tallies(queueItems)).toEqual({ intake: { waiting: 1 } });
      from = { ...from, ...first.to };
      await store.commit([
        advance(queueItems, from, [resolving!], new Map([[queueItems.key(opening!), first.rows[0]!]])),
      ]);
      expect(await opened.tallies(queueItems)).toEqual({});
    });

    test('parked streams are kept with their reason, grow, and leave', async () => {
      const history = new History();
      const [bad, worse] = [freshTicket(), freshTicket()];
      history.ticket(bad, 'desk.ticket-closed.v1');
      history.ticket(worse, 'desk.ticket-closed.v1');
      let from = await start(tickets);
      const parking = advance(tickets, from, history.events);
      await store.commit([parking]);
      expect(await store.parked('tickets')).toEqual(parking.parked);
      expect(parking.parked.map(({ stream }) => stream)).toEqual([bad, worse]);
      from = { ...from, ...parking.to };
      const [first] = parking.parked;
      await store.commit([{ ...parking, from, parked: [{ ...first!, upTo: 3 }], unparked: [worse] }]);
      expect(await store.parked('tickets')).toEqual([{ ...first, upTo: 3 }]);
      expect(await store.parked('timeline')).toEqual([]);
    });

    test('of several projectors one leads, and the next takes over when it leaves', async () => {
      const first = await store.lead(never);
      let second: string = 'stands by';
      const waiting = store.lead(never).then((leadership) => {
        second = 'leads';
        return leadership;
      });
      const impatient = new AbortController();
      const third = store.lead(impatient.signal);
      impatient.abort(new Error('no longer'));
      await expect(third).rejects.toBeDefined();
      expect(second).toBe('stands by');
      await first.release();
      await (await waiting).release();
      expect(second).toBe('leads');
    });

    test('a view built beside is invisible until it is swapped in, with rows, tallies and parked streams', async () => {
      const history = new History();
      const [stream, bad] = [freshTicket(), freshTicket()];
      history.ticket(stream, 'desk.ticket-opened.v1');
      history.ticket(bad, 'desk.ticket-closed.v1');
      const live = await start(queueItems);
      const beside = await store.beside(queueItems);
      const next = (await beside.store.start([queueItems], LOG)).get('queue_items')!;
      await beside.store.commit([advance(queueItems, next, history.events)]);
      expect(await opened.rows(queueItems)).toEqual([]);
      expect(await opened.tallies(queueItems)).toEqual({});
      expect(await beside.swap(live, false)).toBeNull();
      expect(await opened.rows(queueItems)).toHaveLength(1);
      expect(await opened.tallies(queueItems)).toEqual({ intake: { waiting: 1 } });
      expect(await store.parked('queue_items')).toMatchObject([{ stream: bad }]);
      const after = (await store.checkpoint('queue_items'))!;
      expect(after.position).toBe(history.events.at(-1)!.position);
      expect(after.token).toBeGreaterThan(live.token);
      await expect(store.commit([advance(queueItems, live, history.events)])).rejects.toBeInstanceOf(Fenced);
    });

    test('a swap compares both and names what differs', async () => {
      const history = new History();
      const [same, changed, gone] = [freshTicket(), freshTicket(), freshTicket()];
      for (const stream of [same, changed, gone]) history.ticket(stream, 'desk.ticket-opened.v1');
      const events = history.events;
      let live = await start(queueItems);
      const lived = advance(queueItems, live, events);
      await store.commit([lived]);
      live = { ...live, ...lived.to };
      const beside = await store.beside(queueItems);
      const next = (await beside.store.start([queueItems], LOG)).get('queue_items')!;
      const built = advance(queueItems, next, events);
      await beside.store.commit([
        {
          ...built,
          rows: built.rows
            .filter((row) => `ticket-${(row as unknown as { ticket: string }).ticket}` !== gone)
            .map((row) =>
              `ticket-${(row as unknown as { ticket: string }).ticket}` === changed
                ? { ...row, enteredAt: at('11:00:00') }
                : row,
            ),
          tallies: [{ subject: 'intake', kind: 'waiting', by: 2 }],
        },
      ]);
      const comparison = (await beside.swap(live, true))!;
      expect(comparison.equal).toBe(false);
      expect(comparison.live.rows).toBe(3);
      expect(comparison.rebuilt.rows).toBe(2);
      expect(comparison.live.hash).not.toBe(comparison.rebuilt.hash);
      expect([...comparison.differing].sort()).toEqual(
        [changed.slice('ticket-'.length), gone.slice('ticket-'.length), 'tally intake/waiting'].sort(),
      );
    });

    test('equal rows compare as equal, whatever the order they were built in', async () => {
      const history = new History();
      for (let i = 0; i < 5; i++) history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      let live = await start(tickets);
      const lived = advance(tickets, live, history.events);
      await store.commit([{ ...lived, rows: [...lived.rows].reverse() }]);
      live = { ...live, ...lived.to };
      const beside = await store.beside(tickets);
      const next = (await beside.store.start([tickets], LOG)).get('tickets')!;
      await beside.store.commit([advance(tickets, next, history.events)]);
      expect(await beside.swap(live, true)).toMatchObject({ equal: true, differing: [] });
    });

    test('a swap from a checkpoint that has moved changes nothing', async () => {
      const history = new History();
      history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      const live = await start(tickets);
      const beside = await store.beside(tickets);
      await beside.store.start([tickets], LOG);
      await store.commit([advance(tickets, live, history.events)]);
      await expect(beside.swap(live, true)).rejects.toBeInstanceOf(Fenced);
      expect(await opened.rows(tickets)).toHaveLength(1);
      await beside.abandon();
    });
  });
}
