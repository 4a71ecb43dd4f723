import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { openNumbers, openPostgresVault, WrongMasterKey, type PostgresVault } from '#adapters/log-postgres';
import { KeyWithdrawn } from '#engine/store';
import { freshId } from '#engine/store/testing';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';

let database: FreshDatabase;
let client: pg.Client;
const masterKey = randomBytes(32);
const opened: PostgresVault[] = [];

const open = async (more: { rememberMs?: number; remembered?: number } = {}): Promise<PostgresVault> => {
  const vault = await openPostgresVault({ url: database.url, masterKey, ...more });
  opened.push(vault);
  return vault;
};

beforeAll(async () => {
  database = await freshDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  for (const vault of opened) await vault.close();
  await client.end();
  await database.drop();
});

describe('the vault', () => {
  test('makes a key once, and every process opens the same', async () => {
    const [one, two] = [await open(), await open()];
    const persons = [freshId(), freshId()];
    const keys = await one.keysFor(persons);
    expect([...keys.keys()]).toEqual(persons);
    for (const key of keys.values()) expect(key).toHaveLength(32);
    expect(await two.existingKeys(persons)).toEqual(keys);
    expect(await two.keysFor(persons)).toEqual(keys);
  });

  test('two processes that make one person’s key at once get one key', async () => {
    const vaults = [await open(), await open(), await open()];
    const persons = Array.from({ length: 20 }, freshId);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => vaults[i % 3]!.keysFor(i % 2 ? persons : [...persons].reverse())),
    );
    for (const person of persons)
      expect(new Set(answers.map((keys) => keys.get(person)!.toString('hex'))).size).toBe(1);
  });

  test('a key is there before it is answered, and only wrapped', async () => {
    const vault = await open();
    const person = freshId();
    const key = (await vault.keysFor([person])).get(person)!;
    const { rows } = await client.query<{ wrapped: Buffer; state: string }>(
      'SELECT wrapped, state FROM vault.person_keys WHERE person = $1',
      [person],
    );
    expect(rows[0]!.state).toBe('open');
    expect(rows[0]!.wrapped.includes(key)).toBe(false);
  });

  test('makes no key for who is only asked about', async () => {
    const vault = await open();
    const [known, unknown] = [freshId(), freshId()];
    await vault.keysFor([known]);
    expect([...(await vault.existingKeys([unknown, known])).keys()]).toEqual([known]);
    expect((await client.query('SELECT FROM vault.person_keys WHERE person = $1', [unknown])).rowCount).toBe(
      0,
    );
  });

  test('a closing key seals no more but opens, a destroyed one does neither', async () => {
    const person = freshId();
    const key = (await (await open()).keysFor([person])).get(person);
    await client.query("UPDATE vault.person_keys SET state = 'closing' WHERE person = $1", [person]);
    const vault = await open();
    await expect(vault.keysFor([person])).rejects.toThrow(KeyWithdrawn);
    expect((await vault.existingKeys([person])).get(person)).toEqual(key);
    await client.query("UPDATE vault.person_keys SET state = 'destroyed', wrapped = NULL WHERE person = $1", [
      person,
    ]);
    const later = await open();
    await expect(later.keysFor([person])).rejects.toThrow(KeyWithdrawn);
    expect(await later.existingKeys([person])).toEqual(new Map());
  });

  test('remembers an opened key only for its time', async () => {
    const vault = await open({ rememberMs: 0 });
    const person = freshId();
    await vault.keysFor([person]);
    await client.query("UPDATE vault.person_keys SET state = 'closing' WHERE person = $1", [person]);
    await expect(vault.keysFor([person])).rejects.toThrow(KeyWithdrawn);
  });

  test('remembers a bounded number of keys', async () => {
    const vault = await open({ remembered: 2 });
    const persons = Array.from({ length: 5 }, freshId);
    const keys = await vault.keysFor(persons);
    expect(keys.size).toBe(5);
    expect(await vault.existingKeys(persons)).toEqual(keys);
  });

  test('a row moved to another person is not opened', async () => {
    const vault = await open();
    const [one, two] = [freshId(), freshId()];
    await vault.keysFor([one, two]);
    await client.query(
      'UPDATE vault.person_keys SET wrapped = (SELECT wrapped FROM vault.person_keys WHERE person = $1) WHERE person = $2',
      [one, two],
    );
    await expect((await open()).existingKeys([two])).rejects.toThrow();
    await client.query('DELETE FROM vault.person_keys WHERE person = $1', [two]);
  });

  test('another master key is one clear error at the start', async () => {
    const wrong = openPostgresVault({ url: database.url, masterKey: randomBytes(32) });
    await expect(wrong).rejects.toThrow(WrongMasterKey);
    await expect(wrong).rejects.toThrow(/MASTER_KEY/);
  });
});

describe('numbers', () => {
  test('start at 100001, rise, and are never given twice in any process', async () => {
    const [one, two] = [await openNumbers({ url: database.url }), await openNumbers({ url: database.url })];
    expect(await one.next('T')).toBe('T-100001');
    expect(await one.next('C')).toBe('C-100001');
    const given = await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 2 ? one : two).next('T')));
    expect(new Set([...given, 'T-100001']).size).toBe(201);
    const ofOne = given.filter((_, i) => i % 2);
    expect([...ofOne].sort()).toEqual(ofOne);
    await one.close();
    await two.close();
  });
});
