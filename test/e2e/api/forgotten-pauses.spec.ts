import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toInstant } from '#kernel';
import { after, LEAST, openCompany, type Answer, type Client, type Company, type Desk } from './desk.js';

const DAY = 86_400;

describe('A pause that somebody forgot', () => {
  let company: Company;
  let desk: Desk;
  let sam: Client;
  let gateway: Client;

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open({ env: { PAUSE_LIMIT_DAYS: '5' } });
    sam = await desk.as({ role: 'supervisor', name: 'sam' });
    gateway = await desk.as({ role: 'integration', name: 'gateway' });
  });
  afterAll(() => company.close());

  /** An instant so many days ago. */
  const ago = (days: number): string => toInstant(Date.now() / 1000 - days * DAY);

  /** Held so many days ago, a while after it was opened. */
  async function held(days: number, reason = 'requester'): Promise<{ readonly id: string; last: Answer }> {
    const opened = await gateway.post('/v1/tickets', { ...LEAST, occurredAt: ago(days + 1) });
    expect(opened.status).toBe(201);
    const id = opened.body.id as string;
    const last = await gateway.post(`/v1/tickets/${id}/hold`, { reason, occurredAt: ago(days) });
    expect(last.status).toBe(200);
    return { id, last };
  }
  const forgotten = async (last: Answer): Promise<string[]> => {
    const listed = await sam.get(`/v1/tickets?paused=forgotten&${after(last)}`);
    expect(listed.status).toBe(200);
    return (listed.body.items as { id: string }[]).map(({ id }) => id);
  };

  it('is marked on the ticket, listed and counted from the limit on, until the promises go on', async () => {
    const short = await held(4);
    const long = await held(6);
    const unpaused = await held(6, 'other-team');
    expect(await forgotten(unpaused.last)).toEqual([long.id]);
    expect((await sam.get(`/v1/tickets/${long.id}`)).body).toMatchObject({
      pausedSince: expect.any(String),
      pauseForgotten: true,
    });
    expect((await sam.get(`/v1/tickets/${short.id}`)).body).toMatchObject({
      pausedSince: expect.any(String),
      pauseForgotten: false,
    });
    expect((await sam.get(`/v1/tickets/${unpaused.id}`)).body).toMatchObject({
      holds: ['other-team'],
      pausedSince: null,
      pauseForgotten: false,
    });
    const { views } = desk.house;
    const limit = toInstant(Date.now() / 1000 - 5 * DAY);
    expect(await views.pausedUntil(limit)).toBe(1);

    const resumed = await sam.post(`/v1/tickets/${long.id}/resume`, { reason: 'requester' });
    expect(resumed.status).toBe(200);
    expect(await forgotten(resumed)).toEqual([]);
    expect(await views.pausedUntil(limit)).toBe(0);
  });

  it('is not a customer’s to ask about or to see', async () => {
    const carol = await desk.as({ role: 'customer', name: 'carol', customer: 'Globex' });
    expect((await carol.get('/v1/tickets?paused=forgotten')).status).toBe(403);
    const opened = await carol.post('/v1/tickets', LEAST);
    const own = (await carol.get(`/v1/tickets/${opened.body.id}?${after(opened)}`)).body;
    expect(own).not.toHaveProperty('pausedSince');
    expect(own).not.toHaveProperty('pauseForgotten');
  });

  it('is asked about by its name alone', async () => {
    const answer = await sam.get('/v1/tickets?paused=long-ago');
    expect([answer.status, answer.body.code]).toEqual([400, 'bad-input']);
  });
});
