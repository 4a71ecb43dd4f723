import { afterEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { openPostgresLog } from '#adapters/log-postgres';
import { mintToken } from '#edge';
import { NO_STREAM } from '#engine/store';
import type { Uuid } from '#kernel';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { DeskProcess, SECRETS } from './desk-process.js';

jest.setTimeout(120_000);

let database: FreshDatabase;
const desks: DeskProcess[] = [];
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.stop();
  await database.drop();
});

const start = (app: 'api' | 'projector' | 'standalone'): DeskProcess => {
  const desk = DeskProcess.start({ env: { ...SECRETS, DATABASE_URL: database.url }, app });
  desks.push(desk);
  return desk;
};
const authorization = async (): Promise<string> =>
  `Bearer ${await mintToken(Buffer.from(SECRETS.AUTH_SECRET), { role: 'agent', name: 'alice' })}`;

async function open(address: string): Promise<{ status: number; body: any }> {
  const answer = await fetch(`${address}/v1/tickets`, {
    method: 'POST',
    headers: { authorization: await authorization(), 'content-type': 'application/json' },
    body: JSON.stringify({ subject: 'No sound', text: 'At all.', channel: 'phone' }),
  });
  return { status: answer.status, body: await answer.json() };
}

async function query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

describe('Processes that start at once on an empty database', () => {
  it('all become ready, record the built-in policy once, and one’s tickets are the other’s', async () => {
    database = await freshDatabase();
    const [one, two, projector] = [start('api'), start('api'), start('projector')] as const;
    const [here, there, beside] = await Promise.all([one.address(), two.address(), projector.address()]);
    for (const address of [here, there, beside])
      expect((await fetch(`${address}/health/ready`)).status).toBe(200);
    expect(
      await query(`SELECT count(*)::int AS policies FROM log.events WHERE stream = 'policy-default'`),
    ).toEqual([{ policies: 1 }]);
    const { status, body } = await open(here);
    expect(status).toBe(201);
    const read = await fetch(`${there}/v1/tickets/${body.id}?after=${body.position}`, {
      headers: { authorization: await authorization() },
    });
    expect(read.status).toBe(200);
  });
});

describe('A process that meets an event of a later release', () => {
  it('stops folding, takes no commands and is not ready; nothing is parked or skipped', async () => {
    database = await freshDatabase();
    const desk = start('standalone');
    const address = await desk.address();
    const { body } = await open(address);
    const later = await openPostgresLog({ url: database.url });
    await later.append({
      stream: 'ticket-01890a5d-ac96-774b-bcce-b302099a8057',
      expected: NO_STREAM,
      events: [
        { id: '01890a5d-ac96-774b-bcce-b302099a8058' as Uuid, type: 'desk.ticket-opened.v99', body: '{}' },
      ],
    });
    await later.close();

    await eventually(
      async () => {
        const ready = await fetch(`${address}/health/ready`);
        expect(ready.status).toBe(503);
        const { errors } = (await ready.json()) as { errors: { problem: string }[] };
        expect(errors.map(({ problem }) => problem)).toContain('older-than-log');
        return true;
      },
      { within: 20_000, what: 'the process said that it is older than the log' },
    );
    const refused = await open(address);
    expect([refused.status, refused.body.code]).toEqual([503, 'older-than-log']);
    const reading = await fetch(`${address}/v1/tickets/${body.id}`, {
      headers: { authorization: await authorization() },
    });
    expect(reading.status).toBe(200);
    expect(await query('SELECT * FROM views.parked')).toEqual([]);
    const [at] = await query<{ most: string; head: string }>(
      'SELECT max(position)::text AS most, (SELECT max(ordinal) FROM log.events)::text AS head FROM views.checkpoints',
    );
    expect(Number(at!.most)).toBe(Number(at!.head) - 1);
  });
});
