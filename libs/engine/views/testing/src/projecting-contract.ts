import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { everyEvent } from '#engine/catalogue';
import { codec, memoryVault, NO_STREAM, OlderThanLog, type EventStore } from '#engine/store';
import {
  everyView,
  Fenced,
  foldEvents,
  ForeignCheckpoint,
  OlderThanViews,
  people,
  project,
  queueItems,
  rebuild,
  retryParked,
  tickets,
  timeline,
  type Folding,
  type Noted,
  type ParkedStream,
  type Projecting,
  type View,
  type ViewStore,
} from '#engine/views';
import { silent, START, type Position } from '#kernel';
import fc from 'fast-check';
import { freshId, freshTicket, History, ticketSamples } from './history.js';

export interface OpenedProjection {
  /** An empty log. */
  readonly store: EventStore;
  /** Empty views. */
  readonly into: ViewStore;
  rows(view: View): Promise<readonly Folding[]>;
  tallies(view: View): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>>;
  /** Another, empty log for the same views. */
  otherLog(): Promise<EventStore>;
  /** Changes a row behind the projector's back. */
  tamper(view: View, key: string): Promise<void>;
  close(): Promise<void>;
}

const LIMIT_MS = 15_000;
const chance = { bytes: (count: number) => randomBytes(count) };
export const { decode } = codec({ catalogue: everyEvent, vault: memoryVault(chance), chance });

/** The event as the log takes it, and as `decode` will give it back but for position and time. */
export const bodyOf = ({ occurredAt, actor, correlation, engine, data, sealed, key }: Noted): string =>
  JSON.stringify({
    at: occurredAt,
    actor,
    correlation,
    engine,
    ...(key && { key }),
    data,
    ...(sealed && { sealed }),
  });

/** Appends what a history tells, an append for each event, in its order. */
export async function append(store: EventStore, events: readonly Noted[]): Promise<void> {
  for (const event of events) {
    const answer = await store.append({
      stream: event.stream,
      expected: event.revision === 0 ? NO_STREAM : event.revision - 1,
      events: [{ id: event.id, type: event.type, body: bodyOf(event) }],
    });
    if (answer.outcome !== 'appended') throw new Error(`${event.stream}: a conflict at ${answer.actual}`);
  }
}

/** Waits for a condition that the loop under test brings about. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${LIMIT_MS} ms: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });

interface Running {
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** The promises of the projector over a log and a view store: on the twins and on the real ones. */
export function projectingContract(name: string, open: () => Promise<OpenedProjection>, runs: number): void {
  describe(`The projector on ${name}`, () => {
    let opened: OpenedProjection;
    let running: Running[];
    let lastParked: ParkedStream[];
    beforeEach(async () => {
      opened = await open();
      running = [];
      lastParked = [];
    });
    afterEach(async () => {
      for (const each of running) await each.stop();
      await opened.close();
    });

    const means = (views: readonly View[] = everyView, changes: Partial<Projecting> = {}): Projecting => ({
      store: opened.store,
      decode,
      views,
      into: opened.into,
      logger: silent,
      pause,
      watch: { parked: (stream) => lastParked.push(stream) },
      ...changes,
    });
    const start = (projecting: Projecting = means()): Running => {
      const stop = new AbortController();
      const ended = project(projecting, stop.signal);
      ended.catch(() => {});
      const each = {
        ended,
        stop: async () => {
          stop.abort();
          await ended.catch(() => {});
        },
      };
      running.push(each);
      return each;
    };
    const passed = async (views: readonly View[] = everyView, position?: Position): Promise<void> => {
      const head = position ?? (await opened.store.head()).position;
      await until(async () => {
        const all = await Promise.all(views.map((view) => opened.into.checkpoint(view.name)));
        return all.every((checkpoint) => checkpoint !== null && checkpoint.position >= head);
      }, `all views at ${head}`);
    };
    const stored = async (): Promise<Noted[]> =>
      (await opened.store.readAll(START, 1_000_000)).map((event) => decode(event) as Noted);
    /** Everything in the views is what a fold of the log says. */
    const expectFolded = async (views: readonly View[] = everyView): Promise<void> => {
      const events = await stored();
      for (const view of views) {
        const folded = foldEvents(view, events, () => null, new Map());
        const rows = [...folded.rows.values()];
        expect([view.name, (await opened.rows(view)).length]).toEqual([view.name, rows.length]);
        if (!view.appendOnly) {
          const loaded = await opened.into.load(view, [...folded.rows.keys()]);
          for (const [key, row] of folded.rows) expect(loaded.get(key)).toEqual(row);
        }
        const counts: Record<string, Record<string, number>> = {};
        for (const { subject, kind, by } of folded.tallies) (counts[subject] ??= {})[kind] = by;
        expect(await opened.tallies(view)).toEqual(counts);
        expect(await opened.into.parked(view.name)).toEqual(folded.parked);
      }
    };
    const story = (tickets: number): History => {
      const history = new History();
      const streams = Array.from({ length: tickets }, freshTicket);
      for (const stream of streams) history.ticket(stream, 'desk.ticket-opened.v1');
      for (const type of ['desk.ticket-assigned.v1', 'desk.message-sent.v1', 'desk.ticket-held.v1'] as const)
        for (const stream of streams) history.ticket(stream, type);
      history.tell(`queue-${freshId()}`, 'desk.queue-defined.v1', { group: freshId() });
      history.tell(`person-${freshId()}`, 'people.person-named.v1', { digest: freshId() });
      return history;
    };
    const never = new AbortController().signal;

    test('catches up in batches and then follows live', async () => {
      const history = story(7);
      await append(opened.store, history.events);
      start(means(everyView, { batchSize: 5 }));
      await passed();
      await expectFolded();
      const before = history.events.length;
      history.ticket(history.events[0]!.stream, 'desk.ticket-resolved.v1');
      history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      await append(opened.store, history.events.slice(before));
      await passed();
      await expectFolded();
    });

    test('comes to the same whatever the history and the size of batches', async () => {
      const types = Object.keys(ticketSamples) as (keyof typeof ticketSamples)[];
      const told = fc.array(fc.record({ ticket: fc.nat(3), type: fc.constantFrom(...types) }), {
        minLength: 1,
        maxLength: 40,
      });
      await fc.assert(
        fc
          .asyncProperty(told, fc.integer({ min: 1, max: 9 }), async (facts, batchSize) => {
            const history = new History();
            const streams = Array.from({ length: 4 }, freshTicket);
            for (const { ticket, type } of facts) history.ticket(streams[ticket]!, type);
            await append(opened.store, history.events);
            const each = start(means(everyView, { batchSize }));
            await passed();
            await expectFolded();
            await each.stop();
          })
          .afterEach(async () => {
            await opened.close();
            opened = await open();
          }),
        { numRuns: runs },
      );
    }, 120_000);

    test('goes on where it was stopped, and doubles nothing', async () => {
      const history = story(5);
      await append(opened.store, history.events.slice(0, 9));
      const first = start(means(everyView, { batchSize: 4 }));
      await passed();
      await first.stop();
      const token = (await opened.into.checkpoint('tickets'))!.token;
      await append(opened.store, history.events.slice(9));
      start(means(everyView, { batchSize: 4 }));
      await passed();
      await expectFolded();
      expect((await opened.into.checkpoint('tickets'))!.token).toBeGreaterThan(token);
    });

    test('works alone: of two, one stands by until the other is gone', async () => {
      const history = story(6);
      const [first, second] = [
        start(means(everyView, { batchSize: 2 })),
        start(means(everyView, { batchSize: 2 })),
      ];
      await append(opened.store, history.events.slice(0, 10));
      await passed();
      await first.stop();
      await append(opened.store, history.events.slice(10));
      await passed();
      await expectFolded();
      await second.stop();
    });

    test('is fenced by a newer token, and starts again under a newer one of its own', async () => {
      const history = story(3);
      await append(opened.store, history.events.slice(0, 4));
      const restarts: unknown[] = [];
      start(means(everyView, { watch: { restarted: (error) => restarts.push(error) } }));
      await passed();
      await opened.into.start(everyView, await opened.store.identity());
      await append(opened.store, history.events.slice(4));
      await passed();
      expect(restarts.every((error) => error instanceof Fenced)).toBe(true);
      expect(restarts.length).toBeGreaterThan(0);
      await expectFolded();
    });

    test('stops before an event of a version it does not know, with all before it written (ruling 48)', async () => {
      const history = story(2);
      await append(opened.store, history.events);
      const known = (await opened.store.head()).position;
      const unknown = {
        id: freshId(),
        type: 'desk.ticket-opened.v99',
        body: '{"at":"2026-11-24T09:00:00Z","data":{}}',
      };
      await opened.store.append({ stream: freshTicket(), expected: NO_STREAM, events: [unknown] });
      await append(opened.store, [new History().ticket(freshTicket(), 'desk.ticket-opened.v1')]);
      await expect(start().ended).rejects.toBeInstanceOf(OlderThanLog);
      for (const view of everyView) {
        expect((await opened.into.checkpoint(view.name))!.position).toBe(known);
        expect(await opened.into.parked(view.name)).toEqual([]);
      }
      await expect(start().ended).rejects.toThrow(/desk\.ticket-opened\.v99/);
    });

    test('refuses a log that its checkpoints are not of, and names the command that rebuilds (ruling 45)', async () => {
      await append(opened.store, story(1).events);
      const each = start();
      await passed();
      await each.stop();
      const other = await opened.otherLog();
      await append(other, story(1).events);
      await expect(start(means(everyView, { store: other })).ended).rejects.toThrow(
        /covenant -- views rebuild tickets/,
      );
      await expect(start(means(everyView, { store: other })).ended).rejects.toBeInstanceOf(ForeignCheckpoint);
      for (const view of everyView) await rebuild(means(everyView, { store: other }), view, never);
      start(means(everyView, { store: other }));
      await append(other, story(1).events);
      await passed(everyView, (await other.head()).position);
    });

    test('refuses a log whose event at the checkpoint is another one', async () => {
      await append(opened.store, story(1).events);
      const each = start();
      await passed();
      await each.stop();
      const restored: Projecting['store'] = {
        ...opened.store,
        at: async (position) => ({ ...(await opened.store.at(position))!, id: freshId() }),
      };
      await expect(start(means(everyView, { store: restored })).ended).rejects.toBeInstanceOf(
        ForeignCheckpoint,
      );
    });

    test('refuses views that a later version of the program folded', async () => {
      await append(opened.store, story(1).events);
      const later = everyView.map((view) => (view === people ? { ...view, version: 2 } : view));
      const each = start(means(later));
      await passed();
      await each.stop();
      await expect(start().ended).rejects.toBeInstanceOf(OlderThanViews);
    });

    /** Tickets whose fold fails at these events. */
    const brittle = (bad: Set<string>, view: View = tickets): View => ({
      ...view,
      fold: (row, event) => {
        if (bad.has(event.id)) throw new TypeError(`cannot digest ${JSON.stringify(event.sealed)}`);
        return view.fold(row, event);
      },
    });

    test('parks an event that cannot be digested with those behind it, and goes on with all others', async () => {
      const history = story(4);
      const bad = history.events.find((event) => event.type === 'desk.ticket-assigned.v1')!;
      const views = everyView.map((view) => (view === tickets ? brittle(new Set([bad.id])) : view));
      await append(opened.store, history.events);
      start(means(views, { batchSize: 6 }));
      await passed();
      const [parked, ...none] = await opened.into.parked('tickets');
      expect(none).toEqual([]);
      expect(parked).toMatchObject({ stream: bad.stream, from: 1, upTo: 3, reason: 'TypeError' });
      expect(lastParked).toMatchObject([{ stream: bad.stream, from: 1 }]);
      const stuck = await opened.into.load(tickets, [tickets.key(bad)]);
      expect(stuck.get(tickets.key(bad))).toMatchObject({ revision: 0 });
      await expectFolded(everyView.filter((view) => view !== tickets));

      const before = history.events.length;
      history.ticket(bad.stream, 'desk.ticket-resolved.v1');
      await append(opened.store, history.events.slice(before));
      await passed();
      expect(await opened.into.parked('tickets')).toMatchObject([{ stream: bad.stream, from: 1, upTo: 4 }]);
    });

    test('takes parked streams up again in order, while it runs', async () => {
      const history = story(4);
      const bad = new Set(
        history.events
          .filter((event) => event.type === 'desk.message-sent.v1')
          .slice(0, 2)
          .map(({ id }) => id),
      );
      const views = everyView.map((view) =>
        view === tickets || view === queueItems ? brittle(bad, view) : view,
      );
      await append(opened.store, history.events);
      start(means(views, { batchSize: 6 }));
      await passed();
      expect(await opened.into.parked('queue_items')).toHaveLength(2);
      const [mended] = [...bad];
      bad.delete(mended!);
      for (const view of views.slice(0, 3)) {
        const retried = await retryParked(means(views), view, never);
        if (view.name === 'timeline') expect(retried).toEqual({ streams: 0, events: 0, still: [] });
        else expect(retried).toMatchObject({ streams: 1, events: 2, still: [{ from: 2, upTo: 3 }] });
      }
      bad.clear();
      for (const view of views) await retryParked(means(views), view, never);
      const before = history.events.length;
      for (const { stream } of history.events.slice(0, 4)) history.ticket(stream, 'desk.ticket-resolved.v1');
      await append(opened.store, history.events.slice(before));
      await passed();
      await expectFolded();
    });

    test('parks a stream whose row the store refuses, and no neighbour of it in the batch', async () => {
      const history = story(6);
      const bad = history.events[2]!;
      (bad.data as { number: string }).number = 'T-\u0000';
      const other = history.events[9]!;
      (other.data as { agent: string }).agent = 'sentinel\u0000';
      await append(opened.store, history.events);
      start();
      await passed();
      const parked = await opened.into.parked('tickets');
      expect(parked.map(({ stream }) => stream).sort()).toEqual([bad.stream, other.stream].sort());
      expect(parked.find(({ stream }) => stream === bad.stream)).toMatchObject({ from: 0, upTo: 3 });
      expect(parked.find(({ stream }) => stream === other.stream)).toMatchObject({ from: 1, upTo: 3 });
      expect(JSON.stringify(parked)).not.toMatch(/sentinel|T-\\u0000/);
      const events = (await stored()).filter(
        ({ stream }) => stream !== bad.stream && stream !== other.stream,
      );
      for (const view of [tickets, queueItems] as View[]) {
        const { rows } = foldEvents(view, events, () => null, new Map());
        const loaded = await opened.into.load(view, [...rows.keys()]);
        for (const [key, row] of rows) expect(loaded.get(key)).toEqual(row);
      }
    });

    test('is not stopped by a stream whose name is no key at all', async () => {
      const history = new History();
      history.ticket('ticket-of-no-uuid', 'desk.ticket-opened.v1');
      history.ticket(freshTicket(), 'desk.ticket-opened.v1');
      history.ticket('ticket-of-no-uuid', 'desk.ticket-resolved.v1');
      await append(opened.store, history.events);
      start();
      await passed();
      const key = tickets.key(history.events[1]!);
      expect((await opened.into.load(tickets, [key])).has(key)).toBe(true);
    });

    test('builds a new version beside the old one while the other views go on, and swaps', async () => {
      const history = story(5);
      await append(opened.store, history.events);
      const each = start();
      await passed();
      await each.stop();
      const renamed: View = {
        ...tickets,
        version: tickets.version + 1,
        fold: (row, event) => ({ ...tickets.fold(row, event), policy: 'renamed' }),
      };
      const views = everyView.map((view) => (view === tickets ? renamed : view));
      start(means(views, { batchSize: 3 }));
      const live = async () => (await opened.into.checkpoint('tickets'))!.version;
      await until(async () => (await live()) === renamed.version, 'the new version is live');
      const before = history.events.length;
      history.ticket(history.events[0]!.stream, 'desk.ticket-resolved.v1');
      await append(opened.store, history.events.slice(before));
      await passed();
      await expectFolded(views);
    });

    test('rebuilds a view to equal rows, while it goes on with the live one', async () => {
      const history = story(8);
      await append(opened.store, history.events);
      start(means(everyView, { batchSize: 4 }));
      await passed();
      const before = history.events.length;
      for (let i = 0; i < 8; i++) history.ticket(history.events[i]!.stream, 'desk.ticket-resolved.v1');
      const appending = append(opened.store, history.events.slice(before));
      for (const view of [tickets, timeline, queueItems]) {
        const { comparison } = await rebuild(means(everyView, { batchSize: 4 }), view, never);
        expect(comparison).toMatchObject({ equal: true, differing: [] });
      }
      await appending;
      await passed();
      await expectFolded();
    });

    test('says where rebuilt rows differ from live ones, and leaves the rebuilt ones', async () => {
      const history = story(3);
      await append(opened.store, history.events);
      const each = start();
      await passed();
      await each.stop();
      const key = tickets.key(history.events[1]!);
      await opened.tamper(tickets, key);
      const { comparison } = await rebuild(means(), tickets, never);
      expect(comparison).toMatchObject({ equal: false, differing: [key] });
      await expectFolded();
    });

    test('a rebuild that fails leaves the live view as it was', async () => {
      const history = story(2);
      await append(opened.store, history.events);
      const each = start();
      await passed();
      await each.stop();
      const fails: Projecting['store'] = {
        ...opened.store,
        readAll: () => Promise.reject(new Error('the log is gone')),
      };
      await expect(rebuild(means(everyView, { store: fails }), tickets, never)).rejects.toThrow(
        'the log is gone',
      );
      await expectFolded();
      expect((await rebuild(means(), tickets, never)).comparison).toMatchObject({ equal: true });
    });

    test('keeps parked streams parked through a rebuild, and frees them where the fold was mended', async () => {
      const history = story(3);
      const bad = new Set([history.events[4]!.id]);
      const views = everyView.map((view) => (view === tickets ? brittle(bad) : view));
      await append(opened.store, history.events);
      const each = start(means(views));
      await passed();
      await each.stop();
      const before = await opened.into.parked('tickets');
      expect(before).toHaveLength(1);
      const same = await rebuild(means(views), views[0]!, never);
      expect(same.comparison).toMatchObject({ equal: true });
      expect(await opened.into.parked('tickets')).toEqual(before);
      bad.clear();
      const mended = await rebuild(means(views), views[0]!, never);
      expect(mended.comparison!.differing).toEqual([tickets.key(history.events[4]!)]);
      expect(await opened.into.parked('tickets')).toEqual([]);
      await expectFolded();
    });
  });
}
