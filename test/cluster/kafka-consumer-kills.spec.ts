import { jest, test } from '@jest/globals';
import { openPostgresLog } from '#adapters/log-postgres';
import { DeskProcess, SECRETS } from '../e2e/edge/desk-process.js';
import { seeded } from '../long/support/chance.js';
import { killConsumersUnderLoad } from '../support/consumer-kills.js';
import { freshDatabase } from '../support/database.js';
import { onEachKafka } from '../support/kafka.js';

jest.setTimeout(900_000);

const chance = seeded();

await onEachKafka(
  (name, brokers) => {
    test(`killed fifty times under load on ${name}, consumers take each message in once, and their tables equal rebuilt ones`, async () => {
      const database = await freshDatabase();
      const log = await openPostgresLog({ url: database.url });
      const env = {
        ...SECRETS,
        DATABASE_URL: database.url,
        KAFKA_BROKERS: brokers().brokers.join(','),
      };
      const relay = DeskProcess.start({ app: 'relay', env });
      try {
        await relay.address();
        // Who joins waits until Kafka has missed the one that was killed: there is a backlog at each start.
        await killConsumersUnderLoad({
          ...{ env, log, chance, kills: 25 },
          sign: 'the consumer reads from Kafka',
          within: 900,
          writers: 6,
        });
      } finally {
        await relay.stop();
        await log.close();
        await database.drop();
      }
    });
  },
  { versions: ['3.9'] },
);
