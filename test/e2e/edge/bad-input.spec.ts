import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SignJWT } from 'jose';
import { openCompany, type Answer, type Client, type Company, type Desk } from '../api/desk.js';

jest.setTimeout(60_000);

let company: Company;
let desk: Desk;
let agent: Client;
let gateway: Client;
let ticket: string;
beforeAll(async () => {
  company = await openCompany();
  desk = await company.open();
  agent = await desk.as({ role: 'agent', name: 'alice' });
  const opened = await agent.post('/v1/tickets', good, { 'idempotency-key': 'the-first' });
  expect(opened.status).toBe(201);
  // Whoever is met for the first time is named in the log before the opening is decided.
  gateway = await desk.as({ role: 'integration', name: 'gate' });
  expect((await gateway.post('/v1/tickets', good)).status).toBe(201);
  ticket = opened.body.id;
});
afterAll(() => company.close());

const good = { subject: 'No sound', text: 'At all.', channel: 'phone' };
const position = async (): Promise<string> => (await desk.house.store.head()).position;
const token = (claims: object): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('covenant')
    .setAudience('covenant')
    .setSubject('mallory')
    .setExpirationTime('1h')
    .sign(desk.house.secrets.authSecret);
const post = (body: unknown, headers = {}): Promise<Answer> => agent.post('/v1/tickets', body, headers);
const raw = (text: string, headers = {}): Promise<Answer> =>
  agent.ask('POST', '/v1/tickets', { raw: text, headers });
const deep = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;

type Case = readonly [what: string, ask: () => Promise<Answer>, status: number, code: string];
const cases: readonly Case[] = [
  ['malformed JSON', () => raw('{"subject": "a"'), 400, 'bad-json'],
  ['a body that is no object', () => raw('[1]'), 400, 'bad-input'],
  ['no body', () => agent.post('/v1/tickets'), 400, 'bad-input'],
  ['U+0000', () => post({ ...good, text: 'a\0b' }), 400, 'bad-text'],
  ['U+0000 in a name of a field', () => post({ ...good, 'a\0': 1 }), 400, 'bad-text'],
  ['a lone surrogate', () => raw('{"subject":"\\udfff","text":"b","channel":"phone"}'), 400, 'bad-text'],
  ['nesting deeper than 32', () => raw(deep(33)), 400, 'too-deep'],
  ['nesting of 32 under an unknown name', () => raw(deep(32)), 400, 'bad-input'],
  ['an unknown field', () => post({ ...good, colour: 'red' }), 400, 'bad-input'],
  [
    'a field of Object.prototype',
    () => raw('{"__proto__":{"tier":"vip"},"subject":"a","text":"b","channel":"phone"}'),
    400,
    'bad-json',
  ],
  ['a wrong type', () => post({ ...good, subject: 7 }), 400, 'bad-input'],
  ['an unknown code', () => post({ ...good, channel: 'fax' }), 400, 'bad-input'],
  ['a missing field', () => post({ subject: 'a' }), 400, 'bad-input'],
  ['an over-long text', () => post({ ...good, text: 'x'.repeat(64 * 1024 + 1) }), 400, 'bad-input'],
  ['a text over-long in bytes alone', () => post({ ...good, text: '€'.repeat(22_000) }), 400, 'bad-input'],
  ['a body over 1 MiB', () => post({ ...good, text: 'x'.repeat(1024 * 1024) }), 413, 'too-large'],
  [
    'another media type',
    () => raw('subject=a', { 'content-type': 'text/plain' }),
    415,
    'unsupported-media-type',
  ],
  ['an id that is none', () => agent.post('/v1/tickets/T-1/close', {}), 404, 'not-found'],
  [
    'an unknown id',
    () => agent.post('/v1/tickets/01890a5d-ac96-774b-bcce-b302099a8057/close', {}),
    404,
    'not-found',
  ],
  [
    'a stale If-Match',
    () => agent.post(`/v1/tickets/${ticket}/assign`, { group: 'Network' }, { 'if-match': '"41"' }),
    412,
    'stale',
  ],
  [
    'an If-Match of somebody else’s',
    () => agent.post(`/v1/tickets/${ticket}/assign`, { group: 'Network' }, { 'if-match': '"abc"' }),
    412,
    'stale',
  ],
  [
    'a malformed If-Match',
    () => agent.post(`/v1/tickets/${ticket}/assign`, { group: 'Network' }, { 'if-match': '0' }),
    400,
    'bad-request',
  ],
  [
    'a reused key with another body',
    () => post({ ...good, subject: 'Another' }, { 'idempotency-key': 'the-first' }),
    422,
    'key-reused',
  ],
  ['a malformed key', () => post(good, { 'idempotency-key': 'a b' }), 400, 'bad-request'],
  [
    'a position beyond the head',
    () => agent.get('/v1/tickets?after=9999999999999999'),
    400,
    'unknown-position',
  ],
  ['a position that is none', () => agent.get('/v1/tickets?after=tomorrow'), 400, 'bad-request'],
  ['a cursor that is none', () => agent.get('/v1/tickets?cursor=%7B%7D'), 400, 'bad-input'],
  ['an unknown query', () => agent.get('/v1/tickets?colour=red'), 400, 'bad-input'],
  [
    'a time in the future',
    () =>
      gateway.post('/v1/tickets', {
        ...good,
        occurredAt: '2999-01-01T00:00:00Z',
      }),
    400,
    'in-future',
  ],
  ['no token', () => desk.with(null).post('/v1/tickets', good), 401, 'not-authenticated'],
  ['a wrong token', () => desk.with('a.b.c').post('/v1/tickets', good), 401, 'not-authenticated'],
  [
    'an internal role',
    async () => desk.with(await token({ role: 'system' })).post('/v1/tickets', good),
    401,
    'not-authenticated',
  ],
  [
    'a vendor without a vendor',
    async () => desk.with(await token({ role: 'vendor' })).get('/v1/tickets'),
    401,
    'not-authenticated',
  ],
  [
    'a customer with two accounts',
    async () => desk.with(await token({ role: 'customer', customer: ['a', 'b'] })).get('/v1/tickets'),
    401,
    'not-authenticated',
  ],
  [
    'the wrong role',
    async () => (await desk.as({ role: 'auditor', name: 'ada' })).post('/v1/tickets', good),
    403,
    'not-permitted',
  ],
  ['an unknown route', () => agent.get('/v1/nothing'), 404, 'not-found'],
];

describe('Bad input gets one clear error, and nothing is half-done', () => {
  it.each(cases)('%s', async (_, ask, status, code) => {
    const before = await position();
    const answer = await ask();
    expect({ status: answer.status, code: answer.body?.code }).toEqual({ status, code });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
    if (code === 'bad-input') {
      expect(answer.body.errors.length).toBeGreaterThan(0);
      for (const error of answer.body.errors)
        expect(error).toEqual({ field: expect.any(String), problem: expect.any(String) });
    }
    expect(await position()).toBe(before);
  });

  it('fails none of the requests that arrive with it', async () => {
    const answers = await Promise.all(
      Array.from({ length: 48 }, (_, i) => post(i % 4 === 0 ? { ...good, text: '\0' } : good)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, i) => (i % 4 === 0 ? 400 : 201)));
  });
});
