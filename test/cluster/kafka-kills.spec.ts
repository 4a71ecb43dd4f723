import { expect, jest, test } from '@jest/globals';
import { openPostgresLog, type PostgresLog } from '#adapters/log-postgres';
import { TICKETS } from '#contracts';
import { announce } from '#engine/announce';
import { byKey } from '#engine/announce/testing';
import type { HouseEvent } from '#engine/catalogue';
import { decode } from '#engine/views/testing';
import { START, type Position, type Recorded } from '#kernel';
import { SECRETS } from '../e2e/edge/desk-process.js';
import { seeded } from '../long/support/chance.js';
import { freshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { onEachKafka } from '../support/kafka.js';
import { killAgainAndAgain, writeTickets } from '../support/kills.js';
import { readTopic } from '../support/read-topic.js';

jest.setTimeout(600_000);

const KILLS = 50;
const WRITERS = 4;

const chance = seeded();

/** What the log asks to be read, by key in order. */
async function told(log: PostgresLog): Promise<ReturnType<typeof byKey>> {
  const identity = await log.identity();
  const messages = [];
  for (let after: Position = START; ;) {
    const page = await log.readAll(after, 5_000);
    if (page.length === 0) return byKey(messages);
    for (const event of page)
      messages.push(
        ...announce(decode(event) as Recorded<HouseEvent>, identity).map(({ message }) => message),
      );
    after = page.at(-1)!.position;
  }
}

await onEachKafka(
  (name, brokers) => {
    test(`the relay is killed ${KILLS} times under load on ${name}, and every message is read once, in order`, async () => {
      const database = await freshDatabase();
      const log = await openPostgresLog({ url: database.url });
      const stop = new AbortController();
      const writers = Array.from({ length: WRITERS }, () => writeTickets(log, chance, stop.signal));
      try {
        const last = await killAgainAndAgain({
          kills: KILLS,
          process: {
            app: 'relay',
            env: { ...SECRETS, DATABASE_URL: database.url, KAFKA_BROKERS: brokers().brokers.join(',') },
          },
          sign: 'the relay goes on',
          after: () => chance.int(1_200),
        });
        stop.abort();
        await Promise.all(writers);
        const expected = await told(log);
        const count = Object.values(expected).flat().length;
        await eventually(async () => (await readTopic(brokers(), TICKETS.name)).length >= count, {
          within: 60_000,
          every: 500,
          what: `${count} messages`,
        });
        expect(await last.stop()).toBe(0);
        const read = await readTopic(brokers(), TICKETS.name);
        process.stderr.write(`${KILLS} kills, ${count} messages\n`);
        expect(read).toHaveLength(count);
        expect(byKey(read.map(({ message }) => message))).toEqual(expected);
        for (const { headers, key, message } of read)
          expect([headers, key]).toEqual([
            { ce_id: message.id, ce_type: message.type, ce_position: message.position },
            message.subject,
          ]);
      } finally {
        stop.abort();
        await Promise.allSettled(writers);
        await log.close();
        await database.drop();
      }
    });
  },
  { ours: true, versions: ['3.9'] },
);
