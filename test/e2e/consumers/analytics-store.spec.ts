import pg from 'pg';
import { openAnalyticsTables } from '#adapters/consumers-postgres';
import type { TicketMeasures } from '#engine/analytics';
import { consumerStoreContract, consumingContract, type OpenedConsumerStore } from '#engine/feed/testing';
import { silent } from '#kernel';
import { freshDatabase } from '../../support/database.js';

async function open(): Promise<OpenedConsumerStore> {
  const database = await freshDatabase();
  const options = { url: database.url, logger: silent };
  const [tables, second] = [await openAnalyticsTables(options), await openAnalyticsTables(options)];
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  return {
    store: tables.store,
    second: second.store,
    rows: async () => {
      const { rows } = await pool.query<{ ticket: string }>('SELECT ticket FROM analytics.tickets');
      const found = await tables.store.transact((tx) => tx.tables.load(rows.map(({ ticket }) => ticket)));
      return Object.fromEntries(found) as Record<string, TicketMeasures>;
    },
    counts: async () => {
      const { rows } = await pool.query<{ name: string; count: string }>(
        `SELECT day || '/' || tier || '/' || channel || '/' || measure AS name, count
         FROM analytics.days WHERE count <> 0`,
      );
      return Object.fromEntries(rows.map(({ name, count }) => [name, Number(count)]));
    },
    empty: async () => {
      await pool.query(
        `TRUNCATE analytics.state, analytics.positions, analytics.seen, analytics.dead_letters,
                  analytics.tickets, analytics.days`,
      );
    },
    tamper: async (ticket) => {
      await pool.query(`UPDATE analytics.tickets SET channel = 'tampered' WHERE ticket = $1`, [ticket]);
    },
    close: async () => {
      await pool.end();
      await tables.close();
      await second.close();
      await database.drop();
    },
  };
}

consumerStoreContract('PostgreSQL', open);
consumingContract('PostgreSQL', open);
