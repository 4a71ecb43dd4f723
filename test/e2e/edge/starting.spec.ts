import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { readFile, readdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { mintToken } from '#edge';
import { freshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { DeskProcess, freshFolder, SECRETS, type DeskOptions } from './desk-process.js';

jest.setTimeout(90_000);

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const start = (options: DeskOptions): DeskProcess => {
  const desk = DeskProcess.start(options);
  cleanups.push(() => desk.stop());
  return desk;
};
const folder = async (): Promise<string> => {
  const { path, remove } = await freshFolder();
  cleanups.push(remove);
  return path;
};
const database = async (): Promise<string> => {
  const { url, drop } = await freshDatabase();
  cleanups.push(drop);
  return url;
};

async function refusedStart(env: Record<string, string>): Promise<string[]> {
  const desk = start({ env });
  expect(await desk.ended).toBe(1);
  const lines = desk.err.trim().split('\n');
  for (const line of lines) expect(line).toMatch(/^covenant desk: /);
  return lines;
}

const tokenIn = (text: string, variable: string): string =>
  new RegExp(`^${variable}=(.+)$`, 'm').exec(text)![1]!;

describe('A desk that cannot start says why, in a line for each reason', () => {
  it('where settings are wrong, before it touches anything', async () => {
    const path = await folder();
    const lines = await refusedStart({
      PORT: 'eighty',
      DESK_ZONE: 'Nowhere/City',
      SEED: 'no',
      KAFKA_BROKERS: 'localhost',
      DATA_DIR: join(path, 'data'),
    });
    expect(lines.map((line) => line.split(' ')[2]).sort()).toEqual([
      'DESK_ZONE',
      'KAFKA_BROKERS',
      'PORT',
      'SEED',
    ]);
    expect(await readdir(path)).toEqual([]);
  });

  it('where the database does not answer', async () => {
    const lines = await refusedStart({
      ...SECRETS,
      DATABASE_URL: 'postgres://desk:hunter2@127.0.0.1:1/desk',
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('ECONNREFUSED');
    expect(lines[0]).not.toContain('hunter2');
  });

  it('where the master key is another one', async () => {
    const DATABASE_URL = await database();
    const first = start({ env: { ...SECRETS, DATABASE_URL } });
    await first.address();
    expect(await first.stop()).toBe(0);
    const lines = await refusedStart({ ...SECRETS, DATABASE_URL, MASTER_KEY: '22'.repeat(32) });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('MASTER_KEY');
  });

  it('where its port is in use, leaving nothing running', async () => {
    const DATA_DIR = await folder();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const lines = await refusedStart({ PORT: String(port), DATA_DIR, SEED: 'off' });
    taken.close();
    expect(lines).toEqual([
      `covenant desk: port ${port} on 127.0.0.1 is in use by another program; choose another: PORT=…`,
    ]);
    expect(await readdir(join(DATA_DIR, 'postgres'))).not.toContain('postmaster.pid');
  });

  it('where another desk holds the data folder', async () => {
    const DATA_DIR = await folder();
    const first = start({ env: { DATA_DIR, SEED: 'off' } });
    await first.address();
    const lines = await refusedStart({ DATA_DIR, SEED: 'off' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(DATA_DIR);
  });
});

describe('The first start on an empty embedded store', () => {
  it('makes a demonstration and a token per role, readable by the owner alone', async () => {
    const DATA_DIR = await folder();
    const desk = start({ env: { DATA_DIR } });
    const address = await desk.address();
    expect(desk.out).toContain(`Covenant is open at ${address}`);
    const env = await readFile(join(DATA_DIR, 'demo.env'), 'utf8');
    expect((await stat(join(DATA_DIR, 'demo.env'))).mode & 0o777).toBe(0o600);
    expect(tokenIn(env, 'DESK')).toBe(address);
    for (const role of [
      'AGENT',
      'SUPERVISOR',
      'COMPLAINTS_OFFICER',
      'VENDOR',
      'AUDITOR',
      'CUSTOMER',
      'INTEGRATION',
      'MONITOR',
      'ADMINISTRATOR',
    ])
      expect(desk.out).toContain(tokenIn(env, `${role}_TOKEN`));

    const authorization = `Bearer ${tokenIn(env, 'AGENT_TOKEN')}`;
    const opened = await fetch(`${address}/v1/tickets`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ subject: 'No sound', text: 'At all.', channel: 'phone' }),
    });
    expect(opened.status).toBe(201);
    const { id, position, promises } = (await opened.json()) as {
      id: string;
      position: string;
      promises: object[];
    };
    expect(promises).toHaveLength(2);
    const items = await fetch(`${address}/v1/queues/intake/items?after=${position}&limit=100`, {
      headers: { authorization },
    });
    expect(JSON.stringify(await items.json())).toContain(id);
    expect(await desk.stop()).toBe(0);
    expect(desk.err).toBe('');
  });

  it('makes none where SEED=off says so, and then shows no token', async () => {
    const DATA_DIR = await folder();
    const desk = start({ env: { DATA_DIR, SEED: 'off' } });
    await desk.address();
    expect(desk.out).not.toMatch(/eyJ/);
    expect(await readdir(DATA_DIR)).not.toContain('demo.env');
  });

  it('is completed by the next where it was cut off', async () => {
    const DATA_DIR = await folder();
    const first = start({ env: { DATA_DIR } });
    const { out } = await cutOffWhileSeeding(first);
    expect(out).not.toContain('DEMONSTRATION');
    const second = start({ env: { DATA_DIR } });
    const address = await second.address();
    const { authorization } = await agentOf(DATA_DIR);
    // The read models follow on a thread of their own.
    const tickets = await eventually(
      async () => {
        const all = await listAll(address, authorization);
        return all.length >= 13 && all;
      },
      { what: 'every ticket of the demonstration was there' },
    );
    expect(tickets).toHaveLength(13);
    expect(second.out).toContain('DEMONSTRATION');
    const oldToken = authorization;
    expect(await second.stop()).toBe(0);

    const third = start({ env: { DATA_DIR } });
    const again = await third.address();
    expect((await agentOf(DATA_DIR)).authorization).not.toBe(oldToken);
    expect(await listAll(again, oldToken)).toHaveLength(13);
  });

  const cutOffWhileSeeding = async (desk: DeskProcess): Promise<{ out: string }> => {
    await eventually(() => desk.out.split('"msg":"answered"').length > 12 || desk.child.exitCode !== null, {
      within: 60_000,
      every: 5,
      what: 'the desk was seeding',
    });
    if (desk.child.exitCode !== null) throw new Error(desk.err);
    desk.signal('SIGKILL');
    await desk.ended;
    return { out: desk.out };
  };
  const agentOf = async (dataDir: string): Promise<{ authorization: string }> => ({
    authorization: `Bearer ${tokenIn(await readFile(join(dataDir, 'demo.env'), 'utf8'), 'AGENT_TOKEN')}`,
  });
  const listAll = async (address: string, authorization: string): Promise<object[]> => {
    const answer = await fetch(`${address}/v1/tickets?limit=100`, { headers: { authorization } });
    return ((await answer.json()) as { items: object[] }).items;
  };
});

describe('A process whose clock is a year ahead', () => {
  it('is not ready, and appends and fires nothing', async () => {
    const DATABASE_URL = await database();
    const client = new pg.Client({ connectionString: DATABASE_URL });
    await client.connect();
    cleanups.push(() => client.end());
    const events = async (): Promise<number> =>
      (await client.query<{ events: number }>('SELECT count(*)::int AS events FROM log.events')).rows[0]!
        .events;
    const openTicket = async (address: string, now: number): Promise<Response> => {
      const claims = { role: 'agent', name: 'alice' } as const;
      const token = await mintToken(Buffer.from(SECRETS.AUTH_SECRET), claims, 3600, now / 1000);
      return fetch(`${address}/v1/tickets`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ subject: 'No sound', text: 'At all.', channel: 'phone' }),
      });
    };

    // A ticket whose promises fall due within the year, by a process whose clock is right.
    const right = start({ env: { ...SECRETS, DATABASE_URL } });
    expect((await openTicket(await right.address(), Date.now())).status).toBe(201);
    expect(await right.stop()).toBe(0);
    const before = await events();

    const ahead = start({ env: { ...SECRETS, DATABASE_URL }, preload: ['./year-ahead.mjs'] });
    const address = await ahead.address();
    const ready = await fetch(`${address}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ errors: [{ field: 'clock', problem: 'clock-untrusted' }] });
    for (let i = 0; i < 20; i++) {
      const opened = await openTicket(address, Date.now() + 365 * 86_400_000);
      expect([opened.status, ((await opened.json()) as { code: string }).code]).toEqual([
        503,
        'clock-untrusted',
      ]);
      expect(Number(opened.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await events()).toBe(before);
  });

  it('records not even the built-in policy in an empty log', async () => {
    const DATABASE_URL = await database();
    const desk = start({ env: { ...SECRETS, DATABASE_URL }, preload: ['./year-ahead.mjs'] });
    await desk.address();
    const client = new pg.Client({ connectionString: DATABASE_URL });
    await client.connect();
    const { rows } = await client.query('SELECT count(*)::int AS events FROM log.events');
    await client.end();
    expect(rows).toEqual([{ events: 0 }]);
  });
});
