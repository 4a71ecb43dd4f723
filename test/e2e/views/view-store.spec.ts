import pg from 'pg';
import { openViews } from '#adapters/views-postgres';
import type { Folding } from '#engine/views';
import { viewStoreContract } from '#engine/views/testing';
import { silent } from '#kernel';
import { freshDatabase } from '../../support/database.js';

viewStoreContract('PostgreSQL', async () => {
  const database = await freshDatabase();
  const views = await openViews({ url: database.url, logger: silent });
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  return {
    store: views.store,
    rows: async (view) => (await pool.query<Folding>(`SELECT * FROM views.${view.name}`)).rows,
    tallies: async (view) => {
      const { rows } = await pool.query<{ subject: string; kind: string; count: string }>(
        'SELECT subject, kind, count FROM views.tallies WHERE view = $1 AND count <> 0',
        [view.name],
      );
      const tallies: Record<string, Record<string, number>> = {};
      for (const { subject, kind, count } of rows) (tallies[subject] ??= {})[kind] = Number(count);
      return tallies;
    },
    empty: async () => {
      await pool.query(
        `TRUNCATE views.checkpoints, views.tallies, views.parked, views.tickets, views.timeline,
                  views.queue_items, views.queues, views.people, views.pending_dues, views.attainment`,
      );
    },
    close: async () => {
      await pool.end();
      await views.close();
      await database.drop();
    },
  };
});
