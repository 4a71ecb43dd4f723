import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ticketStream, type TicketEvent } from '#domain/desk';
import { asPolicyGiven, builtIn } from '#domain/sla';
import { mintToken, openHouse, openLog, readSettings, type House } from '#edge';
import type { Recorded, Uuid } from '#kernel';
import { DeskProcess, SECRETS } from '../../e2e/edge/desk-process.js';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { killAgainAndAgain } from '../../support/kills.js';
import { seeded } from '../support/chance.js';

const TICKETS = 1_200;
const TOGETHER = 24;
const KILLS = 5;

jest.setTimeout(170_000);

const chance = seeded();
let database: FreshDatabase;
let house: House;
let env: Record<string, string>;
let address: string;
const processes: DeskProcess[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  env = { ...SECRETS, DATABASE_URL: database.url, LOG_LEVEL: 'info' };
  const api = DeskProcess.start({ app: 'api', env });
  const projector = DeskProcess.start({ app: 'projector', env });
  processes.push(api, projector);
  address = await api.address();
  await projector.address();
  house = await openHouse(readSettings(env), { as: 'command', logger: openLog('silent', 'test') });
});

afterAll(async () => {
  for (const process of processes) await process.stop();
  await house?.close();
  await database?.drop();
});

async function ask(name: string, method: 'GET' | 'POST', path: string, body?: object): Promise<any> {
  const token = await mintToken(house.secrets.authSecret, { role: 'supervisor', name });
  const answer = await fetch(new URL(path, address), {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const said = (await answer.json()) as any;
  expect([path, answer.status, said.code]).toEqual([
    path,
    answer.status < 300 ? answer.status : 0,
    undefined,
  ]);
  return said;
}

const eventsOf = async (ticket: string): Promise<readonly Recorded<TicketEvent>[]> =>
  (await house.store.readStream(ticketStream(ticket as Uuid))).map(
    house.codec.decode,
  ) as Recorded<TicketEvent>[];

describe('A timekeeper that is killed again and again while it re-targets open tickets', () => {
  it('re-targets each once, as of the instant of the version, to what the preview showed', async () => {
    const ids: string[] = [];
    for (let n = 0; n < TICKETS; n += TOGETHER)
      ids.push(
        ...(await Promise.all(
          Array.from({ length: TOGETHER }, async (_, i) => {
            const priority = 1 + ((n + i) % 4);
            const body = { subject: `the ${n + i}th`, text: 'It burns.', channel: 'phone', priority };
            return (await ask('alice', 'POST', '/v1/tickets', body)).id as string;
          }),
        )),
      );
    const given = asPolicyGiven(builtIn('UTC'));
    const slower = { ...given, targets: given.targets.map((row) => ({ ...row, target: 2 * row.target })) };
    const { proposal } = await ask('sam', 'POST', '/v1/policies/default/proposals', slower);
    const { position } = await house.store.head();
    const path = `/v1/policies/default/proposals/${proposal}`;
    const effective = new Date(Math.ceil(Date.now() / 1000) * 1000 + 20_000)
      .toISOString()
      .replace('.000', '');

    const due = new Map<string, string | null>();
    for (let query = `?limit=200&effective=${effective}&after=${position}`; query !== '';) {
      const page = await ask('uma', 'GET', `${path}/preview${query}`);
      for (const { ticket, dues } of page.items)
        for (const { clock, to } of dues) due.set(`${ticket} ${clock}`, to);
      if (page.summary) expect(page.summary).toMatchObject({ movedTickets: TICKETS, movedDues: 2 * TICKETS });
      query = page.next === null ? '' : `?limit=200&cursor=${page.next}`;
    }
    expect(due.size).toBe(2 * TICKETS);
    await ask('uma', 'POST', `${path}/activate`, { effective, openTickets: 'retarget' });
    await eventually(() => Date.now() > Date.parse(effective), {
      within: 60_000,
      what: 'the version is in force',
    });

    processes.push(
      await killAgainAndAgain({
        kills: KILLS,
        process: { app: 'timekeeper', env },
        sign: 'the desk is open',
        after: () => chance.int(700),
      }),
    );
    await eventually(
      async () => {
        const last = await eventsOf(ids.at(-1)!);
        return last.some(({ type }) => type === 'desk.ticket-retargeted.v1');
      },
      { within: 60_000, every: 200, what: 'the last ticket is re-targeted' },
    );
    for (const id of ids) {
      const told = await eventually(async () => {
        const found = (await eventsOf(id)).filter(({ type }) => type === 'desk.ticket-retargeted.v1');
        return found.length > 0 && found;
      });
      expect(told).toHaveLength(1);
      const [event] = told;
      expect(event!.occurredAt).toBe(effective);
      if (event?.type !== 'desk.ticket-retargeted.v1') throw new Error('another fact');
      for (const clock of event.data.clocks) expect(clock.due).toBe(due.get(`${id} ${clock.clock}`));
    }
  });
});
