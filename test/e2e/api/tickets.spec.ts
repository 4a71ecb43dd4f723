import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { after, LEAST, openCompany, type Client, type Company, type Desk } from './desk.js';

describe('a ticket over HTTP', () => {
  let company: Company;
  let desk: Desk;
  let alice: Client;

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    alice = await desk.as({ role: 'agent', name: 'alice', email: 'alice@desk.example' });
  });
  afterAll(() => company.close());

  it('opens with what was promised, and waits in the intake', async () => {
    const opened = await alice.post('/v1/tickets', LEAST);
    expect(opened.status).toBe(201);
    expect(opened.body).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      number: expect.stringMatching(/^T-\d{6,}$/),
      position: opened.headers.get('covenant-position'),
      promises: [
        { clock: 'first-response', state: 'running', target: 4 * 3600, due: expect.any(String) },
        { clock: 'resolution', state: 'running', target: 27 * 3600, due: expect.any(String) },
      ],
    });
    expect(opened.headers.get('location')).toBe(`/v1/tickets/${opened.body.id}`);
    expect(opened.headers.get('etag')).toBe('"0"');
    expect(opened.headers.get('cache-control')).toBe('no-store');

    const queued = await alice.get(`/v1/queues/intake/items?${after(opened)}`);
    expect(queued.status).toBe(200);
    expect(queued.body.items).toEqual([
      expect.objectContaining({ ticket: opened.body.id, number: opened.body.number, subject: LEAST.subject }),
    ]);

    const read = await alice.get(`/v1/tickets/${opened.body.id}?${after(opened)}`);
    expect(read.status).toBe(200);
    expect(read.headers.get('etag')).toBe('"0"');
    expect(read.body).toMatchObject({
      id: opened.body.id,
      status: 'open',
      subject: LEAST.subject,
      requester: { name: 'alice', email: 'alice@desk.example' },
      queue: { id: 'intake', name: null },
    });
  });
});
