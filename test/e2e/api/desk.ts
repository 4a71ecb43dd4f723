import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  bootstrap,
  describeApi,
  mintToken,
  openHouse,
  openLog,
  readSettings,
  type House,
  type TokenClaims,
} from '#edge';
import { everyView, project, type Noted } from '#engine/views';
import type { Codec } from '#engine/store';
import { Module } from '@nestjs/common';
import { AnalyticsRoutes } from '../../../apps/analytics/src/analytics.module.js';
import { ApiModule } from '../../../apps/api/src/api.module.js';
import { KnowledgeRoutes } from '../../../apps/knowledge-base/src/knowledge.module.js';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of JSON answers; tests look into it as they please. */
  readonly body: any;
}

export interface Ask {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client of one desk under one token. */
export interface Client {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  ask(method: string, path: string, ask: Ask): Promise<Answer>;
}

/** One api process (in this one), with or without a projector beside it. */
export interface Desk {
  readonly house: House;
  readonly app: NestFastifyApplication;
  readonly address: string;
  as(claims: TokenClaims): Promise<Client>;
  with(token: string | null): Client;
  close(): Promise<void>;
}

const secrets = () =>
  Object.fromEntries(
    ['MASTER_KEY', 'AUTH_SECRET', 'IDENTITY_SECRET'].map((name) => [
      name,
      randomBytes(32).toString('base64'),
    ]),
  );

/** A company of api processes on one fresh database, sharing their secrets. */
export interface Company {
  readonly database: FreshDatabase;
  /** What a process of it is started with. */
  readonly env: Readonly<Record<string, string>>;
  open(options?: { readonly projector?: boolean; readonly env?: NodeJS.ProcessEnv }): Promise<Desk>;
  close(): Promise<void>;
}

export async function openCompany(): Promise<Company> {
  const database = await freshDatabase();
  const env = { ...secrets(), DATABASE_URL: database.url, PORT: '0', LOG_LEVEL: 'silent' };
  const desks: Desk[] = [];
  return {
    database,
    env,
    open: async ({ projector = true, env: more = {} } = {}) => {
      const desk = await openDesk({ ...env, ...more }, projector);
      desks.push(desk);
      return desk;
    },
    close: async () => {
      for (const desk of desks) await desk.close();
      await database.drop();
    },
  };
}

/** Every route that a desk answers in one process. */
@Module({ imports: [ApiModule, AnalyticsRoutes, KnowledgeRoutes] })
class AllRoutes {}

async function openDesk(env: NodeJS.ProcessEnv, projector: boolean): Promise<Desk> {
  const house = await openHouse(readSettings(env), { as: 'desk', logger: openLog('silent', 'test') });
  const stop = new AbortController();
  const projecting = projector ? beginProjecting(house, stop.signal) : Promise.resolve();
  const running = await bootstrap(AllRoutes, house, { name: 'api', prepare: describeApi });
  const client = (token: string | null): Client => {
    const ask: Client['ask'] = async (method, path, { body, raw, headers }) => {
      const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const response = await fetch(new URL(path, running.address), {
        method,
        headers: {
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(sent !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(sent !== undefined && { body: sent }),
      });
      const text = await response.text();
      const json = response.headers.get('content-type')?.includes('json') && text !== '';
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: json ? (JSON.parse(text) as unknown) : undefined,
      };
    };
    return {
      ask,
      get: (path, headers) => ask('GET', path, { ...(headers && { headers }) }),
      post: (path, body, headers) =>
        ask('POST', path, { ...(body !== undefined && { body }), ...(headers && { headers }) }),
    };
  };
  return {
    house,
    app: running.app,
    address: running.address,
    as: async (claims) => client(await mintToken(house.secrets.authSecret, claims)),
    with: client,
    close: async () => {
      await running.close();
      stop.abort();
      await projecting;
      await house.close();
    },
  };
}

function beginProjecting(house: House, signal: AbortSignal): Promise<void> {
  return project(
    {
      store: house.store,
      decode: house.codec.decode as Codec['decode'] & ((...args: never[]) => Noted),
      views: everyView,
      into: house.views.store,
      logger: house.logger,
      pause: (milliseconds, until) =>
        new Promise((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          until.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
        }),
    },
    signal,
  );
}

/** The position that an answer names, as a query. */
export const after = ({ headers }: Answer): string => `after=${headers.get('covenant-position')}`;

export const LEAST = { subject: 'Printer prints blank pages', text: 'Since this morning.', channel: 'phone' };
