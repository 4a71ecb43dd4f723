import { expect, jest, test } from '@jest/globals';
import { openEventStoreDbLog } from '#adapters/log-eventstoredb';
import { openPostgresSeal } from '#adapters/log-postgres';
import { eventStoreContract } from '#engine/store/testing';
import { freshDatabase } from '../support/database.js';
import { killRun } from '../support/eventstoredb-kills.js';
import { notNamed } from '../support/named.js';

jest.setTimeout(120_000);

const url = process.env.EVENTSTORE_URL;

if (url === undefined || url === '') notNamed('EVENTSTORE_URL', 'EventStoreDB or KurrentDB');
else {
  eventStoreContract('the log in EventStoreDB', {
    gaplessOrdinals: false,
    refusesStoredIds: false,
    tellsRecordedAt: false,
    open: async () => {
      const database = await freshDatabase();
      const seal = await openPostgresSeal({ url: database.url });
      const open = () => openEventStoreDbLog({ url, categories: ['ticket'], seal });
      const store = await open();
      return {
        store,
        another: open,
        close: async () => {
          await store.close();
          await seal.close();
          await database.drop();
        },
      };
    },
  });

  test('sixteen writers at once are followed and sealed without a hole', async () => {
    const { followed, read, sealed, ...counts } = await killRun({ url, kills: 4, writers: 16, apart: 500 });
    expect(counts).toMatchObject({ conflicts: 0, lost: 0, doubled: 0, unasked: 0 });
    expect(followed).toEqual(read);
    expect(sealed).toBe(read.length);
  });
}
