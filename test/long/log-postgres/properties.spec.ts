import { randomBytes } from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import { openPostgresLog, openPostgresVault, type PostgresLog } from '#adapters/log-postgres';
import { codec, transactor, type EventStore } from '#engine/store';
import { eventStoreContract, everything, freshId, lamp, lampEvents, SOMEBODY } from '#engine/store/testing';
import { toOrdinal } from '#kernel';
import { freshDatabase } from '../../support/database.js';

jest.setTimeout(600_000);

const BACKENDS = 'FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()';

eventStoreContract('the PostgreSQL log, at length,', {
  runs: 600,
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

describe('connections that die at random under write load', () => {
  test('lose no acknowledged command and double none, and the log stays gapless', async () => {
    const database = await freshDatabase();
    const logs: PostgresLog[] = await Promise.all([1, 2].map(() => openPostgresLog({ url: database.url })));
    const reaper = await openPostgresLog({ url: database.url, application: 'reaper' });
    const vault = await openPostgresVault({ pool: reaper.pool, masterKey: randomBytes(32) });
    const chance = { bytes: (count: number) => randomBytes(count) };
    const desk = (store: EventStore) =>
      transactor({
        store,
        clock: Date,
        chance,
        decider: lamp,
        engine: '1',
        codec: codec({ catalogue: lampEvents, vault, chance }),
        pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      });
    const desks = logs.map(desk);
    const acknowledged = new Map<string, string>();
    let reaped = 0;
    const end = performance.now() + 30_000;

    const writer = async (i: number): Promise<void> => {
      for (let n = 0; performance.now() < end; n++) {
        const key = `writer ${i}, request ${n}`;
        const stream = `lamp-${i % 4 === 0 ? 'shared' : i}-${n % 5}`;
        for (;;) {
          // As a client does: again under its key, at either process, until there is an answer.
          const outcome = await desks[(i + n) % 2]!.transact(
            {
              stream,
              actor: { id: SOMEBODY, role: 'agent' },
              correlation: freshId(),
              key: { id: key, body: key, own: true },
            },
            (occurredAt) => ({ occurredAt, to: n % 2 ? 'on' : 'off', wish: key }),
          ).catch(() => null);
          if (outcome?.outcome === 'accepted') acknowledged.set(key, stream);
          if (outcome) break;
        }
      }
    };
    const reaping = (async () => {
      while (performance.now() < end) {
        const { rowCount } = await reaper.pool.query(
          `SELECT pg_terminate_backend(pid) ${BACKENDS} AND application_name <> 'reaper' ORDER BY random() LIMIT 1`,
        );
        reaped += rowCount ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    await Promise.all([reaping, ...Array.from({ length: 24 }, (_, i) => writer(i))]);

    const all = await everything(reaper, undefined, 2_000);
    expect(all.map((e) => toOrdinal(e.position))).toEqual(all.map((_, i) => i + 1));
    const stored = all.map((e) => ({ stream: e.stream, key: JSON.parse(e.body).key.id as string }));
    expect(new Set(stored.map(({ key }) => key)).size).toBe(acknowledged.size);
    for (const { key, stream } of stored) expect(acknowledged.get(key)).toBe(stream);
    // One request's events stand side by side: had any been written twice, its key would come up again later.
    const turns = stored.filter(({ key }, i) => key !== stored[i - 1]?.key);
    expect(turns).toHaveLength(acknowledged.size);
    expect(reaped).toBeGreaterThan(100);
    expect(acknowledged.size).toBeGreaterThan(1_000);
    for (const log of [...logs, reaper]) await log.close();
    await database.drop();
  });
});
