import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { freshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';

const ask = async (url: string, statement: string): Promise<any[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
};

describe('A test’s database', () => {
  it('is a real PostgreSQL that commits durably', async () => {
    const db = await freshDatabase();
    expect(await ask(db.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
    expect(await ask(db.url, 'SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
    await db.drop();
  });

  it('is its own, and goes even while somebody is connected', async () => {
    const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
    await ask(one.url, 'CREATE TABLE mine (x int)');
    await expect(ask(other.url, 'SELECT * FROM mine')).rejects.toThrow('does not exist');
    const lingering = new pg.Client({ connectionString: one.url });
    lingering.on('error', () => undefined);
    await lingering.connect();
    await one.drop();
    await expect(ask(one.url, 'SELECT 1')).rejects.toThrow('does not exist');
    await other.drop();
    await lingering.end();
  });

  it('takes no one without its password', async () => {
    const db = await freshDatabase();
    const open = new URL(db.url);
    open.password = 'another';
    await expect(ask(open.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    await db.drop();
  });
});

describe('Waiting for a condition', () => {
  it('answers what became true', async () => {
    let looks = 0;
    expect(await eventually(() => (++looks < 3 ? undefined : looks), { every: 1 })).toBe(3);
  });

  it('says what did not come and how the last look went', async () => {
    const never = eventually(() => expect(1).toBe(2), { within: 5, every: 1, what: 'the sum' });
    await expect(never).rejects.toThrow(/the sum did not become true within 5 ms; .*toBe/s);
  });
});
