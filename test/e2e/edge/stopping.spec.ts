import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { mintToken } from '#edge';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { DeskProcess, SECRETS } from './desk-process.js';

jest.setTimeout(90_000);

let database: FreshDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await freshDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('A desk that is told to stop', () => {
  it('finishes the command in flight, takes no new ones, and is told twice without harm', async () => {
    const desk = DeskProcess.start({ env: { ...SECRETS, DATABASE_URL: database.url } });
    const address = await desk.address();
    const token = await mintToken(Buffer.from(SECRETS.AUTH_SECRET), { role: 'agent', name: 'alice' });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const open = (subject: string): Promise<Response> =>
      fetch(`${address}/v1/tickets`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ subject, text: 'At all.', channel: 'phone' }),
      });
    expect((await open('Before')).status).toBe(201);

    await client.query('BEGIN; LOCK TABLE log.events IN SHARE MODE');
    const slow = open('In flight');
    await eventually(
      async () => {
        const { rows } = await client.query(
          `SELECT 1 FROM pg_locks WHERE relation = 'log.events'::regclass AND NOT granted`,
        );
        return rows.length > 0;
      },
      { what: 'the command waits for the log' },
    );
    desk.signal('SIGTERM');
    await eventually(() => desk.line('the desk is stopping'));
    desk.signal('SIGINT');
    desk.signal('SIGTERM');
    await eventually(
      async () => {
        const late = await open('Too late').catch(() => null);
        if (late?.status === 201) throw new Error('it was accepted');
        return late === null || late.status === 503;
      },
      { what: 'new commands were turned away' },
    );
    expect(desk.child.exitCode).toBeNull();
    await client.query('ROLLBACK');

    const answer = await slow;
    expect(answer.status).toBe(201);
    const { position } = (await answer.json()) as { position: string };
    expect(await desk.ended).toBe(0);
    expect(desk.err).toBe('');
    expect(desk.line('the desk has stopped')).toMatchObject({ code: 0 });

    const { rows } = await client.query(
      `SELECT count(*)::int AS opened, max(ordinal)::text AS last FROM log.events WHERE type = 'desk.ticket-opened.v1'`,
    );
    expect(rows).toEqual([{ opened: 2, last: String(Number(position)) }]);
    await eventually(
      async () => {
        const { rows: sessions } = await client.query(
          `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
        expect(sessions).toEqual([]);
        return true;
      },
      { what: 'every session ended' },
    );
  });
});
