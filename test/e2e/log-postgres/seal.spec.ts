import { openPostgresSeal } from '#adapters/log-postgres';
import { sealContract } from '#engine/store/testing';
import { freshDatabase } from '../../support/database.js';

sealContract('the PostgreSQL seal', {
  open: async () => {
    const database = await freshDatabase();
    const seal = await openPostgresSeal({ url: database.url });
    return {
      seal,
      another: async () => {
        const other = await openPostgresSeal({ url: database.url });
        return { seal: other, close: () => other.close() };
      },
      close: async () => {
        await seal.close();
        await database.drop();
      },
    };
  },
});
