import { jest, test } from '@jest/globals';
import { openPostgresLog } from '#adapters/log-postgres';
import { SECRETS } from '../../e2e/edge/desk-process.js';
import { killConsumersUnderLoad } from '../../support/consumer-kills.js';
import { freshDatabase } from '../../support/database.js';
import { seeded } from '../support/chance.js';

jest.setTimeout(600_000);

const chance = seeded();

/** Of each of the two consumers: one process alone, or one that leads and one that stands by. */
test.each([
  { instances: 1, kills: 25, sign: 'a consumer goes on', within: 600 },
  { instances: 2, kills: 6, sign: 'the desk is open', within: 2_500 },
])(
  'killed under load over the log itself ($instances × $kills times each), consumers take each message in once, and their tables equal rebuilt ones',
  async (run) => {
    const database = await freshDatabase();
    const log = await openPostgresLog({ url: database.url });
    try {
      await killConsumersUnderLoad({
        ...run,
        env: { ...SECRETS, DATABASE_URL: database.url },
        log,
        chance,
        writers: 6,
      });
    } finally {
      await log.close();
      await database.drop();
    }
  },
);
