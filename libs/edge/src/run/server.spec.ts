import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, HttpCode, Module, Param, Post, Query } from '@nestjs/common';
import { IsIn, IsInt, IsOptional, IsString, Matches, MaxLength, ValidateNested } from 'class-validator';
import { Type } from 'class-transformer';
import { connect } from 'node:net';
import { identities } from '#engine/identity';
import { DuplicateEventId, LogUnavailable, OlderThanLog, UnknownOutcome } from '#engine/store';
import { TablesUnavailable } from '#engine/feed';
import { silent, type Position } from '#kernel';
import { eventually } from '#kernel/testing';
import { pino } from 'pino';
import { doorkeeper, mintToken, type Caller as CallerType, type TokenClaims } from '../auth/tokens.js';
import { ClockUntrusted } from '../house/clock.js';
import { House } from '../house/house.js';
import { IdOf } from '../input/id-of.js';
import type { ProcessLog } from '../observe/log.js';
import { openMetrics } from '../observe/metrics.js';
import { Readiness, type Unready } from '../observe/readiness.js';
import { readSettings } from '../settings/settings.js';
import { bootstrap, StartRefused, type Running } from './bootstrap.js';
import { After, Asked, Caller, Open, type Asking } from './request.js';

class Line {
  @IsInt() quantity!: number;
}
class Order {
  @Matches(/^.*\S.*$/) subject!: string;
  @IsString() @MaxLength(1000) text!: string;
  @IsOptional() @IsIn(['web', 'phone']) channel?: string;
}
class Nested {
  @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
}
class Paging {
  @IsOptional() @Type(() => Number) @IsInt() limit?: number;
}

let throwing: Error = new Error('nothing');
let gate: Promise<void> = Promise.resolve();
let arrived = false;

@Controller('v1/orders')
class Orders {
  @Post()
  create(@Body() body: Order, @Asked() asked: Asking): object {
    return { body, asked };
  }
  @Post('nested')
  nested(@Body() body: Nested): object {
    return body;
  }
  @Get()
  list(@Query() paging: Paging, @Caller() caller: CallerType, @After() after: Position | undefined): object {
    return { paging, caller, after: after ?? null };
  }
  @Get('throwing')
  throwing(): never {
    throw throwing;
  }
  @Post('slow')
  @HttpCode(200)
  async slow(): Promise<object> {
    arrived = true;
    await gate;
    return { done: true };
  }
  @Get('open')
  @Open()
  open(): object {
    return { open: true };
  }
  @Get(':id')
  one(@Param('id', IdOf) id: string): object {
    return { id };
  }
}
@Module({ controllers: [Orders] })
class OrdersModule {}

const secret = Buffer.alloc(32, 3);
const lines: string[] = [];
const log: ProcessLog = {
  ...silent,
  pino: pino({ level: 'debug' }, { write: (line) => void lines.push(line) }),
  error: (fields, message) => void lines.push(JSON.stringify({ ...fields, message })),
  flush: () => undefined,
};

const until = (holds: () => boolean): Promise<unknown> => eventually(holds, { within: 2_000, every: 2 });

/** As much of a house as the edge itself needs. */
function smallHouse(port = 0, state: () => Unready | null = () => null): House {
  const readiness = new Readiness();
  readiness.add('log', 'log-unavailable', state);
  const keeper = doorkeeper({ secret, identities: identities(secret), now: Date.now });
  const house = {
    settings: readSettings({ PORT: String(port) }),
    keeper,
    metrics: openMetrics(),
    readiness,
    logger: log,
  };
  return house as unknown as House;
}

let running: Running;
let unready: Unready | null = null;
let authorization: string;
beforeAll(async () => {
  running = await bootstrap(
    OrdersModule,
    smallHouse(0, () => unready),
    { name: 'test' },
  );
  authorization = await tokenOf({ role: 'agent', name: 'Alice' });
});
afterAll(() => running.close());

const tokenOf = async (claims: TokenClaims): Promise<string> => `Bearer ${await mintToken(secret, claims)}`;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}
async function ask(
  path: string,
  init: RequestInit & { headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await fetch(`${running.address}${path}`, {
    ...init,
    headers: { authorization, ...init.headers },
  });
  const text = await answer.text();
  const json = answer.headers.get('content-type')?.includes('json');
  return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text };
}
const post = (body: string | Uint8Array, headers: Record<string, string> = {}, path = '/v1/orders') =>
  ask(path, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': 'application/json', ...headers },
  });
const good = JSON.stringify({ subject: 'Printer', text: 'It is on fire' });

function expectProblem({ status, headers, body }: Answer, wanted: number, code: string): void {
  expect({ status, code: body.code }).toEqual({ status: wanted, code });
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-correlation-id')).toBe(body.correlation);
  expect(body).toMatchObject({
    type: `urn:covenant:problem:${code}`,
    status: wanted,
    title: expect.any(String),
    detail: expect.any(String),
  });
  if (wanted === 503) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
}

describe('A request', () => {
  it('reaches its route with all that surrounds it', async () => {
    const { status, body } = await post(good, {
      'idempotency-key': 'order-1',
      'if-match': '"7"',
      'x-correlation-id': 'shop-42',
    });
    expect(status).toBe(201);
    expect(body.body).toEqual(JSON.parse(good));
    expect(body.asked).toMatchObject({
      correlation: 'shop-42',
      route: 'POST /v1/orders',
      key: 'order-1',
      ifMatch: 7,
      caller: { name: 'Alice', role: 'agent' },
    });
  });

  it('keeps a foreign correlation id only in the harmless form', async () => {
    for (const foreign of ['a b', 'ä', 'x'.repeat(65), 'a_b', 'SENTINEL@example.org']) {
      const { headers } = await ask('/v1/orders', { headers: { 'x-correlation-id': encodeURI(foreign) } });
      expect(headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('with a query is read as its DTO says', async () => {
    const { body } = await ask(
      '/v1/orders?limit=5&after=0000000000000042'.replace('&after=0000000000000042', ''),
    );
    expect(body.paging).toEqual({ limit: 5 });
  });

  it('may leave out a body that nothing is needed of', async () => {
    expect((await post('', {}, '/v1/orders/slow')).status).toBe(200);
    expect((await ask('/v1/orders/slow', { method: 'POST' })).status).toBe(200);
  });
});

describe('Bad input', () => {
  it.each([
    ['malformed JSON', '{"subject":', 'bad-json'],
    ['U+0000', '{"subject":"a\\u0000","text":"b"}', 'bad-text'],
    ['a lone surrogate', '{"subject":"a","text":"\\ud800"}', 'bad-text'],
    ['deep nesting', '['.repeat(33) + ']'.repeat(33), 'too-deep'],
    ['a name given twice', '{"subject":"a","subject":"b","text":"c"}', 'bad-json'],
  ])('is refused before its route: %s', async (_, body, code) => {
    expectProblem(await post(body), 400, code);
  });

  it('names every field and what is wrong with it', async () => {
    const answer = await post(JSON.stringify({ subject: 7, channel: 'fax', colour: 'red', constructor: 1 }));
    expectProblem(answer, 400, 'bad-input');
    const foreign = await post(JSON.stringify({ subject: 7, channel: 'fax', colour: 'red' }));
    const fields = foreign.body.errors.map((e: { field: string }) => e.field);
    expect(new Set(fields)).toEqual(new Set(['channel', 'colour', 'subject', 'text']));
    expect(foreign.body.errors).toContainEqual({ field: 'colour', problem: 'is not known here' });
  });

  it.each([
    ['a text over its limit', { subject: 'a', text: 'ä'.repeat(1001) }, 'text'],
    ['a subject of two lines', { subject: 'a\nb', text: 'c' }, 'subject'],
    ['an empty subject', { subject: ' ', text: 'a' }, 'subject'],
    ['a field that every object inherits', { subject: 'a', text: 'b', toString: 'c' }, 'toString'],
    ['null for a text', { subject: null, text: 'b' }, 'subject'],
  ])('is refused field by field: %s', async (_, body, field) => {
    const answer = await post(JSON.stringify(body));
    expectProblem(answer, 400, 'bad-input');
    expect(answer.body.errors.map((e: { field: string }) => e.field)).toEqual([field]);
  });

  it.each(['[]', '"text"', '7', 'null'])('that is no object is refused: %s', async (body) => {
    expectProblem(await post(body), 400, 'bad-input');
  });

  it('inside lists is named by its path', async () => {
    const answer = await post(
      '{"lines":[{"quantity":1},{"quantity":"two","more":1}]}',
      {},
      '/v1/orders/nested',
    );
    expectProblem(answer, 400, 'bad-input');
    expect(answer.body.errors.map((e: { field: string }) => e.field)).toEqual([
      'lines.1.more',
      'lines.1.quantity',
    ]);
    const odd = await post('{"lines":[{"quantity":1,"constructor":{"name":"x"}}]}', {}, '/v1/orders/nested');
    expect(odd.body.errors).toEqual([{ field: 'lines.0.constructor', problem: 'is not known here' }]);
  });

  it.each([
    [
      'a body over the limit',
      () => post(JSON.stringify({ text: 'x'.repeat(1024 * 1024) })),
      413,
      'too-large',
    ],
    ['another media type', () => post(good, { 'content-type': 'text/plain' }), 415, 'unsupported-media-type'],
    [
      'a form',
      () => post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'unsupported-media-type',
    ],
    ['a compressed body', () => post(good, { 'content-encoding': 'gzip' }), 415, 'unsupported-media-type'],
    ['an odd key', () => post(good, { 'idempotency-key': 'a b' }), 400, 'bad-request'],
    ['an over-long key', () => post(good, { 'idempotency-key': 'x'.repeat(256) }), 400, 'bad-request'],
    ['an odd If-Match', () => post(good, { 'if-match': '7' }), 400, 'bad-request'],
    ['several If-Match', () => post(good, { 'if-match': '"7", "8"' }), 400, 'bad-request'],
    ['a position that is none', () => ask('/v1/orders?after=x'), 400, 'bad-request'],
    ['a wrong number', () => ask('/v1/orders?limit=many'), 400, 'bad-input'],
    ['an unknown query', () => ask('/v1/orders?colour=red'), 400, 'bad-input'],
    ['U+0000 in the address', () => ask('/v1/orders?limit=%00'), 400, 'bad-text'],
    ['no UTF-8 in the address', () => ask('/v1/orders/%ff'), 400, 'bad-request'],
    ['an unknown route', () => ask('/v1/orders/a/b'), 404, 'not-found'],
    ['an id that is none', () => ask('/v1/orders/seven'), 404, 'not-found'],
    ['an over-long id', () => ask(`/v1/orders/${'7'.repeat(600)}`), 404, 'not-found'],
  ] as const)('is one clear error: %s', async (_, asking, status, code) => {
    expectProblem(await asking(), status, code);
  });

  it('that is no HTTP is answered, too', async () => {
    const { port } = new URL(running.address);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('SENTINEL\r\n\r\n'));
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'bad-request', status: 400 });
  });
});

describe('A token', () => {
  it.each([
    ['missing', {}],
    ['of another scheme', { authorization: 'Basic YTpi' }],
    ['that is none', { authorization: 'Bearer a.b.c' }],
    ['twice', { authorization: 'Bearer a, Bearer b' }],
  ])('%s is 401, before the body is looked at', async (_, headers) => {
    const answer = await fetch(`${running.address}/v1/orders`, {
      method: 'POST',
      body: '{"',
      headers: { 'content-type': 'application/json', ...(headers as Record<string, string>) },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer realm="covenant"');
    expect(await answer.json()).toMatchObject({ code: 'not-authenticated' });
  });

  it('is not needed on an open route', async () => {
    expect((await fetch(`${running.address}/v1/orders/open`)).status).toBe(200);
  });
});

describe('What the rooms below throw', () => {
  it.each([
    [new OlderThanLog('desk.ticket-opened.v99'), 503, 'older-than-log'],
    [new LogUnavailable('no connection'), 503, 'log-unavailable'],
    [new UnknownOutcome('lost'), 503, 'outcome-unknown'],
    [new TablesUnavailable('08006'), 503, 'views-unavailable'],
    [new ClockUntrusted('ahead'), 503, 'clock-untrusted'],
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 503, 'views-unavailable'],
    [Object.assign(new Error('terminating'), { code: '57P01' }), 503, 'views-unavailable'],
    [new DuplicateEventId('twice'), 500, 'internal'],
    [new TypeError('SENTINEL is not a function'), 500, 'internal'],
  ] as const)('has one meaning, %#', async (error, status, code) => {
    throwing = error;
    const answer = await ask('/v1/orders/throwing');
    expectProblem(answer, status, code);
    expect(JSON.stringify(answer.body)).not.toContain('SENTINEL');
  });
});

describe('The log of requests', () => {
  it('has one line an answer, with the route and never the address, and nothing that a person typed', async () => {
    lines.length = 0;
    throwing = new TypeError('SENTINEL-error');
    await post(JSON.stringify({ subject: 'SENTINEL-subject', text: 'SENTINEL-text', 'SENTINEL-name': 1 }));
    await post('{"SENTINEL');
    await ask('/v1/orders/throwing?q=SENTINEL-query');
    await ask('/v1/orders/SENTINEL-id');
    await ask('/SENTINEL-path');
    const answered = lines
      .map((line) => JSON.parse(line))
      .filter((line) => line.route && line.ms !== undefined);
    expect(answered.map(({ route, status }) => [route, status])).toEqual([
      ['POST /v1/orders', 400],
      ['POST /v1/orders', 400],
      ['GET /v1/orders/throwing', 500],
      ['GET /v1/orders/:id', 404],
      ['GET (none)', 404],
    ]);
    expect(lines.join('')).not.toContain('SENTINEL');
    expect(await (await fetch(`${running.address}/metrics`)).text()).not.toContain('SENTINEL');
  });
});

describe('Health and figures', () => {
  it('say that the process lives and is ready', async () => {
    expect((await fetch(`${running.address}/health/live`)).status).toBe(200);
    const ready = await fetch(`${running.address}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
  });

  it('say which part is not', async () => {
    unready = 'log-unavailable';
    const answer = await ask('/health/ready');
    unready = null;
    expectProblem(answer, 503, 'not-ready');
    expect(answer.body.errors).toEqual([{ field: 'log', problem: 'log-unavailable' }]);
  });

  it('are free on loopback, and need the role monitor through a proxy', async () => {
    const figures = await fetch(`${running.address}/metrics`);
    expect(figures.headers.get('content-type')).toContain('text/plain');
    expect(await figures.text()).toContain('covenant_http_request_seconds_bucket');
    const proxied = { 'x-forwarded-for': '203.0.113.9' };
    expect((await fetch(`${running.address}/metrics`, { headers: proxied })).status).toBe(401);
    expectProblem(await ask('/metrics', { headers: proxied }), 403, 'not-permitted');
    const monitor = await tokenOf({ role: 'monitor', name: 'probe' });
    expect((await ask('/metrics', { headers: { ...proxied, authorization: monitor } })).status).toBe(200);
  });
});

describe('A server', () => {
  it('says clearly that its port is in use', async () => {
    const port = Number(new URL(running.address).port);
    const second = bootstrap(OrdersModule, smallHouse(port), { name: 'second' });
    await expect(second).rejects.toBeInstanceOf(StartRefused);
    await expect(second).rejects.toThrow(`port ${port} on 127.0.0.1 is in use`);
  });

  it('lets a request in flight finish when it stops, and refuses new ones', async () => {
    const other = await bootstrap(OrdersModule, smallHouse(), { name: 'other' });
    let release!: () => void;
    arrived = false;
    gate = new Promise((resolve) => (release = resolve));
    const slow = fetch(`${other.address}/v1/orders/slow`, { method: 'POST', headers: { authorization } });
    await until(() => arrived);
    const closed = Promise.all([other.close(), other.close()]);
    const late = await fetch(`${other.address}/v1/orders/open`).catch(() => null);
    expect([undefined, 503]).toContain(late?.status);
    release();
    expect(await (await slow).json()).toEqual({ done: true });
    await closed;
    gate = Promise.resolve();
  });
});
