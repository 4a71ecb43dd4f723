import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { openPostgresLog, type PostgresLog } from '#adapters/log-postgres';
import { mintToken, pause } from '#edge';
import { DeskProcess, SECRETS } from '../../e2e/edge/desk-process.js';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { Listener, type Heard } from '../../support/listener.js';
import { seeded } from '../support/chance.js';

jest.setTimeout(120_000);

const KILLS = 5;
const WRITERS = 4;

const chance = seeded();
let database: FreshDatabase;
let log: PostgresLog;
let steady: DeskProcess;

beforeAll(async () => {
  database = await freshDatabase();
  log = await openPostgresLog({ url: database.url });
  steady = start();
  await steady.address();
});
afterAll(async () => {
  await steady.stop();
  await log.close();
  await database.drop();
});

const start = (): DeskProcess =>
  DeskProcess.start({ app: 'api', env: { ...SECRETS, DATABASE_URL: database.url } });

it('whoever follows a process that is killed again and again is told everything once, in order', async () => {
  const token = await mintToken(Buffer.from(SECRETS.AUTH_SECRET), { role: 'agent', name: 'alice' });
  const authorization = `Bearer ${token}`;
  const address = await steady.address();
  const quiet = new AbortController();
  const writes = async (): Promise<void> => {
    while (!quiet.signal.aborted) {
      const answer = await fetch(`${address}/v1/tickets`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ subject: 'Printer', text: 'It burns.', channel: 'phone' }),
      });
      expect(answer.status).toBe(201);
      await answer.text();
      await pause(chance.int(20), quiet.signal);
    }
  };
  const writers = Array.from({ length: WRITERS }, writes);

  const from = (await log.head()).position;
  const told: Heard[] = [];
  let last: string = from;
  const listen = async (to: string): Promise<Listener> => {
    const listener = await Listener.open(to, '/v1/live', { authorization, 'last-event-id': last });
    expect(listener.response.status).toBe(200);
    return listener;
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const killed = start();
    const listener = await listen(await killed.address());
    const enough = 1 + chance.int(60);
    await listener.until(() => listener.of('changed').length >= enough, `${enough} events`);
    killed.signal('SIGKILL');
    await killed.ended;
    await eventually(() => listener.over, { within: 10_000, what: 'the connection broke' });
    told.push(...listener.of('changed'));
    last = told.at(-1)!.id;
  }
  quiet.abort();
  await Promise.all(writers);

  const expected = (await log.readAll(from, 1_000_000)).filter(({ stream }) =>
    /^(ticket|queue)-/.test(stream),
  );
  const listener = await listen(address);
  await listener.until(() => told.length + listener.of('changed').length >= expected.length, 'all the rest');
  await listener.close();
  told.push(...listener.of('changed'));
  process.stderr.write(`${KILLS} kills, ${told.length} events told\n`);
  expect(expected.length).toBeGreaterThan(KILLS);
  expect(told.map(({ id, data }) => [id, data.type])).toEqual(
    expected.map(({ position, type }) => [position, type]),
  );
});
