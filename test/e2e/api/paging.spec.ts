import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toOrdinal, toPosition } from '#kernel';
import { after, LEAST, openCompany, type Answer, type Client, type Company, type Desk } from './desk.js';

describe('lists', () => {
  let company: Company;
  let desk: Desk;
  let alice: Client;
  let sam: Client;
  const opened: string[] = [];
  let last: Answer;

  const open = async (more: object = {}) => {
    last = await alice.post('/v1/tickets', { ...LEAST, ...more });
    opened.push(last.body.id);
    return last.body.id as string;
  };

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    alice = await desk.as({ role: 'agent', name: 'alice' });
    sam = await desk.as({ role: 'supervisor', name: 'sam' });
    for (let i = 0; i < 25; i++) await open({ priority: 1 + (i % 4) });
  });
  afterAll(() => company.close());

  const pages = async (
    path: string,
    between: () => Promise<unknown> = async () => undefined,
  ): Promise<any[]> => {
    const items: any[] = [];
    let next: string | null = null;
    do {
      const cursor = next === null ? '' : `&cursor=${next}`;
      const { status, body } = await alice.get(`${path}${cursor}`);
      expect(status).toBe(200);
      expect(body.items.length).toBeLessThanOrEqual(7);
      items.push(...body.items);
      next = body.next as string | null;
      await between();
    } while (next !== null);
    return items;
  };

  it('give every ticket once, newest first or oldest first', async () => {
    await alice.get(`/v1/tickets?${after(last)}`);
    const ids = (await pages('/v1/tickets?limit=7')).map(({ id }) => id);
    expect(ids).toEqual([...opened].reverse());
    expect((await pages('/v1/tickets?limit=7&order=oldest-first')).map(({ id }) => id)).toEqual(opened);
  });

  it('lose and repeat nothing that stood there while others open', async () => {
    const stood = [...opened];
    const newest = await pages('/v1/tickets?limit=7', () => open());
    expect(newest.map(({ id }) => id)).toEqual([...stood].reverse());
    await alice.get(`/v1/tickets?${after(last)}`);
    const ids = (await pages('/v1/tickets?limit=7&order=oldest-first')).map(({ id }) => id);
    expect(ids).toEqual(opened);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are filtered by what the desk knows', async () => {
    const id = await open({ channel: 'chat', requester: { email: 'grace@example.com' } });
    await alice.post(`/v1/tickets/${id}/assign`, { group: 'Network', agent: 'bob' });
    const held = await alice.post(`/v1/tickets/${id}/hold`, { reason: 'vendor' });
    const { body: read } = await alice.get(`/v1/tickets/${id}?${after(held)}`);
    for (const query of [
      `number=${read.number}`,
      'requester=GRACE@example.com',
      `requester=${read.requester.id}`,
      'queue=network',
      `queue=${read.queue.id}`,
      'agent=bob',
      `agent=${read.agent.id}`,
      'status=on-hold',
      'status=on-hold,closed',
      'status=on-hold&status=closed',
    ])
      expect([query, (await alice.get(`/v1/tickets?${query}`)).body.items.map((one: any) => one.id)]).toEqual(
        [query, [id]],
      );
    expect((await alice.get('/v1/tickets?queue=intake&agent=bob')).body.items).toEqual([]);
    const urgent = (await alice.get('/v1/tickets?priority=1&limit=200')).body.items;
    expect(urgent.length).toBeGreaterThan(5);
    expect(urgent.every(({ priority }: any) => priority === 1)).toBe(true);
  });

  it('of a queue go by rank, page by page, and by standing', async () => {
    const { counts } = (await sam.get('/v1/queues')).body.items.find(({ id }: any) => id === 'intake');
    const items = await pages('/v1/queues/intake/items?limit=7');
    expect(items).toHaveLength(counts.waiting);
    const ranks = items.map(({ rank }) => Date.parse(rank));
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    expect(new Set(items.map(({ ticket }) => ticket)).size).toBe(items.length);
    const network = (await sam.get('/v1/queues/Network/items?standing=held')).body.items;
    expect(network).toEqual([
      expect.objectContaining({ standing: 'held', rank: null, agent: expect.anything() }),
    ]);
  });

  it('of a ticket’s history go by revision', async () => {
    const id = opened[0]!;
    for (let i = 0; i < 9; i++)
      last = await alice.post(`/v1/tickets/${id}/messages`, { text: `Message ${i}`, kind: 'note' });
    await alice.get(`/v1/tickets/${id}?${after(last)}`);
    const entries = await pages(`/v1/tickets/${id}/timeline?limit=4`);
    expect(entries.map(({ revision }) => revision)).toEqual(Array.from({ length: 10 }, (_, i) => i));
  });

  it('of queues hold the intake, what was defined, and what has tickets', async () => {
    const defined = await sam.post('/v1/queues', { group: 'Storage', title: 'Disks and tapes' });
    expect(defined.status).toBe(201);
    const { items } = (await sam.get(`/v1/queues?${after(defined)}`)).body;
    expect(items[0]).toMatchObject({ id: 'intake', name: null });
    expect(items).toContainEqual({
      id: defined.body.id,
      name: 'Storage',
      title: 'Disks and tapes',
      defined: true,
      counts: { waiting: 0, held: 0, assigned: 0 },
    });
    const renamed = await sam.post('/v1/queues', { group: 'storage', title: 'Storage' });
    expect(renamed.body.id).toBe(defined.body.id);
    expect((await sam.get(`/v1/queues/Storage/items?${after(renamed)}`)).body).toEqual({
      items: [],
      next: null,
    });
  });

  it('say what is wrong with what they are asked', async () => {
    for (const [query, field] of [
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['limit=ten', 'limit'],
      ['limit=1&limit=2', 'limit'],
      ['cursor=x', 'cursor'],
      ['cursor=W10', 'cursor'],
      ['status=lost', 'status'],
      ['priority=5', 'priority'],
      ['order=random', 'order'],
      ['colour=red', 'colour'],
      ['queue=', 'queue'],
    ] as const) {
      const { status, body } = await alice.get(`/v1/tickets?${query}`);
      expect([query, status, body.code, body.errors.map((one: any) => one.field)]).toEqual([
        query,
        400,
        'bad-input',
        [field],
      ]);
    }
  });

  it('hold what their asker has just written', async () => {
    for (let i = 0; i < 20; i++) {
      const answer = await alice.post('/v1/tickets', LEAST);
      const { body, headers } = await alice.get(`/v1/tickets?limit=1&${after(answer)}`);
      expect(body.items[0].id).toBe(answer.body.id);
      expect(headers.get('covenant-position')! >= answer.body.position).toBe(true);
    }
  });

  it('refuse a position that the log has not come to, and one that is none', async () => {
    const { position } = await desk.house.store.head();
    const beyond = toPosition(toOrdinal(position) + 1_000);
    for (const path of ['/v1/tickets', '/v1/queues', `/v1/tickets/${opened[0]}/clocks`]) {
      const asked = await alice.get(`${path}?after=${beyond}`);
      expect([asked.status, asked.body.code]).toEqual([400, 'unknown-position']);
      const none = await alice.get(`${path}?after=soon`);
      expect([none.status, none.body.code]).toEqual([400, 'bad-request']);
    }
  });
});

describe('a read whose views do not move', () => {
  it('is answered 503 with Retry-After once its time is over', async () => {
    const company = await openCompany();
    try {
      const desk = await company.open({ projector: false });
      const alice = await desk.as({ role: 'agent', name: 'alice' });
      const opened = await alice.post('/v1/tickets', LEAST);
      const read = await alice.get(`/v1/tickets?${after(opened)}`);
      expect([read.status, read.body.code]).toEqual([503, 'view-lag']);
      expect(Number(read.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await alice.get(`/v1/tickets/${opened.body.id}/clocks?${after(opened)}`)).status).toBe(200);
    } finally {
      await company.close();
    }
  }, 30_000);
});
