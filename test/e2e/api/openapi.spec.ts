import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifyInstance } from 'fastify';
import { after, LEAST, openCompany, type Answer, type Client, type Company, type Desk } from './desk.js';

describe('the OpenAPI document', () => {
  let company: Company;
  let desk: Desk;
  let document: any;
  let ajv: Ajv2020;
  const anyone = (): Client => desk.with(null);

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    const answer = await anyone().get('/openapi.json');
    expect(answer.status).toBe(200);
    document = answer.body;
    ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'api');
  });
  afterAll(() => company.close());

  const operations = () =>
    Object.entries<any>(document.paths).flatMap(([path, methods]) =>
      Object.entries<any>(methods).map(([method, operation]) => ({ path, method, operation })),
    );

  it('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toBe('3.1.1');
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it('lists every route that the desk serves, and no other', () => {
    const served = (desk.app.getHttpAdapter().getInstance() as unknown as FastifyInstance)
      .printRoutes({ commonPrefix: false })
      .split('\n');
    const routes = routesOf(served).filter(
      ({ path }) => !path.startsWith('/docs') && path !== '/openapi.json' && path !== '*',
    );
    const told = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(told.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it('states of every route who may, what comes back and what goes wrong', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, method, operation } of operations().filter(({ path }) => path.startsWith('/v1/'))) {
      expect([path, operation.security]).toEqual([path, [{ bearer: [] }]]);
      expect(operation.description).toMatch(/Roles: \w/);
      const statuses = Object.keys(operation.responses);
      expect(statuses).toEqual(expect.arrayContaining(['400', '401', '403', '500', '503']));
      if (path.includes('{id}')) expect(statuses).toContain('404');
      if (method === 'post') {
        expect(statuses).toEqual(expect.arrayContaining(['413', '415', '422']));
        expect(operation.parameters.map(({ name }: any) => name)).toContain('Idempotency-Key');
      }
      for (const [status, response] of Object.entries<any>(operation.responses))
        if (Number(status) >= 400)
          expect(Object.keys(response.content)).toEqual(['application/problem+json']);
    }
  });

  it('refers only to what is there', () => {
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g))
      expect([reference, pointed(document, reference!)]).toEqual([reference, expect.anything()]);
  });

  it('describes the answers as they are', async () => {
    const alice = await desk.as({ role: 'agent', name: 'alice', email: 'alice@desk.example' });
    const sam = await desk.as({ role: 'supervisor', name: 'sam' });
    const opened = await alice.post('/v1/tickets', { ...LEAST, customer: 'Globex' });
    const { id } = opened.body;
    const steps: [string, object, string][] = [
      ['messages', { text: 'Hello.' }, 'messages'],
      ['classify', { category: 'Hardware', subcategory: 'Printer' }, 'classify'],
      ['assign', { group: 'Network', agent: 'alice' }, 'assign'],
      ['hand-to-vendor', { vendor: 'Acme', vendorReference: 'A-1' }, 'hand-to-vendor'],
      ['handover', { agent: 'bob', reason: 'x' }, 'handover'],
      ['hold', { reason: 'vendor', comment: 'y' }, 'hold'],
    ];
    const checked: [string, string, Answer][] = [['/v1/tickets', 'post', opened]];
    for (const [step, body] of steps)
      checked.push([`/v1/tickets/{id}/${step}`, 'post', await alice.post(`/v1/tickets/${id}/${step}`, body)]);
    const defined = await sam.post('/v1/queues', { group: 'Network', title: 'Networks' });
    const carol = await desk.as({ role: 'customer', name: 'carol', customer: 'Globex' });
    checked.push(
      ['/v1/queues', 'post', defined],
      ['/v1/queues', 'get', await sam.get(`/v1/queues?${after(defined)}`)],
      ['/v1/queues/{id}/items', 'get', await sam.get('/v1/queues/network/items?standing=held')],
      ['/v1/tickets', 'get', await sam.get('/v1/tickets')],
      ['/v1/tickets/{id}', 'get', await sam.get(`/v1/tickets/${id}`)],
      ['/v1/tickets/{id}/timeline', 'get', await sam.get(`/v1/tickets/${id}/timeline`)],
      ['/v1/tickets/{id}/clocks', 'get', await sam.get(`/v1/tickets/${id}/clocks`)],
      ['/v1/attainment', 'get', await sam.get(`/v1/attainment?${after(defined)}`)],
      ['/v1/attainment', 'get', await sam.get('/v1/attainment?month=May')],
      ['/v1/analytics/tickets', 'get', await sam.get('/v1/analytics/tickets?by=day,tier')],
      ['/v1/analytics/tickets', 'get', await sam.get('/v1/analytics/tickets?from=yesterday')],
      ['/v1/knowledge/candidates', 'get', await alice.get('/v1/knowledge/candidates?category=Hardware')],
      ['/v1/knowledge/categories', 'get', await alice.get('/v1/knowledge/categories')],
      ['/v1/tickets', 'get', await carol.get('/v1/tickets')],
      ['/v1/tickets/{id}', 'get', await carol.get(`/v1/tickets/${id}`)],
      ['/v1/tickets/{id}/timeline', 'get', await carol.get(`/v1/tickets/${id}/timeline`)],
      ['/v1/tickets/{id}/clocks', 'get', await carol.get(`/v1/tickets/${id}/clocks`)],
      ['/v1/tickets/{id}', 'get', await sam.get('/v1/tickets/nothing')],
      ['/v1/tickets', 'post', await sam.post('/v1/tickets', {})],
      ['/v1/tickets/{id}/reopen', 'post', await sam.post(`/v1/tickets/${id}/reopen`)],
      ['/v1/tickets', 'get', await desk.with(null).get('/v1/tickets')],
    );
    for (const [path, method, answer] of checked) {
      const pointer = `/paths/${escaped(path)}/${method}/responses/${answer.status}/content/${escaped(mediaType(answer))}/schema`;
      expect([path, method, answer.status, answer.text, pointed(document, pointer)]).toEqual([
        path,
        method,
        answer.status,
        answer.text,
        expect.anything(),
      ]);
      const check = ajv.compile({ $ref: `api#${pointer}` });
      check(answer.body);
      expect([path, method, check.errors]).toEqual([path, method, null]);
      const undocumented = extras(answer.body, pointed(document, pointer), document);
      expect([path, method, undocumented]).toEqual([path, method, []]);
    }
  });

  it('accepts in its schemas what the desk accepts, and refuses what it refuses', async () => {
    const alice = await desk.as({ role: 'agent', name: 'alice' });
    const pointer = `/paths/${escaped('/v1/tickets')}/post/requestBody/content/${escaped('application/json')}/schema`;
    const check = ajv.compile({ $ref: `api#${pointer}` });
    const bodies: object[] = [
      LEAST,
      { ...LEAST, priority: 1, requester: { email: 'a@b.example' } },
      {},
      { ...LEAST, colour: 'red' },
      { ...LEAST, priority: 5 },
      { ...LEAST, channel: 'pigeon' },
      { ...LEAST, requester: { nick: 'x' } },
      { ...LEAST, subject: 7 },
    ];
    for (const body of bodies)
      expect([body, (await alice.post('/v1/tickets', body)).status]).toEqual([body, check(body) ? 201 : 400]);
  });
});

describe('the page to browse it', () => {
  it('loads nothing from elsewhere', async () => {
    const company = await openCompany();
    try {
      const desk = await company.open({ projector: false });
      const page = await desk.with(null).get('/docs');
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
      const wanted = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
      expect(wanted).toHaveLength(3);
      for (const address of wanted) {
        expect(address).toMatch(/^\/docs\//);
        const file = await desk.with(null).get(address);
        expect([address, file.status]).toEqual([address, 200]);
        expect(file.text.length).toBeGreaterThan(50);
        expect(file.headers.get('content-type')).toMatch(
          address.endsWith('.css') ? /^text\/css/ : /^text\/javascript/,
        );
      }
      for (const outside of ['/docs/package.json', '/docs/..%2fpackage.json', '/docs/constructor'])
        expect((await desk.with(null).get(outside)).status).toBe(404);
    } finally {
      await company.close();
    }
  });
});

const mediaType = ({ headers }: Answer): string => headers.get('content-type')!.split(';')[0]!;
const escaped = (segment: string): string => segment.replaceAll('~', '~0').replaceAll('/', '~1');
const pointed = (document: any, pointer: string): any =>
  pointer
    .split('/')
    .slice(1)
    .reduce((at, segment) => at?.[segment.replaceAll('~1', '/').replaceAll('~0', '~')], document);

/** Fields of an answer that its schema does not tell of. */
function extras(value: any, schema: any, document: any, path = ''): string[] {
  if (schema?.$ref) return extras(value, pointed(document, schema.$ref.slice(1)), document, path);
  for (const all of ['allOf', 'anyOf', 'oneOf'])
    if (schema?.[all]) {
      const each = schema[all].map((one: any) => extras(value, one, document, path));
      return each.reduce((least: string[], one: string[]) => (one.length < least.length ? one : least));
    }
  if (Array.isArray(value))
    return value.flatMap((one, i) => extras(one, schema.items, document, `${path}/${i}`));
  if (typeof value !== 'object' || value === null || schema?.additionalProperties) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    schema?.properties?.[name]
      ? extras(one, schema.properties[name], document, `${path}/${name}`)
      : [`${path}/${name}`],
  );
}

/** Fastify's drawing of its routes as a list; HEAD comes with every GET. */
function routesOf(drawn: readonly string[]): { method: string; path: string }[] {
  const routes: { method: string; path: string }[] = [];
  const above: string[] = [];
  for (const line of drawn) {
    const match = /^([│ ├└─]*)(.*?)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (!match || match[2] === '') continue;
    const depth = match[1]!.length / 4;
    above.length = Math.max(0, depth - 1);
    above.push(match[2]!);
    const path = above.join('').replace(/:(\w+)/g, '{$1}');
    for (const method of (match[3] ?? '').split(', '))
      if (method !== '' && method !== 'HEAD') routes.push({ method, path });
  }
  return routes;
}
