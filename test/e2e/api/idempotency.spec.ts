import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mintToken } from '#edge';
import { LEAST, openCompany, type Answer, type Client, type Company, type Desk } from './desk.js';

/** Ruling 11, over two api processes (each with its own caches) on one database. */
describe('asking twice', () => {
  let company: Company;
  let desks: readonly [Desk, Desk];
  let alice: readonly [Client, Client];

  beforeAll(async () => {
    company = await openCompany();
    desks = [await company.open(), await company.open({ projector: false })];
    const token = await mintToken(desks[0].house.secrets.authSecret, { role: 'agent', name: 'alice' });
    alice = [desks[0].with(token), desks[1].with(token)];
    // Named once, so that the figures below are the commands' own.
    await alice[0].post('/v1/tickets', LEAST);
    await alice[1].post('/v1/tickets', LEAST);
  });
  afterAll(() => company.close());

  const key = () => ({ 'idempotency-key': randomUUID() });
  const head = async () => Number((await desks[0].house.store.head()).position);
  const same = (a: Answer, b: Answer): void => {
    expect(b.text).toBe(a.text);
    expect(b.status).toBe(a.status);
    for (const name of ['etag', 'location', 'covenant-position'])
      expect(b.headers.get(name)).toBe(a.headers.get(name));
  };

  it('opens one ticket, whichever process is asked, and answers the same to the byte', async () => {
    const once = key();
    const before = await head();
    const first = await alice[0].post('/v1/tickets', LEAST, once);
    const again = await alice[0].post('/v1/tickets', LEAST, once);
    const elsewhere = await alice[1].post('/v1/tickets', LEAST, once);
    expect(first.status).toBe(201);
    same(first, again);
    same(first, elsewhere);
    expect(await head()).toBe(before + 1);
  });

  it('counts names in any order as the same body', async () => {
    const once = key();
    const first = await alice[0].post('/v1/tickets', LEAST, once);
    const turned = Object.fromEntries(Object.entries(LEAST).reverse());
    same(first, await alice[1].post('/v1/tickets', turned, once));
  });

  it('refuses the key with another body, for ever and everywhere', async () => {
    const once = key();
    await alice[0].post('/v1/tickets', LEAST, once);
    for (const client of alice) {
      const answer = await client.post('/v1/tickets', { ...LEAST, subject: 'Another' }, once);
      expect([answer.status, answer.body.code]).toEqual([422, 'key-reused']);
    }
  });

  it('leaves one ticket when two processes are asked at the same instant', async () => {
    for (let round = 0; round < 10; round++) {
      const once = key();
      const before = await head();
      const answers = await Promise.all([0, 1, 0, 1].map((i) => alice[i]!.post('/v1/tickets', LEAST, once)));
      for (const answer of answers) same(answers[0]!, answer);
      expect(answers[0]!.status).toBe(201);
      expect(await head()).toBe(before + 1);
    }
  });

  it('lets one of two bodies win when they come at the same instant', async () => {
    for (let round = 0; round < 10; round++) {
      const once = key();
      const before = await head();
      const answers = await Promise.all([
        alice[0].post('/v1/tickets', LEAST, once),
        alice[1].post('/v1/tickets', { ...LEAST, subject: 'Another' }, once),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 422]);
      expect(await head()).toBe(before + 1);
    }
  });

  it('is known by the key before If-Match and before any refusal', async () => {
    const { id } = (await alice[0].post('/v1/tickets', LEAST)).body;
    const seen = (await alice[0].get(`/v1/tickets/${id}/clocks`)).headers.get('etag')!;
    const once = { ...key(), 'if-match': seen };
    const resolved = await alice[0].post(`/v1/tickets/${id}/resolve`, { resolution: 'solved' }, once);
    expect(resolved.status).toBe(200);
    await alice[1].post(`/v1/tickets/${id}/close`);
    same(resolved, await alice[1].post(`/v1/tickets/${id}/resolve`, { resolution: 'solved' }, once));
    same(resolved, await alice[0].post(`/v1/tickets/${id}/resolve`, { resolution: 'solved' }, once));
  });

  it('a late repeat of what changed nothing does not undo what came between', async () => {
    const { id } = (await alice[0].post('/v1/tickets', LEAST)).body;
    await alice[0].post(`/v1/tickets/${id}/prioritise`, { priority: 2 });
    const once = key();
    const nothing = await alice[0].post(`/v1/tickets/${id}/prioritise`, { priority: 2 }, once);
    expect(nothing.status).toBe(200);
    await alice[1].post(`/v1/tickets/${id}/prioritise`, { priority: 1 });
    same(nothing, await alice[1].post(`/v1/tickets/${id}/prioritise`, { priority: 2 }, once));
    const { body } = await alice[0].get(`/v1/tickets/${id}/clocks`);
    expect(body.clocks[0].target).toBe(1800);
  });

  it('does not remember refusals', async () => {
    const { id } = (await alice[0].post('/v1/tickets', LEAST)).body;
    const once = key();
    expect((await alice[0].post(`/v1/tickets/${id}/close`, {}, once)).status).toBe(409);
    await alice[0].post(`/v1/tickets/${id}/resolve`);
    expect((await alice[1].post(`/v1/tickets/${id}/close`, {}, once)).status).toBe(200);
  });

  it('a key belongs to who gave it, and to the route', async () => {
    const once = key();
    const bob = await desks[0].as({ role: 'agent', name: 'bob' });
    const mine = await alice[0].post('/v1/tickets', LEAST, once);
    const his = await bob.post('/v1/tickets', { ...LEAST, subject: 'His' }, once);
    expect(his.status).toBe(201);
    expect(his.body.id).not.toBe(mine.body.id);
    expect((await alice[0].post(`/v1/tickets/${mine.body.id}/escalate`, { reason: 'x' }, once)).status).toBe(
      200,
    );
  });

  it('gives a hand-over and a merge the same id again', async () => {
    const [{ id }, { id: other }] = [
      (await alice[0].post('/v1/tickets', LEAST)).body,
      (await alice[0].post('/v1/tickets', LEAST)).body,
    ];
    const [hand, merge] = [key(), key()];
    const offered = await alice[0].post(
      `/v1/tickets/${id}/handover`,
      { group: 'Network', reason: 'x' },
      hand,
    );
    expect(offered.body.handover).toEqual(expect.any(String));
    same(offered, await alice[1].post(`/v1/tickets/${id}/handover`, { group: 'Network', reason: 'x' }, hand));
    const begun = await alice[0].post(`/v1/tickets/${id}/merge`, { duplicate: other }, merge);
    expect(begun.body.merge).toEqual(expect.any(String));
    same(begun, await alice[1].post(`/v1/tickets/${id}/merge`, { duplicate: other }, merge));
  });

  it('defines one queue, and knows the key with another group', async () => {
    const sam = await Promise.all(desks.map((desk) => desk.as({ role: 'supervisor', name: 'sam' })));
    const once = key();
    const first = await sam[0]!.post('/v1/queues', { group: 'Network', title: 'Networks' }, once);
    expect(first.status).toBe(201);
    same(first, await sam[1]!.post('/v1/queues', { group: 'Network', title: 'Networks' }, once));
    const other = await sam[1]!.post('/v1/queues', { group: 'Storage' }, once);
    expect([other.status, other.body.code]).toEqual([422, 'key-reused']);
  });

  it('takes visible ASCII for a key, and nothing else', async () => {
    for (const bad of ['two words', 'x'.repeat(256)]) {
      const answer = await alice[0].post('/v1/tickets', LEAST, { 'idempotency-key': bad });
      expect([answer.status, answer.body.code]).toEqual([400, 'bad-request']);
    }
  });
});
