import pg from 'pg';
import { openPostgresLog } from '#adapters/log-postgres';
import { openViews } from '#adapters/views-postgres';
import type { Folding } from '#engine/views';
import { projectingContract } from '#engine/views/testing';
import { silent } from '#kernel';
import { freshDatabase } from '../../support/database.js';

projectingContract(
  'PostgreSQL',
  async () => {
    const database = await freshDatabase();
    const log = await openPostgresLog({ url: database.url, logger: silent });
    const closing: (() => Promise<void>)[] = [];
    const views = await openViews({ url: database.url, logger: silent });
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    return {
      store: log,
      into: views.store,
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
      otherLog: async () => {
        const elsewhere = await freshDatabase();
        const other = await openPostgresLog({ url: elsewhere.url, logger: silent });
        closing.push(async () => {
          await other.close();
          await elsewhere.drop();
        });
        return other;
      },
      tamper: async (view, key) => {
        await pool.query(`UPDATE views.${view.name} SET revision = -1 WHERE ${view.keyColumns[0]} = $1`, [
          key,
        ]);
      },
      close: async () => {
        await pool.end();
        await views.close();
        await log.close();
        await database.drop();
        for (const close of closing) await close();
      },
    };
  },
  3,
);
