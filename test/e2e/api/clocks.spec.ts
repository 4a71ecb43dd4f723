import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { LEAST, openCompany, type Client, type Company, type Desk } from './desk.js';

const HOUR = 3600;

describe('A ticket’s clocks', () => {
  let company: Company;
  let desk: Desk;
  let alice: Client;
  let gateway: Client;

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    alice = await desk.as({ role: 'agent', name: 'alice', email: 'alice@desk.example' });
    gateway = await desk.as({ role: 'integration', name: 'gateway' });
  });
  afterAll(() => company.close());

  /** Opened by the gateway in the past; 5 January 2026 was a Monday, the desk is open 09:00 to 18:00 UTC. */
  const open = async (occurredAt: string, more: object = {}): Promise<string> =>
    (await gateway.post('/v1/tickets', { ...LEAST, occurredAt, ...more })).body.id;
  const does = async (id: string, step: string, body: object): Promise<void> =>
    expect((await gateway.post(`/v1/tickets/${id}/${step}`, body)).status).toBeLessThan(300);
  const clocks = async (id: string, query = '', client = alice) =>
    client.get(`/v1/tickets/${id}/clocks${query}`);
  const told = (ledger: any[]) =>
    ledger.map(({ kind, from, to, counted, sum, type, ahead }) => [
      ahead ? `> ${kind}` : kind,
      from.slice(5, 16),
      to.slice(5, 16),
      counted / HOUR,
      sum / HOUR,
      type,
    ]);

  it('are told line by line, each naming its event, the sums being what the clock says', async () => {
    const id = await open('2026-01-05T14:00:00Z');
    await does(id, 'messages', { kind: 'sent', text: 'We are on it.', occurredAt: '2026-01-05T15:00:00Z' });
    await does(id, 'hold', { reason: 'requester', occurredAt: '2026-01-05T17:00:00Z' });
    await does(id, 'messages', { kind: 'received', text: 'Here.', occurredAt: '2026-01-06T10:00:00Z' });
    await does(id, 'resolve', { occurredAt: '2026-01-06T12:00:00Z' });

    const { status, body, headers } = await clocks(id);
    expect(status).toBe(200);
    const [first, resolution] = body.clocks;
    // Of 4 h one was used.
    expect(told(first.ledger)).toEqual([
      ['started', '01-05T14:00', '01-05T14:00', 0, 0, 'desk.ticket-opened.v1'],
      ['open', '01-05T14:00', '01-05T15:00', 1, 1, 'desk.ticket-opened.v1'],
      ['ended', '01-05T15:00', '01-05T15:00', 0, 1, 'desk.message-sent.v1'],
      ['> open', '01-05T15:00', '01-05T18:00', 3, 4, 'desk.message-sent.v1'],
    ]);
    expect(first).toMatchObject({ state: 'met', due: '2026-01-05T18:00:00Z', agrees: true, next: null });
    // Of 27 h three before the hold and two after it; the hold over night takes 1 h of each day.
    expect(told(resolution.ledger)).toEqual([
      ['started', '01-05T14:00', '01-05T14:00', 0, 0, 'desk.ticket-opened.v1'],
      ['open', '01-05T14:00', '01-05T17:00', 3, 3, 'desk.ticket-opened.v1'],
      ['paused', '01-05T17:00', '01-06T10:00', 0, 3, 'desk.ticket-held.v1'],
      ['open', '01-06T10:00', '01-06T12:00', 2, 5, 'desk.ticket-resumed.v1'],
      ['ended', '01-06T12:00', '01-06T12:00', 0, 5, 'desk.ticket-resolved.v1'],
      ['> open', '01-06T12:00', '01-06T18:00', 6, 11, 'desk.ticket-resolved.v1'],
      ['> closed', '01-06T18:00', '01-07T09:00', 0, 11, 'desk.ticket-resolved.v1'],
      ['> open', '01-07T09:00', '01-07T18:00', 9, 20, 'desk.ticket-resolved.v1'],
      ['> closed', '01-07T18:00', '01-08T09:00', 0, 20, 'desk.ticket-resolved.v1'],
      ['> open', '01-08T09:00', '01-08T16:00', 7, 27, 'desk.ticket-resolved.v1'],
    ]);
    expect(resolution).toMatchObject({
      state: 'met',
      due: '2026-01-08T16:00:00Z',
      consumed: 5 * HOUR,
      remaining: 22 * HOUR,
      policy: 'default@1',
      tzdb: expect.stringMatching(/^20\d\d[a-z]$/),
      agrees: true,
    });
    expect(resolution.ledger[2]).toMatchObject({
      open: 2 * HOUR,
      reasons: [{ reason: 'requester', type: 'desk.ticket-held.v1', by: { role: 'integration' } }],
    });

    const position = headers.get('covenant-position')!;
    const timeline = await alice.get(`/v1/tickets/${id}/timeline?after=${position}`);
    const events = new Map(timeline.body.items.map((one: any) => [one.revision, one.type]));
    for (const { revision, type } of resolution.ledger) expect(events.get(revision)).toBe(type);
    expect(headers.get('etag')).toBe((await alice.get(`/v1/tickets/${id}`)).headers.get('etag'));
  });

  it('name who paused them', async () => {
    const id = (await alice.post('/v1/tickets', LEAST)).body.id as string;
    await alice.post(`/v1/tickets/${id}/hold`, { reason: 'requester' });
    const position = (await desk.house.store.head()).position;
    await desk.house.caughtUp(position);
    // The pause lasts a second before it is a line.
    const { clock, paused } = await eventually(async () => {
      const { body } = await clocks(id, '?clock=resolution');
      const [clock] = body.clocks;
      const paused = clock.ledger.find(({ kind }: any) => kind === 'paused');
      return paused && { clock, paused };
    });
    expect(paused.reasons).toEqual([
      expect.objectContaining({
        reason: 'requester',
        by: expect.objectContaining({ name: 'alice', role: 'agent' }),
      }),
    ]);
    expect(clock).toMatchObject({ state: 'paused', due: null, agrees: true });
  });

  it('show a breach where it fell, recorded or not', async () => {
    const id = await open('2026-01-05T10:00:00Z', { priority: 1 });
    const before = (await clocks(id, '?clock=first-response')).body.clocks[0];
    const breach = before.ledger.find(({ kind }: any) => kind === 'breached');
    expect(breach).toMatchObject({ from: '2026-01-05T10:30:00Z', sum: before.target, event: null, by: null });
    expect(before).toMatchObject({ breached: true, breachedAt: null, agrees: true });
    await alice.post(`/v1/tickets/${id}/messages`, { text: 'So sorry.' });
    const after = (await clocks(id, '?clock=first-response')).body.clocks[0];
    expect(after).toMatchObject({ state: 'missed', breachedAt: '2026-01-05T10:30:00Z', agrees: true });
    const recorded = after.ledger.find(({ kind }: any) => kind === 'breached');
    expect(recorded).toMatchObject({
      type: 'sla.clock-breached.v1',
      event: expect.any(String),
      by: { role: 'system' },
    });
  });

  it('have long ledgers page by page, all of one ledger whatever happens between', async () => {
    const id = await open('2019-01-07T10:00:00Z');
    const seen: any[] = [];
    let query = '?clock=resolution&limit=200';
    let first: any;
    for (let pages = 0; query !== ''; pages++) {
      expect(pages).toBeLessThan(100);
      const { status, body } = await clocks(id, query);
      expect(status).toBe(200);
      expect(body.clocks).toHaveLength(1);
      first ??= body;
      expect(body.at).toBe(first.at);
      const { ledger, next } = body.clocks[0];
      expect(ledger.length).toBeLessThanOrEqual(200);
      seen.push(...ledger);
      query = next === null ? '' : `?limit=200&cursor=${next}`;
      if (pages === 2) await does(id, 'prioritise', { priority: 1 });
    }
    // Seven years of days and nights.
    expect(seen.length).toBeGreaterThan(3_000);
    let sum = 0;
    for (const [i, line] of seen.entries()) {
      sum += line.counted;
      expect(line.sum).toBe(sum);
      if (i > 0) expect(line.from).toBe(seen[i - 1].to);
    }
    expect(sum).toBe(first.clocks[0].consumed);
    expect(seen.some(({ kind }) => kind === 'retargeted')).toBe(false);
    const now = (await clocks(id, '?clock=resolution&limit=1')).body.clocks[0];
    expect(now.target).toBe(4 * HOUR);
  }, 60_000);

  it('refuse a cursor that no page gave', async () => {
    const id = await open('2026-01-05T10:00:00Z');
    const cursor = (place: unknown) => Buffer.from(JSON.stringify(place)).toString('base64url');
    for (const place of [
      'x',
      ['resolution', 0, '2026-01-05T10:00:00Z'],
      ['resolution', -1, '2026-01-05T10:00:00Z', 0],
      ['resolution', 99, '2026-01-05T10:00:00Z', 0],
      ['resolution', 0, '9999-01-01T00:00:00Z', 0],
      ['resolution', 0, 'soon', 0],
      ['lunch', 0, '2026-01-05T10:00:00Z', 0],
    ]) {
      const { status, body } = await clocks(id, `?cursor=${cursor(place)}`);
      expect([place, status, body.code, body.errors?.[0].field]).toEqual([place, 400, 'bad-input', 'cursor']);
    }
    expect((await clocks(id, '?clock=lunch')).body.code).toBe('bad-input');
  });

  it('are shown to a customer without the desk’s reckoning', async () => {
    const carol = await desk.as({ role: 'customer', name: 'carol', customer: 'Globex' });
    const id = (await carol.post('/v1/tickets', { ...LEAST, channel: 'web' })).body.id as string;
    const { body } = await clocks(id, '', carol);
    expect(Object.keys(body.clocks[0]).sort()).toEqual([
      'breached',
      'breachedAt',
      'clock',
      'cycle',
      'due',
      'startedAt',
      'state',
    ]);
  });
});
