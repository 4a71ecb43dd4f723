import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { grant, OPERATIONS, type Operation } from '#domain/access';
import { asPolicyGiven, builtIn } from '#domain/sla';
import type { TokenClaims, TokenRole } from '#edge';
import { LEAST, openCompany, type Answer, type Client, type Company, type Desk } from './desk.js';

/** A request under each operation; `{id}` is the ticket it is about, other ids stand in the body or the query. */
interface Probe {
  readonly operation: Operation;
  readonly method: 'GET' | 'POST';
  readonly path: (id: string) => string;
  readonly body?: (id: string) => object;
  /** What the same request answers where the ticket does not exist. */
  readonly absent: number;
}

const ticket = (route: string, operation: Operation, body?: object): Probe => ({
  operation,
  method: body === undefined ? 'GET' : 'POST',
  path: (id) => `/v1/tickets/${id}${route}`,
  ...(body !== undefined && { body: () => body }),
  absent: 404,
});

/** About one policy, whatever the id, but for what is about a proposal: that is no ticket's. */
const policy = (method: Probe['method'], route: string, operation: Operation, body?: object): Probe => ({
  operation,
  method,
  path: (id) => `/v1/policies/default${route.replace('{id}', id)}`,
  ...(body && { body: () => body }),
  absent: route.includes('{id}') ? 404 : method === 'POST' ? 201 : 200,
});
const POLICY = asPolicyGiven(builtIn('UTC'));

let ours = '';

const PROBES: readonly Probe[] = [
  { operation: 'tickets.open', method: 'POST', path: () => '/v1/tickets', body: () => LEAST, absent: 201 },
  { operation: 'tickets.list', method: 'GET', path: (id) => `/v1/tickets?requester=${id}`, absent: 200 },
  ticket('', 'tickets.read'),
  ticket('/timeline', 'tickets.timeline'),
  ticket('/clocks', 'tickets.clocks'),
  ticket('/messages', 'tickets.message', { text: 'Hello.' }),
  ticket('/assign', 'tickets.assign', { group: 'Network' }),
  ticket('/handover', 'tickets.handover', { group: 'Storage', reason: 'x' }),
  ticket('/accept-handover', 'tickets.accept-handover', {}),
  ticket('/decline-handover', 'tickets.decline-handover', { reason: 'x' }),
  ticket('/hold', 'tickets.hold', { reason: 'vendor' }),
  ticket('/resume', 'tickets.resume', {}),
  ticket('/escalate', 'tickets.escalate', { reason: 'x' }),
  ticket('/prioritise', 'tickets.prioritise', { priority: 2 }),
  ticket('/classify', 'tickets.classify', { category: 'x' }),
  ticket('/hand-to-vendor', 'tickets.hand-to-vendor', { vendor: 'x' }),
  ticket('/take-back', 'tickets.take-back', {}),
  ticket('/resolve', 'tickets.resolve', {}),
  ticket('/reopen', 'tickets.reopen', {}),
  ticket('/close', 'tickets.close', {}),
  ticket('/rate', 'tickets.rate', { score: 5 }),
  {
    operation: 'tickets.merge',
    method: 'POST',
    path: () => `/v1/tickets/${ours}/merge`,
    body: (id) => ({ duplicate: id }),
    absent: 404,
  },
  {
    operation: 'tickets.link',
    method: 'POST',
    path: () => `/v1/tickets/${ours}/link`,
    body: (id) => ({ other: id }),
    absent: 404,
  },
  {
    operation: 'queues.define',
    method: 'POST',
    path: () => '/v1/queues',
    body: () => ({ group: 'Q' }),
    absent: 201,
  },
  { operation: 'queues.list', method: 'GET', path: () => '/v1/queues', absent: 200 },
  { operation: 'queues.items', method: 'GET', path: (id) => `/v1/queues/${id}/items`, absent: 404 },
  { operation: 'live.pass', method: 'GET', path: () => '/v1/live/pass', absent: 200 },
  // Who may follow is told that the log has not come so far; a stream would never end.
  {
    operation: 'live.follow',
    method: 'GET',
    path: () => '/v1/live?after=9999999999999999',
    absent: 400,
  },
  policy('GET', '', 'policies.read'),
  policy('GET', '/versions/1', 'policies.version'),
  policy('POST', '/proposals', 'policies.propose', POLICY),
  policy('GET', '/proposals/{id}', 'policies.proposal'),
  policy('GET', '/proposals/{id}/preview', 'policies.preview'),
  policy('POST', '/proposals/{id}/activate', 'policies.activate', { openTickets: 'keep' }),
  policy('POST', '/proposals/{id}/withdraw', 'policies.withdraw', {}),
  { operation: 'policies.list', method: 'GET', path: () => '/v1/policies', absent: 200 },
  { operation: 'attainment.read', method: 'GET', path: () => '/v1/attainment', absent: 200 },
  { operation: 'analytics.tickets', method: 'GET', path: () => '/v1/analytics/tickets', absent: 200 },
  {
    operation: 'knowledge.candidates',
    method: 'GET',
    path: (id) => `/v1/knowledge/candidates?category=${id}`,
    absent: 200,
  },
  { operation: 'knowledge.categories', method: 'GET', path: () => '/v1/knowledge/categories', absent: 200 },
];

const CLAIMS: Readonly<Record<TokenRole, TokenClaims>> = {
  agent: { role: 'agent', name: 'alice' },
  supervisor: { role: 'supervisor', name: 'sam' },
  'complaints-officer': { role: 'complaints-officer', name: 'olga' },
  vendor: { role: 'vendor', name: 'victor', vendor: 'Acme' },
  auditor: { role: 'auditor', name: 'ada' },
  customer: { role: 'customer', name: 'carol', customer: 'Globex' },
  integration: { role: 'integration', name: 'gateway' },
  monitor: { role: 'monitor', name: 'probe' },
  administrator: { role: 'administrator', name: 'root' },
};

/** An id that the desk never gave. */
const ABSENT = '01893f5a-0000-7000-8000-000000000000';

describe('who may do and see what', () => {
  let company: Company;
  let desk: Desk;
  let own: string;
  let colleagues: string;
  let foreign: string;

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    const open = async (claims: TokenClaims) =>
      (await (await desk.as(claims)).post('/v1/tickets', LEAST)).body.id as string;
    own = await open(CLAIMS.customer);
    colleagues = await open({ role: 'customer', name: 'chris', customer: 'Globex' });
    foreign = await open({ role: 'customer', name: 'ivan', customer: 'Initech' });
    ours = await open(CLAIMS.agent);
    const { position } = await desk.house.store.head();
    await desk.house.caughtUp(position);
  });
  afterAll(() => company.close());

  const send = (client: Client, { method, path, body }: Probe, id: string, headers = {}): Promise<Answer> =>
    client.ask(method, path(id), { ...(body && { body: body(id) }), headers });

  const head = async () => (await desk.house.store.head()).position;

  it('every operation is walked', () => {
    expect([...new Set(PROBES.map(({ operation }) => operation))].sort()).toEqual([...OPERATIONS].sort());
  });

  for (const role of Object.keys(CLAIMS) as TokenRole[])
    describe(`role ${role}`, () => {
      let client: Client;
      beforeAll(async () => {
        client = await desk.as(CLAIMS[role]);
        // Whoever acts is named once; that is not what is looked at here.
        await client.post('/v1/tickets', LEAST);
      });

      for (const probe of PROBES) {
        const row = grant(probe.operation, role);
        const name = `${probe.method} ${probe.path('{id}').replace(ours, '{own}')}`;

        if (!row) {
          it(`${name} is not for it, whatever the id`, async () => {
            const before = await head();
            const answers = [];
            for (const id of [own, foreign, ABSENT, 'nonsense']) answers.push(await send(client, probe, id));
            for (const { status, body } of answers)
              expect([status, body.code]).toEqual([403, 'not-permitted']);
            expect(await head()).toBe(before);
          });
          continue;
        }

        it(`${name} reaches ${row.scope}`, async () => {
          const correlation = { 'x-correlation-id': 'walk' };
          const before = await head();
          const absent = await send(client, probe, ABSENT, correlation);
          expect(absent.status).toBe(probe.absent);
          if (probe.absent === 404) expect(await head()).toBe(before);
          const reached = await send(client, probe, own, correlation);
          // What is the caller's own may still be refused for what it is, but not for whose it is.
          if (probe.operation !== 'queues.items' && !probe.path('{id}').includes('/proposals/{id}'))
            expect(['not-authenticated', 'not-permitted', 'not-found']).not.toContain(reached.body.code);
          if (row.scope === 'any') return;
          const colleague = await send(client, probe, colleagues, correlation);
          expect(colleague.body?.code ?? '').not.toBe('not-found');
          if (probe.absent !== 404) return;

          const outside = await head();
          for (const more of [{}, { 'if-match': '"99"' }, { 'idempotency-key': `walk-${probe.operation}` }]) {
            const headers = { ...correlation, ...more };
            const not = await send(client, probe, ABSENT, headers);
            const foreigners = await send(client, probe, foreign, headers);
            expect(foreigners.text).toBe(not.text);
            expect(foreigners.status).toBe(not.status);
            expect(comparable(foreigners)).toEqual(comparable(not));
          }
          expect(await head()).toBe(outside);
        });
      }
    });

  /** Headers that an answer's content decides. */
  const comparable = ({ headers }: Answer) =>
    [...headers].filter(([name]) => !['date', 'x-correlation-id'].includes(name)).sort();

  it('a customer’s list holds the account’s tickets and no other', async () => {
    const carol = await desk.as(CLAIMS.customer);
    const ids = (await carol.get('/v1/tickets?limit=200')).body.items.map((one: any) => one.id);
    expect(ids).toEqual(expect.arrayContaining([own, colleagues]));
    expect(ids).not.toContain(foreign);
    expect(ids).not.toContain(ours);
    const ivan = await (await desk.as({ role: 'agent', name: 'alice' })).get(`/v1/tickets/${foreign}`);
    const asked = await carol.get(`/v1/tickets?requester=${ivan.body.requester.id}`);
    const nobody = await carol.get(`/v1/tickets?requester=${ABSENT}`);
    expect(asked.text).toBe(nobody.text);
  });

  it('a foreign ticket’s number is nobody’s number', async () => {
    const agent = await desk.as(CLAIMS.agent);
    const { number } = (await agent.get(`/v1/tickets/${foreign}`)).body;
    const carol = await desk.as(CLAIMS.customer);
    expect((await agent.get(`/v1/tickets?number=${number}`)).body.items).toHaveLength(1);
    expect((await carol.get(`/v1/tickets?number=${number}`)).text).toBe(
      (await carol.get('/v1/tickets?number=T-1')).text,
    );
  });

  it('nothing is reached without a token, and nothing differs by why', async () => {
    const headers = { 'x-correlation-id': 'walk' };
    for (const probe of PROBES) {
      const without = await send(desk.with(null), probe, own, headers);
      expect([without.status, without.body.code]).toEqual([401, 'not-authenticated']);
      expect(without.headers.get('www-authenticate')).toMatch(/^Bearer/);
      const wrong = await send(desk.with('eyJhbGciOiJub25lIn0.e30.'), probe, own, headers);
      expect(wrong.status).toBe(401);
    }
  });
});
