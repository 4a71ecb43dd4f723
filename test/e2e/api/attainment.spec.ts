import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { after, LEAST, openCompany, type Answer, type Client, type Company, type Desk } from './desk.js';

// Monday to Friday 09:00 to 18:00 UTC; priority 3: first response 4 h, resolution 27 h of open time.
describe('SLA attainment over HTTP', () => {
  let company: Company;
  let desk: Desk;
  let gateway: Client;
  let sam: Client;
  let last: Answer;

  const does = async (path: string, body: object): Promise<Answer> => {
    last = await gateway.post(path, body);
    expect([path, last.status, last.text]).toEqual([path, expect.any(Number), expect.any(String)]);
    expect(last.status).toBeLessThan(300);
    return last;
  };
  const open = async (occurredAt: string, more: object = {}): Promise<string> =>
    (await does('/v1/tickets', { ...LEAST, occurredAt, ...more })).body.id as string;
  const report = async (query = ''): Promise<readonly any[]> => {
    const answer = await sam.get(`/v1/attainment?${after(last)}${query}`);
    expect(answer.status).toBe(200);
    return answer.body.items as any[];
  };
  const line = async (query: string): Promise<any> => {
    const lines = await report(query);
    expect(lines).toHaveLength(1);
    return lines[0];
  };

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    gateway = await desk.as({ role: 'integration', name: 'gateway' });
    sam = await desk.as({ role: 'supervisor', name: 'sam' });
  });
  afterAll(() => company.close());

  it('counts a promise in the month in which it was decided, and adds up', async () => {
    // 30 January 2026 was a Friday.
    const kept = await open('2026-01-30T10:00:00Z');
    await does(`/v1/tickets/${kept}/messages`, {
      kind: 'sent',
      text: 'Here.',
      occurredAt: '2026-01-30T14:00:00Z',
    });
    // Held for two open hours of that day and the whole of Monday, then resolved on Tuesday.
    await does(`/v1/tickets/${kept}/hold`, { reason: 'requester', occurredAt: '2026-01-30T16:00:00Z' });
    await does(`/v1/tickets/${kept}/resume`, { occurredAt: '2026-02-03T09:00:00Z' });
    await does(`/v1/tickets/${kept}/resolve`, { occurredAt: '2026-02-03T12:00:00Z' });
    // Its first response was due at 16:00 on Friday.
    const late = await open('2026-01-30T12:00:00Z', { tier: 'vip' });
    await does(`/v1/tickets/${late}/messages`, {
      kind: 'sent',
      text: 'Sorry.',
      occurredAt: '2026-02-02T10:00:00Z',
    });

    expect(await line('&month=2026-01&tier=base')).toMatchObject({
      ...{ policy: 'default@1', priority: 3, clock: 'first-response' },
      ...{ cycles: 1, met: 1, provisional: 0, missed: 0, attainment: 1 },
      ...{ consumed: 4 * 3_600, paused: 0, pausedShare: 0 },
    });
    expect(await line('&month=2026-01&tier=vip')).toMatchObject({ met: 0, missed: 1, attainment: 0 });
    expect(await line('&month=2026-02&tier=base')).toMatchObject({
      ...{ clock: 'resolution', met: 1, attainment: 1 },
      ...{ consumed: 9 * 3_600, paused: 11 * 3_600, pausedShare: 0.55 },
    });
    for (const each of await report()) {
      const { met, missed, open, openBreached, notApplicable, notEvidenced, merged, cycles } = each;
      expect(met + missed + open + openBreached + notApplicable + notEvidenced + merged).toBe(cycles);
    }
  });

  it('takes back what a later fact made untrue, and what a reopen opened again', async () => {
    const march = (clock: string) => line(`&month=2026-03&clock=${clock}`);
    // Monday, 2 March: the first response was due at 13:00. The answer was told as of two o’clock, later as of noon.
    const ticket = await open('2026-03-02T09:00:00Z');
    const answers = (occurredAt: string): Promise<Answer> =>
      does(`/v1/tickets/${ticket}/messages`, { kind: 'sent', text: 'Here.', occurredAt });
    await answers('2026-03-02T14:00:00Z');
    expect(await march('first-response')).toMatchObject({ met: 0, missed: 1 });
    await answers('2026-03-02T12:00:00Z');
    expect(await march('first-response')).toMatchObject({ met: 1, missed: 0 });

    await does(`/v1/tickets/${ticket}/resolve`, { occurredAt: '2026-03-03T10:00:00Z' });
    expect(await march('resolution')).toMatchObject({ cycles: 1, met: 1, open: 0 });
    await does(`/v1/tickets/${ticket}/reopen`, { occurredAt: '2026-03-04T10:00:00Z' });
    expect(await march('resolution')).toMatchObject({ cycles: 1, met: 0, open: 1 });
    // 17 h are left of 27: they end in the afternoon of Thursday, the 5th.
    await does(`/v1/tickets/${ticket}/resolve`, { occurredAt: '2026-03-09T10:00:00Z' });
    expect(await march('resolution')).toMatchObject({ cycles: 1, met: 0, missed: 1, open: 0 });
    // Beyond the window the next cycle begins, and the first keeps its outcome.
    await does(`/v1/tickets/${ticket}/reopen`, { occurredAt: '2026-03-23T10:00:00Z' });
    expect(await march('resolution')).toMatchObject({ cycles: 2, missed: 1 });
  });

  it('calls what was met provisional while a reopen may yet take it back', async () => {
    const ticket = (await does('/v1/tickets', { ...LEAST, priority: 4 })).body.id as string;
    await does(`/v1/tickets/${ticket}/resolve`, {});
    expect(await line('&priority=4&clock=resolution')).toMatchObject({ met: 1, provisional: 1 });
    expect(await line('&priority=4&clock=first-response')).toMatchObject({
      ...{ cycles: 1, met: 0, notApplicable: 1 },
      ...{ attainment: null, pausedShare: null },
    });
  });

  it('comes in pages that together are the whole', async () => {
    const whole = await report();
    expect(whole.length).toBeGreaterThan(3);
    const pages: any[] = [];
    for (let cursor = ''; ;) {
      const { body } = await sam.get(`/v1/attainment?limit=2${cursor}`);
      pages.push(...body.items);
      if (body.next === null) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(pages).toEqual(whole);
  });

  it.each([
    ['month', 'month=2026-13'],
    ['month', 'month=May'],
    ['tier', 'tier=gold'],
    ['priority', 'priority=5'],
    ['clock', 'clock=lunch'],
    ['cursor', 'cursor=nonsense'],
    ['colour', 'colour=red'],
  ])('refuses a bad %s (%s)', async (field, query) => {
    const { status, body } = await sam.get(`/v1/attainment?${query}`);
    expect([status, body.code, body.errors?.[0]?.field]).toEqual([400, 'bad-input', field]);
  });

  it('answers nothing where a ticket is missing from it', async () => {
    const database = new pg.Client({ connectionString: company.database.url });
    await database.connect();
    await database.query(
      `INSERT INTO views.parked (view, stream, from_revision, up_to_revision, position, reason)
       VALUES ('attainment', 'ticket-x', 0, 0, 1, 'told so')`,
    );
    const { status, body } = await sam.get('/v1/attainment');
    expect([status, body.code]).toEqual([503, 'view-parked']);
    await database.query(`DELETE FROM views.parked WHERE stream = 'ticket-x'`);
    await database.end();
    expect((await sam.get('/v1/attainment')).status).toBe(200);
  });
});
