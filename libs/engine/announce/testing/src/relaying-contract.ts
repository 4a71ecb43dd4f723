import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CloudEvent } from '#contracts';
import {
  announce,
  ForeignStanding,
  OutletRefused,
  relay,
  type Outlet,
  type Relaying,
} from '#engine/announce';
import { memoryLog, NO_STREAM, OlderThanLog, type EventStore, type MemoryLog } from '#engine/store';
import type { Noted } from '#engine/views';
import { append, decode, freshTicket, History } from '#engine/views/testing';
import type { HouseEvent } from '#engine/catalogue';
import { silent, START, uuidV7, type Recorded } from '#kernel';
import { eventually } from '#kernel/testing';

export interface OpenedOutlet {
  /** Never written to; each call is another process's door to it. */
  outlet(): Outlet;
  /** What a reader gets: of each key in the order of its partition. */
  read(): Promise<readonly CloudEvent[]>;
  /** Takes the standing away and leaves the messages. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

interface Running {
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Waiting costs a test nothing: every pause is a short one. */
const shortPause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, Math.min(milliseconds, 100));
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });

/** The promises of the relay over an outlet: on the twin and on the real one. */
export function relayingContract(name: string, open: () => Promise<OpenedOutlet>, patience = 10_000): void {
  describe(`The relay into ${name}`, () => {
    let store: MemoryLog;
    let opened: OpenedOutlet;
    let history: History;
    let running: Running[];
    beforeEach(async () => {
      store = memoryLog();
      opened = await open();
      history = new History();
      running = [];
    });
    afterEach(async () => {
      for (const each of running) await each.stop();
      await opened.close();
      await store.close();
    });

    const start = (changes: Partial<Relaying> = {}): Running => {
      const stop = new AbortController();
      const ended = relay(
        {
          store,
          decode,
          outlet: opened.outlet(),
          logger: silent,
          pause: shortPause,
          batchSize: 7,
          ...changes,
        },
        stop.signal,
      );
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
    /** Appends the last so many that were told. */
    const recorded = async (events: readonly Noted[], into: EventStore = store): Promise<void> =>
      append(into, events);
    const someTickets = (count: number): Noted[] => {
      const before = history.events.length;
      const streams = Array.from({ length: count }, freshTicket);
      for (const stream of streams) history.ticket(stream, 'desk.ticket-opened.v1');
      for (const stream of streams) history.ticket(stream, 'desk.message-received.v1');
      for (const stream of streams) history.ticket(stream, 'desk.note-added.v1');
      for (const stream of streams) history.ticket(stream, 'desk.ticket-resolved.v1');
      return history.events.slice(before);
    };
    const relayed = async (outlet = opened.outlet()): Promise<void> => {
      const { position } = await store.head();
      await eventually(async () => (await outlet.standing())?.position === position, {
        within: patience,
        what: 'the standing at the end of the log',
      });
    };
    /** Per key in order, every message of the log once. */
    const everything = async (): Promise<void> => {
      const log = await store.identity();
      const expected = byKey(
        (await store.readAll(START, 1_000_000)).flatMap((event) =>
          announce(decode(event) as Recorded<HouseEvent>, log).map(({ message }) => message),
        ),
      );
      // Readers of committed messages may see the end of a transaction a moment after its standing.
      await eventually(
        async () => {
          expect(byKey(await opened.read())).toEqual(expected);
          return true;
        },
        { within: patience },
      );
    };

    test('every message is read once, of each aggregate in its order', async () => {
      await recorded(someTickets(12));
      start();
      await recorded(someTickets(3));
      await relayed();
      await everything();
    }, 60_000);

    test('the next relay goes on where the last one ended', async () => {
      await recorded(someTickets(4));
      const first = start();
      await relayed();
      await first.stop();
      await recorded(someTickets(4));
      start();
      await relayed();
      await everything();
    }, 60_000);

    test('events that nobody hears of move the standing, and not each by itself', async () => {
      await recorded(someTickets(1));
      let puts = 0;
      start({ batchSize: 1, watch: { put: () => puts++ } });
      await relayed();
      const before = puts;
      const stream = freshTicket();
      const from = history.events.length;
      for (let i = 0; i < 30; i++) history.ticket(stream, 'desk.note-added.v1');
      await recorded(history.events.slice(from));
      await relayed();
      expect(puts - before).toBeLessThan(10);
      await everything();
    }, 60_000);

    test('a second relay takes the outlet, the first stands by and takes it back when nobody gets on', async () => {
      await recorded(someTickets(2));
      const [taken, superseded]: string[][] = [[], []];
      const watch = (who: string) => ({
        held: () => taken.push(who),
        superseded: () => superseded.push(who),
      });
      start({ watch: watch('first') });
      await relayed();
      const second = start({ watch: watch('second') });
      await eventually(() => taken.includes('second'), { within: patience });
      await recorded(someTickets(2));
      await eventually(() => superseded.includes('first'), { within: patience, what: 'the first to notice' });
      await relayed();
      await second.stop();
      await recorded(someTickets(2));
      await eventually(() => taken.length === 3, { within: patience, what: 'the first to take it back' });
      await relayed();
      expect(taken).toEqual(['first', 'second', 'first']);
      expect(superseded).toEqual(['first']);
      await everything();
    }, 60_000);

    test('another log, or this one brought back from an older copy, is refused', async () => {
      const events = someTickets(2);
      await recorded(events);
      const first = start();
      await relayed();
      await first.stop();

      const swapped = memoryLog();
      await recorded(events, swapped);
      await expect(start({ store: swapped }).ended).rejects.toThrow(ForeignStanding);

      const copy = { ...store, at: async () => null };
      await expect(start({ store: copy }).ended).rejects.toThrow(/delete all topics/);
      await everything();
    }, 60_000);

    test('an event of a later release stops it, behind all that it knows', async () => {
      await recorded(someTickets(2));
      await store.append({
        stream: freshTicket(),
        expected: NO_STREAM,
        events: [{ id: uuidV7(0, randomBytes(10)), type: 'desk.ticket-sung.v99', body: '{}' }],
      });
      await expect(start().ended).rejects.toThrow(OlderThanLog);
      const known = await store.readAll(START, 8);
      expect((await opened.outlet().standing())!.position).toBe(known.at(-1)!.position);
      await eventually(async () => (await opened.read()).length === 6, { within: patience });
    }, 60_000);

    test('messages without a standing beside them stop it', async () => {
      await recorded(someTickets(1));
      const first = start();
      await relayed();
      await first.stop();
      await opened.forget();
      await expect(start().ended).rejects.toThrow(OutletRefused);
    }, 60_000);
  });
}

export function byKey(messages: readonly CloudEvent[]): Record<string, readonly string[]> {
  const keys: Record<string, string[]> = {};
  for (const { subject, revision, type, id } of messages)
    (keys[subject] ??= []).push(`${revision} ${type} ${id}`);
  return keys;
}
