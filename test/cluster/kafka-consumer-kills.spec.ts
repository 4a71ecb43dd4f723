import { afterAll, beforeAll, jest, test } from '@jest/globals';
import { openPostgresLog, type PostgresLog } from '#adapters/log-postgres';
import { DeskProcess, SECRETS } from '../e2e/edge/desk-process.js';
import { seeded } from '../long/support/chance.js';
import { killConsumersUnderLoad } from '../support/consumer-kills.js';
import { freshDatabase, type FreshDatabase } from '../support/database.js';
import { onEachKafka } from '../support/kafka.js';

jest.setTimeout(900_000);

const chance = seeded();

await onEachKafka(
  (name, brokers) => {
    let database: FreshDatabase;
    let log: PostgresLog;
    let relay: DeskProcess;
    let env: Record<'DATABASE_URL' | 'KAFKA_BROKERS', string>;
    beforeAll(async () => {
      database = await freshDatabase();
      log = await openPostgresLog({ url: database.url });
      env = {
        ...SECRETS,
        DATABASE_URL: database.url,
        KAFKA_BROKERS: brokers().brokers.join(','),
      };
      relay = DeskProcess.start({ app: 'relay', env });
      await relay.address();
    });
    afterAll(async () => {
      await relay.stop();
      await log.close();
      await database.drop();
    });

    // Who joins waits until Kafka has missed the one that was killed: there is a backlog at each start.
    const kill = (run: { readonly instances: number; readonly kills: number }) =>
      killConsumersUnderLoad({
        ...{ ...run, env, log, chance },
        sign: 'the consumer reads from Kafka',
        within: 900,
        writers: 6,
      });

    test(`killed fifty times under load on ${name}, consumers take each message in once, and their tables equal rebuilt ones`, () =>
      kill({ instances: 1, kills: 25 }));

    test(`so they do where two processes of each share the partitions, and each is killed`, () =>
      kill({ instances: 2, kills: 4 }));
  },
  { versions: ['3.9'] },
);
