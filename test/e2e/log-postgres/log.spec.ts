import { openPostgresLog } from '#adapters/log-postgres';
import { eventStoreContract } from '#engine/store/testing';
import { freshDatabase } from '../../support/database.js';

eventStoreContract('the PostgreSQL log', {
  open: async () => {
    const database = await freshDatabase();
    const store = await openPostgresLog({ url: database.url });
    return {
      store,
      another: () => openPostgresLog({ url: database.url, poolSize: 2 }),
      close: async () => {
        await store.close();
        await database.drop();
      },
    };
  },
});
