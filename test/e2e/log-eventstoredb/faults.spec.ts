import { copyFile } from 'node:fs/promises';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openEventStoreDbLog, type LogTimeouts } from '#adapters/log-eventstoredb';
import { openPostgresSeal, type PostgresSeal } from '#adapters/log-postgres';
import {
  LogReplaced,
  LogUnavailable,
  NO_STREAM,
  NotAppended,
  UnknownOutcome,
  sealing,
  type Append,
  type Batch,
  type EventStore,
  type Irregularity,
  type StoredEvent,
} from '#engine/store';
import { appended, everything, freshStream, someEvent, someEvents } from '#engine/store/testing';
import { START, toOrdinal, toPosition, type Logger, type Position } from '#kernel';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { EventStoreDouble, type DoubleOptions } from '../../support/eventstoredb.js';
import { NO_FAULTS } from '../../doubles/eventstoredb/faults.js';

jest.setTimeout(60_000);

/** Short, so that a test need not wait. */
const TIMEOUTS: LogTimeouts = { startMs: 3_000, appendMs: 1_000, readMs: 1_500, watchMs: 700 };

/** What it said, for tests on what it says. */
class Lines implements Logger {
  readonly said: string[] = [];
  info = (_: object, message: string): void => void this.said.push(message);
  warn = this.info;
  error = this.info;
}

class Bench {
  readonly lines = new Lines();
  readonly stop = new AbortController();

  private constructor(
    readonly double: EventStoreDouble,
    readonly database: FreshDatabase,
    readonly seal: PostgresSeal,
  ) {}

  store!: EventStore;

  static async start(options: DoubleOptions = {}): Promise<Bench> {
    const [double, database] = await Promise.all([EventStoreDouble.start(options), freshDatabase()]);
    const bench = new Bench(double, database, await openPostgresSeal({ url: database.url }));
    bench.store = await bench.open();
    return bench;
  }

  open(timeouts: Partial<LogTimeouts> = {}): Promise<EventStore> {
    return openEventStoreDbLog({
      url: this.double.url,
      categories: ['ticket'],
      seal: this.seal,
      timeouts: { ...TIMEOUTS, ...timeouts },
      logger: this.lines,
    });
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.store.close();
    await this.seal.close();
    await this.database.drop();
    await this.double.remove();
  }
}

const some = (count = 1, expected = NO_STREAM): Append => ({
  stream: freshStream(),
  expected,
  events: someEvents(count),
});

/** As `appendSurely` does: the same ids at the same revision until there is an answer. */
async function surely(store: EventStore, append: Append): ReturnType<typeof appended> {
  return eventually(
    () =>
      appended(store, append).catch((error: unknown) => {
        if (error instanceof UnknownOutcome || error instanceof NotAppended) return null;
        throw error;
      }),
    { within: 20_000, what: 'an answer to the append' },
  );
}

/** What a subscription has brought so far; it ends with its signal. */
function following(store: EventStore, after: Position, signal: AbortSignal, limit?: number) {
  const events: StoredEvent[] = [];
  const batches: Batch[] = [];
  const ended = (async () => {
    for await (const batch of store.subscribe(after, { signal, ...(limit && { limit }) })) {
      batches.push(batch);
      events.push(...batch.events);
    }
  })();
  ended.catch(() => {});
  return { events, batches, ended };
}

const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id);

describe('a log in EventStoreDB that', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
  });
  afterAll(() => bench.end());
  beforeEach(() => void bench.lines.said.splice(0));
  afterEach(() => bench.double.order(NO_FAULTS));

  test('takes an append and says nothing of it leaves the outcome open, and takes the repeat as one', async () => {
    const { double, store } = bench;
    const append = some(2);
    await double.order({ silent: 'answers' });
    const before = performance.now();
    await expect(store.append(append)).rejects.toThrow(UnknownOutcome);
    expect(performance.now() - before).toBeLessThan(5_000);
    await double.order({ silent: 'no' });
    const answer = await surely(store, append);
    expect(answer).toMatchObject({ revision: 1, repeated: true });
    const stored = await store.readStream(append.stream);
    expect(idsOf(stored)).toEqual(idsOf(append.events));
    expect(answer.recordedAt).toBe(stored[1]!.recordedAt);
  });

  test('never saw an append leaves the outcome open too, and writes it at the repeat', async () => {
    const { double, store } = bench;
    const append = some();
    await double.order({ silent: 'requests' });
    await expect(store.append(append)).rejects.toThrow(UnknownOutcome);
    await expect(store.readStream(append.stream)).rejects.toThrow(LogUnavailable);
    await double.order({ silent: 'no' });
    expect(await surely(store, append)).toMatchObject({ repeated: false });
    expect(await store.readStream(append.stream)).toHaveLength(1);
  });

  test('answers nothing again and again gets a new client, and the old callers are told', async () => {
    const { double, store, lines } = bench;
    await double.order({ silent: 'requests' });
    for (let i = 0; i < 3; i++) await expect(store.append(some())).rejects.toThrow(UnknownOutcome);
    expect(lines.said).toContain('the client of the log is made anew');
    await double.order({ silent: 'no' });
    await surely(store, some());
  });

  test('is frozen, pings and all, keeps nobody waiting', async () => {
    const { double, store } = bench;
    const append = some();
    double.freeze();
    try {
      await expect(store.append(append)).rejects.toThrow(UnknownOutcome);
      await expect(store.head()).rejects.toThrow(LogUnavailable);
    } finally {
      double.thaw();
    }
    await surely(store, append);
    expect(await store.readStream(append.stream)).toHaveLength(1);
  });

  test('says timeout leaves the outcome open, whether it was done or not', async () => {
    const { double, store } = bench;
    for (const timeoutsStored of [true, false]) {
      const append = some();
      await double.order({ timeouts: 1, timeoutsStored });
      await expect(store.append(append)).rejects.toThrow(UnknownOutcome);
      expect(await surely(store, append)).toMatchObject({ repeated: timeoutsStored });
      expect(await store.readStream(append.stream)).toHaveLength(1);
    }
  });

  test('loses an answer and calls the repeat a conflict is not believed: the ids stand there', async () => {
    const { double, store } = bench;
    const append = some(2);
    await double.order({ lostThenWrong: 1 });
    await expect(store.append(append)).rejects.toThrow(UnknownOutcome);
    const answer = await surely(store, append);
    expect(answer).toMatchObject({ revision: 1, repeated: true });
    expect(await store.readStream(append.stream)).toHaveLength(2);
  });

  test('loses an answer, and somebody else wrote meanwhile, tells a real conflict', async () => {
    const { double, store } = bench;
    const mine = some();
    await double.order({ silent: 'requests' });
    await expect(store.append(mine)).rejects.toThrow(UnknownOutcome);
    await double.order({ silent: 'no' });
    await surely(store, { ...mine, events: someEvents(1) });
    expect(await store.append(mine)).toEqual({ outcome: 'conflict', actual: 0 });
  });

  test('drops its connections has every append repeated, and none is lost or doubled', async () => {
    const { double, store } = bench;
    const before = (await store.head()).position;
    const writing = Array.from({ length: 40 }, async (_, i) => {
      for (let n = 0; n < 5; n++) await surely(store, some(1 + (i % 2)));
    });
    for (let i = 0; i < 3; i++) {
      await double.drop();
      await surely(store, some());
    }
    await Promise.all(writing);
    const all = await everything(store, before);
    expect(new Set(idsOf(all)).size).toBe(all.length);
    expect(all).toHaveLength(20 * 5 + 20 * 5 * 2 + 3);
  });

  test('fails once to say what it can do, which the client keeps for ever, is asked by a new client', async () => {
    const { double, store, lines } = bench;
    await double.order({ capabilities: 2 });
    // A lost connection makes the client ask anew.
    await double.drop();
    await eventually(async () => {
      await expect(store.append(some())).rejects.toThrow(NotAppended);
      return lines.said.includes('the client of the log is made anew');
    });
    await double.order({ capabilities: 0 });
    await surely(store, some());
  });

  test('answers after its caller was told that the answer is lost does not end the process', async () => {
    const { double, store } = bench;
    // Pending appends are one map for all clients of a process: the death of any connection empties it.
    const elsewhere = await EventStoreDouble.start({ faults: { silent: 'requests' } });
    const other = EventStoreDBClient.connectionString(elsewhere.url);
    await elsewhere.order({ silent: 'no' });
    const theirs = (): Promise<unknown> =>
      other.appendToStream('other-1', jsonEvent({ type: 'a', data: {} }));
    await theirs();
    await elsewhere.order({ silent: 'requests' });
    const lost = theirs().catch((error: unknown) => error);
    const patient = await bench.open({ appendMs: 30_000 });
    await double.order({ delay: 2_000 });
    const append = some();
    const asked = performance.now();
    const answered = patient.append(append).catch((error: unknown) => error);
    await eventually(async () => (await store.readStream(append.stream)).length === 1);
    await elsewhere.kill();
    expect(await lost).toBeInstanceOf(Error);
    expect(await answered).toBeInstanceOf(UnknownOutcome);
    expect(performance.now() - asked).toBeLessThan(2_000);
    await double.order({ delay: 0 });
    await eventually(() => performance.now() - asked > 2_200);
    expect(await surely(store, append)).toMatchObject({ repeated: true });
    await patient.close();
    await elsewhere.remove();
  });

  test('stops in order and comes back brings subscriptions on where they were', async () => {
    const { double, store } = bench;
    const stop = new AbortController();
    const after = (await store.head()).position;
    const first = some(3);
    await appended(store, first);
    const { events } = following(store, after, stop.signal);
    await eventually(() => events.length === 3);
    await double.stop();
    await expect(store.append(some())).rejects.toThrow(UnknownOutcome);
    await expect(store.readAll(START, 1)).rejects.toThrow(LogUnavailable);
    await double.up();
    const second = some(2);
    await surely(store, second);
    await eventually(() => events.length >= 5);
    expect(idsOf(events)).toEqual([...idsOf(first.events), ...idsOf(second.events)]);
    stop.abort();
  });

  test('keeps a subscription open and silent is noticed by its head, and subscribed to anew', async () => {
    const { double, store, lines } = bench;
    const stop = new AbortController();
    const { events, batches } = following(store, (await store.head()).position, stop.signal);
    await eventually(() => batches.some(({ caughtUp }) => caughtUp));
    await double.order({ stalled: true });
    const append = some(2);
    // What is stalled are all answers of reads; the append is taken.
    await store.append(append);
    await eventually(() => lines.said.includes('a subscription begins anew'));
    await double.order({ stalled: false });
    await eventually(() => events.length === 2);
    expect(idsOf(events)).toEqual(idsOf(append.events));
    stop.abort();
  });

  test('tells checkpoints before the events that they cover loses none to them', async () => {
    const { double, store } = bench;
    await double.order({ earlyCheckpoints: true });
    const stop = new AbortController();
    const after = (await store.head()).position;
    const { events } = following(store, after, stop.signal, 10);
    const written: string[] = [];
    for (let round = 0; round < 4; round++) {
      const appends = Array.from({ length: 300 }, () => some());
      await Promise.all(appends.map((append) => surely(store, append)));
      written.push(...appends.flatMap((append) => idsOf(append.events)));
      await double.drop();
    }
    await eventually(() => events.length >= written.length, { within: 30_000 });
    expect(idsOf(events)).toEqual(idsOf(await everything(store, after)));
    expect(new Set(idsOf(events))).toEqual(new Set(written));
    stop.abort();
  });

  test('is asked for a position that is no record of it says so, once and for all', async () => {
    const { store } = bench;
    const { position } = await appended(store, some());
    const none = toPosition(toOrdinal(position) + 1);
    expect(await store.at(none)).toBeNull();
    await expect(store.readAll(none, 1)).rejects.toThrow(LogReplaced);
    await expect(following(store, none, bench.stop.signal).ended).rejects.toThrow(LogReplaced);
  });

  test('is asked for what lies beyond its end says so, instead of bringing what lies before', async () => {
    const { store } = bench;
    const beyond = toPosition(toOrdinal((await store.head()).position) + 1_000_000);
    await expect(following(store, beyond, bench.stop.signal).ended).rejects.toThrow(LogReplaced);
  });

  test('withdraws the right to read $all ends subscriptions with that cause', async () => {
    const { double, store } = bench;
    const { ended, batches } = following(store, (await store.head()).position, bench.stop.signal);
    await eventually(() => batches.length > 0);
    await double.order({ allDenied: true });
    await double.drop();
    await expect(ended).rejects.toThrow(/may not read \$all/);
    await expect(store.head()).rejects.toThrow(/may not read \$all/);
    // Streams are another matter.
    await surely(store, some());
  });

  test('refuses the password tells nobody that anything was written', async () => {
    const { double, store } = bench;
    await double.order({ denied: 16 });
    await double.drop();
    await eventually(() =>
      store.append(some()).then(
        () => false,
        (error: unknown) => error instanceof NotAppended && /password/.test(error.message),
      ),
    );
    await double.order({ denied: 0 });
    await surely(store, some());
  });
});

describe('a log in EventStoreDB', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.start();
  });
  afterEach(() => bench.end());

  const seal = (store: EventStore, alarm?: (found: Irregularity) => void): Promise<void> =>
    sealing(
      {
        ...{ store, seal: bench.seal, logger: bench.lines },
        pause: () => new Promise((resolve) => setImmediate(resolve)),
        ...(alarm && { alarm }),
      },
      bench.stop.signal,
    );

  test('restored from an older copy is refused: by who was reading, by the sealer, and at the next opening', async () => {
    const { double, store } = bench;
    await appended(store, some(2));
    await double.stop();
    await copyFile(double.file, `${double.file}.older`);
    await double.up();
    await surely(store, some(2));
    const sealer = seal(store);
    sealer.catch(() => {});
    await eventually(async () => (await bench.seal.head()).ordinal === 4);
    const reader = following(store, START, bench.stop.signal);
    await eventually(() => reader.events.length === 4);

    await double.kill();
    await copyFile(`${double.file}.older`, double.file);
    await double.up();
    // Others write on, so that the same places hold other events.
    await expect(reader.ended).rejects.toThrow(LogReplaced);
    await expect(sealer).rejects.toThrow(LogReplaced);
    await expect(bench.open()).rejects.toThrow(LogReplaced);
  });

  test('swapped for another is refused at the opening, and so is an empty one', async () => {
    const { double } = bench;
    await double.kill();
    await copyFile('/dev/null', double.file);
    await double.up();
    await expect(bench.open()).rejects.toThrow(LogReplaced);
  });

  test('whose clock falls tells times that never do, in every reading, and the sealer keeps them', async () => {
    const { double, store } = bench;
    const before = await appended(store, some());
    await double.order({ clockOffset: -3_600_000 });
    const fallen = some(2);
    await appended(store, fallen);
    await double.order({ clockOffset: -1_800_000 });
    const risen = some(1);
    await appended(store, risen);
    void seal(store);
    await eventually(async () => (await bench.seal.head()).ordinal === 4);

    const all = await everything(store);
    const greatest = all[0]!.recordedAt;
    expect(Math.abs(greatest - before.recordedAt)).toBeLessThan(60_000_000);
    expect(all.map(({ recordedAt }) => recordedAt)).toEqual([greatest, greatest, greatest, greatest]);
    const { events } = following(store, all[1]!.position, bench.stop.signal);
    await eventually(() => events.length === 2);
    expect(events).toEqual(all.slice(2));
    expect(await store.at(all[2]!.position)).toEqual(all[2]);
    const sealed = await Promise.all([1, 2, 3, 4].map((ordinal) => bench.seal.at(ordinal)));
    expect(sealed.map((entry) => entry!.recordedAt)).toEqual(all.map(({ recordedAt }) => recordedAt));

    await double.order({ clockOffset: 0 });
    await store.close();
    bench.store = await bench.open();
    expect(await bench.store.readStream(fallen.stream)).toEqual(all.slice(1, 3));
    expect(await bench.store.readStream(risen.stream)).toEqual(all.slice(3));
  });

  test('that holds an id twice has the alarm sounded by the sealer, and both stay facts', async () => {
    const { store } = bench;
    const twice = someEvent();
    const alarms: Irregularity[] = [];
    for (let i = 0; i < 2; i++)
      await appended(store, { stream: freshStream(), expected: NO_STREAM, events: [twice] });
    void seal(store, (found) => alarms.push(found));
    await eventually(() => alarms.length === 1);
    expect(alarms[0]).toMatchObject({ is: 'id-repeated', first: 1, entry: { ordinal: 2, id: twice.id } });
    expect(idsOf(await everything(store))).toEqual([twice.id, twice.id]);
    expect(await bench.seal.head()).toMatchObject({ ordinal: 2 });
  });

  test('takes an id again in its own stream, and answers that it was written', async () => {
    const { store } = bench;
    const event = someEvent();
    const stream = freshStream();
    await appended(store, { stream, expected: NO_STREAM, events: [event] });
    expect(await store.append({ stream, expected: 0, events: [event] })).toMatchObject({
      revision: 1,
      repeated: false,
    });
    expect(await store.append({ stream, expected: 0, events: [event] })).toMatchObject({ repeated: true });
  });

  test('holds foreign streams too, and shows none of them', async () => {
    const { store, double } = bench;
    const foreign = await openEventStoreDbLog({
      url: double.url,
      categories: ['other'],
      seal: bench.seal,
      timeouts: TIMEOUTS,
    });
    const mine: string[] = [];
    const { events } = following(store, START, bench.stop.signal);
    for (let i = 0; i < 5; i++) {
      const append = some();
      await appended(store, append);
      mine.push(...idsOf(append.events));
      for (let n = 0; n < 6; n++) await appended(foreign, { ...some(50), stream: `other-${freshStream()}` });
    }
    expect(idsOf(await everything(store, START, 2))).toEqual(mine);
    expect((await store.head()).id).toBe(mine.at(-1));
    await eventually(() => events.length === 5);
    expect(idsOf(events)).toEqual(mine);
    await expect(appended(store, { ...some(), stream: 'other-1' })).rejects.toThrow(/category/);
    await foreign.close();
  });
});

describe('at the opening', () => {
  let tls: EventStoreDouble;
  let plain: EventStoreDouble;
  let database: FreshDatabase;
  let seal: PostgresSeal;
  beforeAll(async () => {
    [tls, plain, database] = await Promise.all([
      EventStoreDouble.start({ tls: true }),
      EventStoreDouble.start(),
      freshDatabase(),
    ]);
    seal = await openPostgresSeal({ url: database.url });
  });
  afterAll(async () => {
    await seal.close();
    await Promise.all([tls.remove(), plain.remove(), database.drop()]);
  });

  const opening = (url: string) =>
    openEventStoreDbLog({ url, categories: ['ticket'], seal, timeouts: TIMEOUTS });
  const ca = `tlsCAFile=${EventStoreDouble.authority}`;

  test.each([
    [
      'an untrusted certificate',
      () => `esdb://covenant:secret@localhost:${tls.port}`,
      'untrusted-certificate',
    ],
    ['plain text to TLS', () => `esdb://localhost:${tls.port}?tls=false`, 'plain-text-to-tls'],
    ['TLS to plain text', () => `esdb://localhost:${plain.port}`, 'tls-to-plain-text'],
    ['a wrong password', () => `esdb://covenant:wrong@localhost:${tls.port}?${ca}`, 'credentials-wrong'],
    ['an unknown user', () => `esdb://nobody:secret@localhost:${tls.port}?${ca}`, 'credentials-wrong'],
    ['no user', () => `esdb://localhost:${tls.port}?${ca}`, 'credentials-missing'],
    ['no right to read $all', () => `esdb://covenant:secret@localhost:${tls.port}?${ca}`, 'may-not-read-all'],
    ['no file of the authority', () => `esdb://localhost:${tls.port}?tlsCAFile=/nowhere`, 'address'],
    ['no address at all', () => 'esdb:nonsense', 'address'],
  ])('%s is named', async (_, url, reason) => {
    const before = performance.now();
    const refused: unknown = await opening(url()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'LogRefused', reason });
    expect((refused as Error).message).not.toMatch(/secret|wrong@/);
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  test('a server that is not there is waited for, and not for ever', async () => {
    await expect(opening('esdb://127.0.0.1:1?tls=false')).rejects.toThrow(
      /not reached within 3000 ms.*ECONNREFUSED/,
    );
  });

  test('a server that comes up a little later is waited for', async () => {
    const late = await EventStoreDouble.start();
    await late.kill();
    const waiting = openEventStoreDbLog({
      url: late.url.replace('esdb:', 'kurrentdb:'),
      categories: ['ticket'],
      seal: await openPostgresSealOf(),
      timeouts: { ...TIMEOUTS, startMs: 20_000 },
    });
    await late.up();
    const store = await waiting;
    await appended(store, some());
    await store.close();
    await late.remove();
  });

  test('a user of its own may work once an administrator has let it read $all', async () => {
    const admin = EventStoreDBClient.connectionString(tls.url.replace('covenant:secret', 'admin:changeit'));
    await admin.setStreamMetadata('$all', { acl: { readRoles: ['$admins', 'covenant'] } });
    await admin.dispose();
    const store = await opening(tls.url);
    const append = some();
    await appended(store, append);
    expect(idsOf(await everything(store))).toEqual(idsOf(append.events));
    await store.close();
  });

  const openPostgresSealOf = async (): Promise<PostgresSeal> => {
    const other = await freshDatabase();
    const made = await openPostgresSeal({ url: other.url });
    databases.push(other, { url: '', drop: () => made.close() });
    return made;
  };
  const databases: FreshDatabase[] = [];
  afterAll(async () => {
    for (const { drop } of databases.reverse()) await drop();
  });
});
