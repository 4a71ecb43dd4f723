import { jest } from '@jest/globals';
import { openPostgresSeal } from '#adapters/log-postgres';
import { openEventStoreDbLog } from '#adapters/log-eventstoredb';
import { eventStoreContract } from '#engine/store/testing';
import { freshDatabase } from '../../support/database.js';
import { EventStoreDouble } from '../../support/eventstoredb.js';

jest.setTimeout(30_000);

eventStoreContract('the log in EventStoreDB (the double)', {
  gaplessOrdinals: false,
  refusesStoredIds: false,
  tellsRecordedAt: false,
  open: async () => {
    const [double, database] = await Promise.all([EventStoreDouble.start(), freshDatabase()]);
    const seal = await openPostgresSeal({ url: database.url });
    const open = () => openEventStoreDbLog({ url: double.url, categories: ['ticket'], seal });
    const store = await open();
    return {
      store,
      another: open,
      close: async () => {
        await store.close();
        await seal.close();
        await database.drop();
        await double.remove();
      },
    };
  },
});
