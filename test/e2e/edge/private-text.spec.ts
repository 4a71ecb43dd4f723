import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { asPolicyGiven, builtIn } from '#domain/sla';
import { mintToken, type TokenClaims } from '#edge';
import { eventually } from '../../support/eventually.js';
import { runCovenant } from '../cli/command-line.js';
import { DeskProcess, freshFolder } from './desk-process.js';

/**
 * Ruling 31: what a person typed is nowhere in clear. Every string that the published API takes is sent with
 * a mark in it, in requests that are accepted and in requests that are refused, while a view fails and while
 * appends fail; then everything that the desk and its PostgreSQL wrote is searched for the mark.
 */
const MARK = 'sentinel';
let marks = 0;
const marked = (): string => `${MARK}-${++marks}`;

jest.setTimeout(120_000);

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}
interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

let folder: Awaited<ReturnType<typeof freshFolder>>;
let desk: DeskProcess;
let address: string;
let document: Document;
let secret: Buffer;
let client: pg.Client;
const tickets: string[] = [];
/** Answers by status; a run that never got through would prove nothing. */
const answers = new Map<number, number>();

const CLAIMS: readonly TokenClaims[] = [
  { role: 'integration', name: marked() },
  { role: 'agent', name: marked(), email: `${marked()}@example.org` },
  { role: 'supervisor', name: marked() },
  { role: 'customer', name: marked(), email: `${marked()}@example.org`, customer: marked() },
  { role: 'vendor', name: marked(), vendor: marked() },
  { role: 'auditor', name: marked() },
];

beforeAll(async () => {
  folder = await freshFolder();
  desk = DeskProcess.start({ env: { DATA_DIR: folder.path, SEED: 'off', LOG_LEVEL: 'trace' } });
  address = await desk.address();
  document = (await (await fetch(`${address}/openapi.json`)).json()) as Document;
  const kept = (file: string) => readFile(join(folder.path, file), 'utf8');
  secret = Buffer.from((await kept('secrets/auth-secret')).trim());
  const { port } = JSON.parse(await kept('postgres.json')) as { port: number };
  const password = encodeURIComponent((await kept('secrets/postgres-password')).trim());
  client = new pg.Client({ connectionString: `postgres://covenant:${password}@127.0.0.1:${port}/covenant` });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await desk?.stop();
  await folder?.remove();
});

function resolved(schema: Schema): Schema {
  const [first] = schema.allOf ?? [];
  if (first) return resolved(first);
  if (schema.$ref === undefined) return schema;
  return resolved(document.components.schemas[schema.$ref.split('/').at(-1)!]!);
}

/** A value of this form, with the mark wherever a client may write freely. */
function filled(given: Schema, name = ''): unknown {
  const schema = resolved(given);
  if (schema.enum) return schema.enum[marks % schema.enum.length];
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, of]) => [key, filled(of, key)]),
      );
    case 'array':
      return [filled(schema.items!, name)];
    case 'integer':
      return schema.minimum ?? 1;
    case 'boolean':
      return false;
    case 'string':
      if (schema.format === 'email') return `${marked()}@example.org`;
      if (schema.format === 'date-time') return '2026-01-02T03:04:05Z';
      if (schema.format === 'uuid') return tickets.at(-2) ?? '00000000-0000-8000-8000-000000000009';
      return marked();
    case undefined:
    default:
      throw new Error(`${name}: the document says nothing of its form: ${JSON.stringify(schema)}`);
  }
}

/** Only what the role may give, so that some requests get through. */
function allowed(body: Record<string, unknown>, { role }: TokenClaims): Record<string, unknown> {
  const only: Readonly<Record<string, readonly string[]>> = {
    occurredAt: [],
    tier: ['integration'],
    requester: ['agent', 'supervisor', 'integration'],
    customer: ['agent', 'supervisor', 'integration'],
    externalReference: ['agent', 'supervisor', 'integration'],
    kind: ['agent', 'supervisor', 'integration'],
    author: ['agent', 'supervisor', 'integration'],
    autoReply: ['agent', 'supervisor', 'integration'],
    priority: ['agent', 'supervisor', 'integration'],
  };
  return Object.fromEntries(Object.entries(body).filter(([name]) => only[name]?.includes(role) ?? true));
}

async function send(
  method: string,
  path: string,
  token: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ id?: string; proposal?: string }> {
  const answer = await fetch(`${address}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'x-correlation-id': `${marked()}_`,
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    // It ends when nobody listens any more.
    await answer.body?.cancel();
    return {};
  }
  const text = await answer.text();
  return answer.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as object) : {};
}

/** Every operation of the published document under every role: as it should be, and wrong in each way. */
async function walk(callers = CLAIMS): Promise<void> {
  for (const claims of callers) {
    const token = await mintToken(secret, claims);
    for (const [template, operations] of Object.entries(document.paths))
      for (const [method, { parameters = [], requestBody }] of Object.entries(operations)) {
        const target = template.includes('tickets') ? tickets.at(-1) : 'intake';
        const path = (id: string): string =>
          template
            .replace('{name}', 'default')
            .replace('{version}', '1')
            .replace('{id}', encodeURIComponent(id));
        await send(method, template.replaceAll(/\{\w+\}/g, marked), token);
        const queries = parameters.filter((parameter) => parameter.in === 'query');
        const query = queries
          .map(({ name, schema }) => `${name}=${encodeURIComponent(String(filled(schema)))}`)
          .join('&');
        await send(method, `${path(marked())}?${query}`, token);
        for (const { name, schema } of queries)
          await send(
            method,
            `${path(target ?? marked())}?${name}=${encodeURIComponent(String(filled(schema)))}`,
            token,
          );
        if (!requestBody) continue;

        const body = filled(requestBody.content['application/json'].schema) as Record<string, unknown>;
        const key = { 'idempotency-key': marked() };
        const to = path(target ?? marked());
        const { id } = await send(method, to, token, allowed(body, claims), key);
        if (template === '/v1/tickets' && id) tickets.push(id);
        await send(
          method,
          to,
          token,
          allowed(filled(requestBody.content['application/json'].schema) as typeof body, claims),
          key,
        );
        await send(method, to, token, allowed(body, claims), { 'if-match': `"${marked()}"` });
        await send(method, to, token, allowed(body, claims), {
          'if-match': marked(),
          'idempotency-key': `${marked()} ${marked()}`,
        });
        await send(method, to, token, { ...body, [marked()]: marked() });
        await send(method, to, token, { ...body, occurredAt: marked() });
        for (const name of Object.keys(body))
          await send(method, to, token, { ...allowed(body, claims), [name]: [marked()] });
        for (const name of Object.keys(body))
          await send(method, to, token, { ...allowed(body, claims), [name]: marked().repeat(9_000) });
        await send(method, to, token, `{"${marked()}": ${marked()}`);
        await send(method, to, token, `{"${marked()}": "\\u0000${marked()}"}`);
        await send(method, path(marked()), token, body);
      }
  }
  // A policy is judged as one thing, so that what is only of the right form never gets through.
  const [sam, uma] = await Promise.all(
    ['sam', 'uma'].map((name) => mintToken(secret, { role: 'supervisor', name })),
  );
  const policy = { ...asPolicyGiven(builtIn('UTC')), comment: marked() };
  const proposed = await send('POST', '/v1/policies/default/proposals', sam!, policy);
  const path = `/v1/policies/default/proposals/${proposed.proposal}`;
  await send('GET', path, uma!);
  await send('POST', `${path}/activate`, uma!, { openTickets: 'retarget' });
  const [header, payload] = (await mintToken(secret, CLAIMS[0]!)).split('.');
  await send('GET', '/v1/tickets', `${header}.${payload}.${marked()}`);
  await send('GET', `/${marked()}?${marked()}=${marked()}`, await mintToken(secret, CLAIMS[0]!));
  await send(
    marked().toUpperCase().replaceAll('-', ''),
    '/v1/tickets',
    await mintToken(secret, CLAIMS[0]!),
  ).catch(() => null);
}

async function filesUnder(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Rows of every table of every schema, in clear and as the hexadecimal of bytes, that hold the mark. */
async function rowsWithMark(): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  expect(tables.length).toBeGreaterThan(8);
  const found: string[] = [];
  const hex = Buffer.from(MARK).toString('hex');
  for (const { name } of tables) {
    const { rows } = await client.query(`SELECT t::text AS row FROM ${name} t WHERE t::text ~* $1`, [
      `${MARK}|${hex}`,
    ]);
    found.push(...rows.map(({ row }: { row: string }) => `${name}: ${row.slice(0, 200)}`));
  }
  return found;
}

async function expectNoMark(): Promise<void> {
  expect(desk.out.toLowerCase()).not.toContain(MARK);
  expect(desk.err.toLowerCase()).not.toContain(MARK);
  expect((await (await fetch(`${address}/metrics`)).text()).toLowerCase()).not.toContain(MARK);
  expect(await rowsWithMark()).toEqual([]);
}

const headOf = async (): Promise<number> =>
  (await client.query<{ head: number }>('SELECT coalesce(max(ordinal), 0)::int AS head FROM log.events'))
    .rows[0]!.head;

const viewsReach = (head: number): Promise<unknown> =>
  eventually(
    async () => {
      const { rows } = await client.query('SELECT min(position)::int AS least FROM views.checkpoints');
      return rows[0].least >= head;
    },
    { within: 60_000, what: 'the views passed the log’s head' },
  );

describe('What a person typed', () => {
  it('is in clear nowhere, with every refusal', async () => {
    await walk();
    await viewsReach(await headOf());
    expect([...answers.keys()].sort()).toEqual(
      expect.arrayContaining([200, 201, 400, 401, 403, 404, 409, 412, 422]),
    );
    expect(answers.get(500)).toBeUndefined();
    await expectNoMark();
  });

  it('is in clear nowhere while a view fails, nor in the reason why a stream is parked', async () => {
    await client.query('ALTER TABLE views.timeline ADD CONSTRAINT broken CHECK (revision < 3) NOT VALID');
    await walk(CLAIMS.slice(0, 1));
    await viewsReach(await headOf());
    const { rows } = await client.query('SELECT count(*)::int AS parked FROM views.parked');
    expect(rows[0].parked).toBeGreaterThan(0);
    await expectNoMark();
    await client.query('ALTER TABLE views.timeline DROP CONSTRAINT broken');
    expect(await runCovenant(['views', 'retry'], { DATA_DIR: folder.path })).toMatchObject({ code: 0 });
    await expectNoMark();
  });

  it('is in clear nowhere while appends fail', async () => {
    await client.query(`
      CREATE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'refused: %', convert_from(NEW.body, 'UTF8') USING DETAIL = NEW.stream; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON log.events FOR EACH ROW EXECUTE FUNCTION log.refuse()`);
    const before = await headOf();
    await walk(CLAIMS.slice(0, 1));
    expect(await headOf()).toBe(before);
    expect((answers.get(500) ?? 0) + (answers.get(503) ?? 0)).toBeGreaterThan(0);
    await expectNoMark();
  });

  it('is in no file that the desk or its PostgreSQL wrote, logs and write-ahead log included', async () => {
    await client.query('CHECKPOINT');
    const files = await filesUnder(folder.path);
    expect(files.filter((file) => file.endsWith('.log')).length).toBeGreaterThan(0);
    const holding = async (text: string): Promise<string[]> => {
      const found: string[] = [];
      for (const file of files)
        if ((await readFile(file)).toString('latin1').toLowerCase().includes(text)) found.push(file);
      return found;
    };
    // What may be found is: the search sees what was written.
    expect(await holding('desk.ticket-opened.v1')).not.toEqual([]);
    expect(await holding(MARK)).toEqual([]);
  });

  it('can be read again by whoever may', async () => {
    const token = await mintToken(secret, CLAIMS[1]!);
    const answer = await fetch(`${address}/v1/tickets?limit=200`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect((await answer.text()).split(MARK).length).toBeGreaterThan(3);
  });
});
