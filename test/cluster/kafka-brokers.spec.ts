import { expect, jest, test } from '@jest/globals';
import { kafkaFeed, kafkaOutlet } from '#adapters/feed-kafka';
import { PARTITIONS, TICKETS } from '#contracts';
import { announce, relay } from '#engine/announce';
import { byKey } from '#engine/announce/testing';
import type { HouseEvent } from '#engine/catalogue';
import { memoryLog } from '#engine/store';
import { decode } from '#engine/views/testing';
import { pause } from '#edge';
import { silent, START, type Recorded } from '#kernel';
import { seeded } from '../long/support/chance.js';
import { eventually } from '../support/eventually.js';
import { allInSync, freshPrefix, onEachKafka, type KafkaNode } from '../support/kafka.js';
import { writeTickets } from '../support/kills.js';
import { readTopic } from '../support/read-topic.js';

jest.setTimeout(600_000);

const chance = seeded();

/** Enough of them that something is being sent at every moment. */
const WRITERS = 12;

await onEachKafka(
  (name, brokers) => {
    test(`leaders move and brokers fail on ${name} while messages are sent, and every one is read once, in order`, async () => {
      const [one, two] = brokers().kafka!.nodes as [KafkaNode, KafkaNode];
      const store = memoryLog();
      const address = { ...brokers(), logger: silent };
      const outlet = kafkaOutlet(address);
      const stop = new AbortController();
      const quiet = new AbortController();
      const restarts: unknown[] = [];
      let puts = 0;
      const relaying = relay(
        {
          store,
          decode,
          outlet,
          logger: silent,
          pause,
          watch: { restarted: (error) => restarts.push(error), put: () => puts++ },
        },
        stop.signal,
      );
      const writers = Array.from({ length: WRITERS }, () => writeTickets(store, chance, quiet.signal));
      // A silent broker costs 3 s each time that it is asked first; what it led waits for Kafka to miss it.
      const goesOn = async (): Promise<void> => {
        const before = puts;
        await eventually(() => puts > before + 2, { within: 180_000, what: 'the relay goes on' });
      };
      const inSync = (): Promise<void> => allInSync(address.brokers, TICKETS.name, 2);
      try {
        await goesOn();
        await inSync();
        // An orderly stop moves the leaders first; a killed broker, and one that went silent, do not.
        for (const broker of [one, two, one]) {
          await broker.stop();
          await goesOn();
          await broker.start();
          await inSync();
        }
        for (const broker of [two, one]) {
          await broker.kill();
          await goesOn();
          await broker.start();
          await inSync();
        }
        two.freeze();
        await goesOn();
        two.thaw();
        await inSync();
        await goesOn();

        quiet.abort();
        await Promise.all(writers);
        const { position } = await store.head();
        await eventually(async () => (await outlet.standing())?.position === position, { within: 60_000 });
      } finally {
        two.thaw();
        stop.abort();
        quiet.abort();
        await Promise.allSettled([relaying, ...writers]);
      }
      const log = await store.identity();
      const expected = (await store.readAll(START, 1_000_000)).flatMap((event) =>
        announce(decode(event) as Recorded<HouseEvent>, log).map(({ message }) => message),
      );
      const read = (await readTopic(address, TICKETS.name)).map(({ message }) => message);
      process.stderr.write(
        `${expected.length} messages, ${puts} transactions, ${restarts.length} producers thrown away\n`,
      );
      expect(restarts.length).toBeGreaterThan(0);
      expect(read).toHaveLength(expected.length);
      expect(byKey(read)).toEqual(byKey(expected));
    });

    test(`members come and go and a broker fails on ${name}, and each partition is read on without a gap`, async () => {
      const [, two] = brokers().kafka!.nodes as [KafkaNode, KafkaNode];
      const address = { ...brokers(), prefix: freshPrefix(), logger: silent };
      const store = memoryLog();
      const stop = new AbortController();
      const quiet = new AbortController();
      const relaying = relay(
        { store, decode, outlet: kafkaOutlet(address), logger: silent, pause },
        stop.signal,
      );
      const writers = Array.from({ length: WRITERS }, () => writeTickets(store, chance, quiet.signal));

      // The tables of the consumer: what each partition brought, and where it goes on, moved together.
      const tables = new Map<string, { next: string | null; readonly offsets: bigint[] }>();
      let taken = 0;
      const table = (topic: string, partition: number) => {
        const place = `${topic}/${partition}`;
        if (!tables.has(place)) tables.set(place, { next: null, offsets: [] });
        return tables.get(place)!;
      };
      const member = (): { end(): Promise<void> } => {
        const left = new AbortController();
        const feed = kafkaFeed(address);
        const held = new Map<string, string | null>();
        const follow = async (): Promise<void> => {
          while (!left.signal.aborted) {
            await feed
              .follow({
                consumer: 'come-and-go',
                topics: [TICKETS],
                signal: left.signal,
                from: async (topic, partition) => {
                  const { next } = table(topic, partition);
                  held.set(`${topic}/${partition}`, next);
                  return next;
                },
                take: async ({ topic, partition, records, next }) => {
                  await pause(chance.int(30), left.signal);
                  const place = `${topic}/${partition}`;
                  const rows = table(topic, partition);
                  // Compare and set, as the consumers' tables do: somebody else may have it by now.
                  if (rows.next !== held.get(place)) throw new Error('another member has this partition');
                  rows.offsets.push(...records.map(({ offset }) => BigInt(offset)));
                  rows.next = next;
                  held.set(place, next);
                  taken += records.length;
                },
              })
              .catch(() => pause(100, left.signal));
          }
        };
        const following = follow();
        return {
          end: async () => {
            left.abort();
            await following;
            await feed.close();
          },
        };
      };
      const goesOn = async (): Promise<void> => {
        const before = taken;
        await eventually(() => taken > before + 200, { within: 90_000, what: 'the members go on' });
      };
      const members = [member()];
      try {
        await goesOn();
        members.push(member(), member());
        await goesOn();
        await members.shift()!.end();
        await goesOn();
        await allInSync(address.brokers, address.prefix + TICKETS.name, 2);
        await two.kill();
        await goesOn();
        await two.start();
        members.push(member());
        await goesOn();
        await members.shift()!.end();
        await goesOn();
        quiet.abort();
        await Promise.all(writers);
        const log = await store.identity();
        const expected = (await store.readAll(START, 1_000_000)).flatMap((event) =>
          announce(decode(event) as Recorded<HouseEvent>, log),
        ).length;
        await eventually(() => taken >= expected, { within: 60_000, what: `${expected} messages` });
        expect(taken).toBe(expected);
      } finally {
        await two.start();
        stop.abort();
        quiet.abort();
        await Promise.allSettled([relaying, ...writers, ...members.map((each) => each.end())]);
      }
      const read = await readTopic(address, TICKETS.name);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const offsets = read
          .filter((each) => each.partition === partition)
          .map(({ offset }) => BigInt(offset));
        expect([partition, table(TICKETS.name, partition).offsets]).toEqual([partition, offsets]);
      }
    });
  },
  {
    ours: true,
    brokers: 2,
    settings: { 'leader.imbalance.check.interval.seconds': 5, 'controlled.shutdown.retry.backoff.ms': 500 },
  },
);
