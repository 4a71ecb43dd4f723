import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { openPostgresLog } from '#adapters/log-postgres';
import { mintToken, type TokenClaims } from '#edge';
import { NO_STREAM } from '#engine/store';
import { HOUSE, toInstant, uuidV7, type Uuid } from '#kernel';
import { eventually } from '../../support/eventually.js';
import { Listener } from '../../support/listener.js';
import { recordSharpPolicy } from '../../support/sharp-policy.js';
import { LEAST, openCompany, type Client, type Company, type Desk } from './desk.js';

jest.setTimeout(30_000);

describe('live updates', () => {
  let company: Company;
  let desk: Desk;
  let agent: Client;
  const listeners: Listener[] = [];

  const authorised = async (claims: TokenClaims, ttl?: number) => ({
    authorization: `Bearer ${await mintToken(desk.house.secrets.authSecret, claims, ttl)}`,
  });
  const listen = async (
    claims: TokenClaims,
    { path = '/v1/live', headers = {}, ttl }: { path?: string; headers?: object; ttl?: number } = {},
  ): Promise<Listener> => {
    const listener = await Listener.open(desk.address, path, {
      ...(await authorised(claims, ttl)),
      ...headers,
    });
    listeners.push(listener);
    return listener;
  };
  const head = async () => (await desk.house.store.head()).position;
  const opens = async (more: object = {}, as: Client = agent): Promise<string> => {
    const { status, body } = await as.post('/v1/tickets', { ...LEAST, ...more });
    expect(status).toBe(201);
    return body.id as string;
  };

  beforeAll(async () => {
    company = await openCompany();
    const log = await openPostgresLog({ url: company.database.url });
    const slow = [3600, 7200] as const;
    await recordSharpPolicy(log, { 1: [1, 2], 2: slow, 3: slow, 4: slow }, { resolution: [[1, 2]] });
    await log.close();
    desk = await company.open();
    agent = await desk.as({ role: 'agent', name: 'alice' });
    await opens();
  });
  afterAll(async () => {
    for (const listener of listeners) await listener.close();
    await company.close();
  });

  it('tell what happens to tickets and queues as it happens, in order, without a word of what was written', async () => {
    const listener = await listen({ role: 'supervisor', name: 'sam' });
    expect(listener.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(listener.response.headers.get('cache-control')).toBe('no-store');
    await listener.until((heard) => heard.length > 0, 'where it stands');
    const id = await opens({ subject: 'SENTINEL-subject', text: 'SENTINEL-text' });
    await agent.post(`/v1/tickets/${id}/messages`, { text: 'SENTINEL-message' });
    await agent.post(`/v1/tickets/${id}/assign`, { group: 'SENTINEL-group' });
    const supervisor = await desk.as({ role: 'supervisor', name: 'sam' });
    await supervisor.post('/v1/queues', { group: 'SENTINEL-group', title: 'SENTINEL-title' });
    await listener.until((heard) => heard.some(({ data }) => data.object === 'queue'), 'the queue');

    const mine = listener.of('changed').filter(({ data }) => data.id === id || data.object === 'queue');
    expect(mine.map(({ data }) => [data.type, data.revision])).toEqual([
      ['desk.ticket-opened.v1', 0],
      ['desk.message-sent.v1', 1],
      ['desk.ticket-assigned.v1', 2],
      ['desk.queue-defined.v1', 0],
    ]);
    expect(mine.map(({ id: at, data }) => at === data.position)).toEqual([true, true, true, true]);
    expect(JSON.stringify(listener.heard)).not.toContain('SENTINEL');
    const { position } = mine[2]!.data;
    expect((await agent.get(`/v1/tickets/${id}?after=${position}`)).body.group.name).toBe('SENTINEL-group');
  });

  it('go on where the last one was had, by header or by address', async () => {
    const from = await head();
    const id = await opens();
    await agent.post(`/v1/tickets/${id}/escalate`, { reason: 'x' });
    for (const asked of [{ headers: { 'last-event-id': from } }, { path: `/v1/live?after=${from}` }]) {
      const listener = await listen({ role: 'auditor', name: 'ada' }, asked);
      await listener.until((heard) => heard.some(({ data }) => data.revision === 1), 'what came after');
      expect(listener.heard.map(({ event, data }) => [event, data.type ?? data.position])).toEqual([
        ['standing', from],
        ['changed', 'desk.ticket-opened.v1'],
        ['changed', 'desk.ticket-escalated.v1'],
      ]);
      await listener.close();
    }
  });

  it('remind of a promise that is due soon and of one that was not kept, and say whom it concerns', async () => {
    const all = await listen({ role: 'supervisor', name: 'sue' });
    const overdue = await listen(
      { role: 'supervisor', name: 'sue' },
      { path: `/v1/live?only=overdue&after=${await head()}` },
    );
    const reminders = await listen({ role: 'supervisor', name: 'sue' }, { path: '/v1/live?only=reminders' });
    await reminders.until((heard) => heard.length > 0, 'where it stands');
    const id = await opens({ priority: 1 });
    await agent.post(`/v1/tickets/${id}/assign`, { group: 'Network' });
    const { body: ticket } = await agent.get(`/v1/tickets/${id}?after=${await head()}`);
    const due = (name: string): string => ticket.promises.find((each: any) => each.clock === name).due;
    await eventually(async () => toInstant((await desk.house.store.now()) / 1e6 - 1) > due('resolution'), {
      within: 10_000,
      what: 'both promises are broken',
    });
    await agent.post(`/v1/tickets/${id}/messages`, { kind: 'note', text: 'x' });
    await overdue.until(() => overdue.of('overdue').length === 2, 'two reminders');
    await reminders.until(() => reminders.of('overdue').length === 2, 'all reminders');
    expect(reminders.of('due-soon').map(({ data }) => data)).toMatchObject([
      {
        ...{ object: 'ticket', id, type: 'sla.clock-warned.v1', number: ticket.number },
        ...{ clock: 'resolution', cycle: 1, due: due('resolution') },
        ...{ share: { numerator: 1, denominator: 2 }, group: ticket.group.id, agent: null },
      },
    ]);
    expect(reminders.of('changed')).toEqual([]);
    expect(overdue.heard.map(({ event }) => event)).toEqual(['standing', 'overdue', 'overdue']);
    expect(overdue.of('overdue').map(({ data }) => data)).toMatchObject(
      ['first-response', 'resolution'].map((clock) => ({
        ...{ object: 'ticket', id, type: 'sla.clock-breached.v1', number: ticket.number },
        ...{ clock, cycle: 1, due: due(clock), occurredAt: due(clock) },
        ...{ group: ticket.group.id, agent: null },
      })),
    );
    const marked = { overdueSince: due('first-response') };
    const { position } = overdue.of('overdue').at(-1)!.data;
    const listed = await agent.get(`/v1/tickets?overdue=true&after=${position}`);
    expect(listed.body.items).toMatchObject([{ id, ...marked }]);
    const queue = `/v1/queues/${ticket.group.id}/items`;
    expect((await agent.get(queue)).body.items).toMatchObject([{ ticket: id, ...marked }]);
    const last = await agent.post(`/v1/tickets/${id}/resolve`, {});
    expect((await agent.get(`/v1/tickets/${id}?after=${last.body.position}`)).body.overdueSince).toBeNull();
    expect((await agent.get('/v1/tickets?overdue=true')).body.items).toEqual([]);
    await all.until(() => all.of('overdue').length === 2, 'the same among everything');
  });

  it('tell nobody of what was recorded a day after it happened, nor of a promise that was late when it was made', async () => {
    const listener = await listen({ role: 'supervisor', name: 'sally' });
    await listener.until((heard) => heard.length > 0, 'where it stands');
    const gateway = await desk.as({ role: 'integration', name: 'gateway' });
    const now = (await desk.house.store.now()) / 1e6;
    const old = await opens({ priority: 1, occurredAt: toInstant(now - 2 * 86_400) }, gateway);
    const late = await opens({ priority: 1, occurredAt: toInstant(now - 3600) }, gateway);
    for (const id of [old, late]) await agent.post(`/v1/tickets/${id}/messages`, { kind: 'note', text: 'x' });
    const last = await opens();
    await listener.until((heard) => heard.some(({ data }) => data.id === last), 'the last one');
    expect(listener.of('overdue')).toEqual([]);
    const told = (id: string) => listener.of('changed').filter(({ data }) => data.id === id);
    expect(told(old).map(({ data }) => data.type)).toEqual(['desk.note-added.v1']);
    expect(told(late).map(({ data }) => data.type)).toEqual(['desk.ticket-opened.v1', 'desk.note-added.v1']);
    const metrics = await fetch(new URL('/metrics', desk.address)).then((answer) => answer.text());
    expect(Number(/^covenant_live_held_back_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(5);
  });

  it('are opened by a pass where no header can be sent, and a pass opens nothing else', async () => {
    const { status, body, headers } = await agent.get('/v1/live/pass');
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    const listener = await Listener.open(desk.address, `/v1/live?pass=${body.pass}`);
    listeners.push(listener);
    expect(listener.response.status).toBe(200);
    await listener.until((heard) => heard[0]?.event === 'standing', 'where it stands');
    expect((await desk.with(body.pass).get('/v1/tickets')).status).toBe(401);
    expect((await desk.with(null).get(`/v1/tickets?pass=${body.pass}`)).status).toBe(401);
    expect((await desk.with(null).get('/v1/live?pass=nonsense')).status).toBe(401);
    await listener.close();
  });

  it('are five a person at most, and a sixth is told so', async () => {
    const nosy = { role: 'auditor', name: 'nosy' } as const;
    const five = await Promise.all(Array.from({ length: 5 }, () => listen(nosy)));
    expect(five.map(({ response }) => response.status)).toEqual([200, 200, 200, 200, 200]);
    const client = await desk.as(nosy);
    const sixth = await client.get('/v1/live');
    expect([sixth.status, sixth.body.code]).toEqual([429, 'too-many-streams']);
    const other = await listen({ role: 'auditor', name: 'other' });
    expect(other.response.status).toBe(200);
    await five[0]!.close();
    await eventually(
      async () => {
        const again = await listen(nosy);
        return again.response.status === 200;
      },
      { within: 10_000, what: 'there is room again' },
    );
  });

  it('end with the token', async () => {
    const listener = await listen({ role: 'agent', name: 'brief' }, { ttl: 2 });
    await listener.until((heard) => heard.some(({ event }) => event === 'end'), 'the end');
    expect(listener.of('end').map(({ data }) => data)).toEqual([{ because: 'token-expired' }]);
    await eventually(() => listener.over, { within: 5_000, what: 'the connection ended' });
  });

  it('send whoever is more than 10,000 events behind to look anew', async () => {
    const from = await head();
    const { codec, store } = desk.house;
    const noted = async (count: number, stream: string): Promise<void> => {
      const now = await store.now();
      const prepared = await codec.prepare(
        Array.from({ length: count }, () => ({ type: 'house.command-noted.v1', data: {} }) as const),
        Array.from({ length: count }, () => uuidV7(Math.floor(now / 1000), randomBytes(10))),
        {
          occurredAt: toInstant(now / 1e6),
          actor: { id: HOUSE, role: 'system' },
          correlation: 'test',
          engine: '1',
        },
      );
      const appended = await store.append({
        stream,
        expected: NO_STREAM,
        events: prepared.map(({ event }) => event),
      });
      expect(appended.outcome).toBe('appended');
    };
    const request = (): Uuid => uuidV7(Date.now(), randomBytes(10));
    for (let i = 0; i < 10; i++) await noted(1000, `request-${request()}`);
    const close = await listen({ role: 'agent', name: 'close' }, { path: `/v1/live?after=${from}` });
    await close.until((heard) => heard.length > 0, 'where it stands');
    await noted(1, `request-${request()}`);
    const end = await head();
    const far = await listen({ role: 'agent', name: 'far' }, { path: `/v1/live?after=${from}` });
    await far.until((heard) => heard.some(({ event }) => event === 'reset'), 'a reset');
    expect(far.of('reset')).toEqual([{ id: end, event: 'reset', data: { position: end } }]);
    const id = await opens();
    for (const each of [close, far])
      await each.until((heard) => heard.some(({ data }) => data.id === id), 'what comes next');
    expect(close.of('reset')).toEqual([]);
  });

  it.each([
    ['a position beyond the log', '?after=9999999999999999', 'unknown-position'],
    ['no position', '?after=yesterday', 'bad-request'],
    ['an unknown filter', '?only=mine', 'bad-input'],
    ['an unknown name', '?since=1', 'bad-input'],
  ])('refuse %s', async (_, query, code) => {
    const { status, body } = await agent.get(`/v1/live${query}`);
    expect([status, body.code]).toEqual([400, code]);
  });

  it('answer HEAD without a stream', async () => {
    const { status, headers } = await agent.ask('HEAD', '/v1/live', {});
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });

  it('end at once when the process stops', async () => {
    const second = await company.open({ projector: false });
    const listener = await Listener.open(
      second.address,
      '/v1/live',
      await authorised({ role: 'agent', name: 'z' }),
    );
    await listener.until((heard) => heard.length > 0, 'where it stands');
    await second.close();
    await eventually(() => listener.over, { within: 5_000, what: 'the connection ended' });
    expect(listener.of('end').map(({ data }) => data)).toEqual([{ because: 'stopping' }]);
  });
});
