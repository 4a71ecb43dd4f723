import { expect, jest, test } from '@jest/globals';
import { kafkaOutlet } from '#adapters/feed-kafka';
import { TICKETS } from '#contracts';
import { announce, relay } from '#engine/announce';
import { byKey } from '#engine/announce/testing';
import type { HouseEvent } from '#engine/catalogue';
import { memoryLog } from '#engine/store';
import { decode } from '#engine/views/testing';
import { pause } from '#edge';
import { silent, START, type Recorded } from '#kernel';
import { seeded } from '../long/support/chance.js';
import { eventually } from '../support/eventually.js';
import { allInSync, onEachKafka } from '../support/kafka.js';
import { writeTickets } from '../support/kills.js';
import { readTopic } from '../support/read-topic.js';

jest.setTimeout(400_000);

const chance = seeded();

/** Enough of them that something is being sent at every moment. */
const WRITERS = 12;

await onEachKafka(
  (name, brokers) => {
    test(`leaders move and brokers fail on ${name} while messages are sent, and every one is read once, in order`, async () => {
      const { kafka } = brokers();
      // Of a named Kafka nobody here may end a broker.
      if (!kafka) return;
      const [one, two] = kafka.nodes as [(typeof kafka.nodes)[number], (typeof kafka.nodes)[number]];
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
      const goesOn = async (): Promise<void> => {
        const before = puts;
        await eventually(() => puts > before + 2, { within: 60_000, what: 'the relay goes on' });
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
  },
  {
    brokers: 2,
    settings: { 'leader.imbalance.check.interval.seconds': 5, 'controlled.shutdown.retry.backoff.ms': 500 },
  },
);
