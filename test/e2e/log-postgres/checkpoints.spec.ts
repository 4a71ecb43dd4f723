import { flowCheckpointsContract } from '#engine/flows/testing';
import { openPostgresCheckpoints } from '#adapters/log-postgres';
import { freshDatabase } from '../../support/database.js';

flowCheckpointsContract(async () => {
  const database = await freshDatabase();
  const [checkpoints, another] = await Promise.all([
    openPostgresCheckpoints({ url: database.url }),
    openPostgresCheckpoints({ url: database.url }),
  ]);
  return {
    checkpoints,
    another,
    close: async () => {
      await Promise.all([checkpoints.close(), another.close()]);
      await database.drop();
    },
  };
});
