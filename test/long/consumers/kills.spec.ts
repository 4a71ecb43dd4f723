import { jest, test } from '@jest/globals';
import { openPostgresLog } from '#adapters/log-postgres';
import { SECRETS } from '../../e2e/edge/desk-process.js';
import { killConsumersUnderLoad } from '../../support/consumer-kills.js';
import { freshDatabase } from '../../support/database.js';
import { seeded } from '../support/chance.js';

jest.setTimeout(600_000);

const chance = seeded();

test('killed fifty times under load over the log itself, consumers take each message in once, and their tables equal rebuilt ones', async () => {
  const database = await freshDatabase();
  const log = await openPostgresLog({ url: database.url });
  try {
    await killConsumersUnderLoad({
      env: { ...SECRETS, DATABASE_URL: database.url },
      log,
      chance,
      kills: 25,
      sign: 'a consumer goes on',
      within: 600,
      writers: 6,
    });
  } finally {
    await log.close();
    await database.drop();
  }
});
