import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { after, LEAST, openCompany, type Answer, type Client, type Company, type Desk } from './desk.js';

describe('a ticket over HTTP', () => {
  let company: Company;
  let desk: Desk;
  let alice: Client;
  let bob: Client;
  let gateway: Client;
  let carol: Client;

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    alice = await desk.as({ role: 'agent', name: 'alice', email: 'alice@desk.example' });
    bob = await desk.as({ role: 'agent', name: 'bob' });
    gateway = await desk.as({ role: 'integration', name: 'gateway' });
    carol = await desk.as({ role: 'customer', name: 'carol', customer: 'Globex' });
  });
  afterAll(() => company.close());

  const open = async (more: object = {}, client = alice): Promise<string> => {
    const opened = await client.post('/v1/tickets', { ...LEAST, ...more });
    expect(opened.status).toBe(201);
    return opened.body.id as string;
  };
  /** Asks a command that is accepted, and reads the ticket after it. */
  const done = async (id: string, command: string, body?: object, client = alice): Promise<any> => {
    const answer = await client.post(`/v1/tickets/${id}/${command}`, body);
    expect(answer.body).toMatchObject({ id, position: expect.stringMatching(/^\d+$/) });
    expect(answer.headers.get('covenant-position')! >= answer.body.position).toBe(true);
    expect(answer.status).toBe(command === 'messages' ? 201 : 200);
    const read = await alice.get(`/v1/tickets/${id}?${after(answer)}`);
    expect(read.headers.get('etag')).toBe(answer.headers.get('etag'));
    return read.body;
  };
  const refused = async (
    id: string,
    command: string,
    body: object | undefined,
    status: number,
    code: string,
    client = alice,
  ): Promise<void> => {
    const { position } = await desk.house.store.head();
    const answer = await client.post(`/v1/tickets/${id}/${command}`, body);
    expect(problem(answer)).toEqual([status, code]);
    expect((await desk.house.store.head()).position).toBe(position);
  };
  const problem = ({ status, headers, body }: Answer): [number, string] => {
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ type: expect.any(String), title: expect.any(String), status });
    expect(headers.get('cache-control')).toBe('no-store');
    return [status, body.code as string];
  };

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
    expect(queued.body.items).toContainEqual(
      expect.objectContaining({ ticket: opened.body.id, number: opened.body.number, subject: LEAST.subject }),
    );

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

  it('is asked for by an address, a name, or the caller', async () => {
    const dave = { email: 'Dave@Example.com', name: 'Dave Miller' };
    const first = await done(await open({ requester: dave }), 'escalate', { reason: 'Look.' });
    const second = await done(await open({ requester: { email: ' dave@example.com'.trim() } }), 'escalate', {
      reason: 'Look.',
    });
    expect(first.requester).toMatchObject({ name: 'Dave Miller', email: 'Dave@Example.com' });
    expect(second.requester).toEqual(first.requester);
    const named = await done(await open({ requester: { name: 'Erin' } }), 'escalate', { reason: 'Look.' });
    const namesake = await done(await open({ requester: { name: 'Erin' } }), 'escalate', { reason: 'Look.' });
    expect(named.requester).toMatchObject({ name: 'Erin', email: null });
    expect(namesake.requester.id).not.toBe(named.requester.id);
  });

  it('carries tier, past and reference only from an integration', async () => {
    const past = { occurredAt: '2026-01-05T10:00:00Z', tier: 'vip', externalReference: 'INC0010023' };
    const id = await open({ ...past, customer: 'Globex' }, gateway);
    const read = await done(id, 'classify', { category: 'Hardware' });
    expect(read).toMatchObject({
      tier: 'vip',
      openedAt: past.occurredAt,
      externalReference: 'INC0010023',
      customer: { name: 'Globex' },
      promises: [
        { clock: 'first-response', due: '2026-01-05T14:00:00Z', breachedAt: '2026-01-05T14:00:00Z' },
        { clock: 'resolution', due: '2026-01-08T10:00:00Z', breachedAt: '2026-01-08T10:00:00Z' },
      ],
    });
    const found = await alice.get('/v1/tickets?externalReference=inc0010023');
    expect(found.body.items.map((one: any) => one.id)).toEqual([id]);

    for (const field of ['tier', 'occurredAt'] as const) {
      const answer = await alice.post('/v1/tickets', { ...LEAST, [field]: past[field] });
      expect(problem(answer)).toEqual([403, 'not-permitted']);
      expect(answer.body.errors).toEqual([{ field, problem: expect.any(String) }]);
    }
    const future = new Date(Date.now() + 3_600_000).toISOString();
    expect(problem(await gateway.post('/v1/tickets', { ...LEAST, occurredAt: future }))).toEqual([
      400,
      'in-future',
    ]);
  });

  it('says everything that is wrong with a body at once', async () => {
    const { position } = await desk.house.store.head();
    const answer = await alice.post('/v1/tickets', { subject: 7, channel: 'pigeon', colour: 'red' });
    expect(problem(answer)).toEqual([400, 'bad-input']);
    expect(answer.body.errors.map(({ field }: any) => field).sort()).toEqual([
      'channel',
      'colour',
      'subject',
      'text',
    ]);
    expect(answer.body.errors.find(({ field }: any) => field === 'channel').problem).toBe(
      'must be one of phone, e-mail, web, chat, note, integration',
    );
    expect((await desk.house.store.head()).position).toBe(position);
  });

  it('is answered, asked back and noted on', async () => {
    const id = await open({ requester: { name: 'Carol', email: 'carol@example.com' } });
    const answered = await done(id, 'messages', { text: 'We are looking into it.' });
    expect(answered.promises).toContainEqual(
      expect.objectContaining({ clock: 'first-response', state: 'met' }),
    );
    await done(id, 'hold', { reason: 'requester', comment: 'She will try another cable.' });
    const back = await done(id, 'messages', {
      kind: 'received',
      channel: 'e-mail',
      text: 'Same with another cable.',
    });
    expect(back).toMatchObject({ status: 'open', holds: [] });
    await done(id, 'messages', { kind: 'note', text: 'The cable was never the problem.' });
    const timeline = await alice.get(`/v1/tickets/${id}/timeline`);
    const said = timeline.body.items.map((one: any) => [one.type, one.text.text ?? null]);
    expect(said).toEqual([
      ['desk.ticket-opened.v1', LEAST.text],
      ['desk.message-sent.v1', 'We are looking into it.'],
      ['desk.ticket-held.v1', null],
      ['desk.message-received.v1', 'Same with another cable.'],
      ['desk.ticket-resumed.v1', null],
      ['desk.note-added.v1', 'The cable was never the problem.'],
    ]);
    expect(timeline.body.items[3].data.author).toBe(back.requester.id);
    expect(timeline.body.items[0]).toMatchObject({
      actor: { role: 'agent', name: 'alice' },
      recordedAt: expect.stringMatching(/\.\d{6}Z$/),
      data: { channel: 'phone', requester: back.requester.id },
    });
  });

  it('is assigned to groups and agents by name, and moves to their queue', async () => {
    const id = await open();
    expect(await done(id, 'assign', { group: 'Network' })).toMatchObject({
      group: { name: 'Network' },
      queue: { name: 'Network' },
      agent: null,
    });
    const items = await alice.get('/v1/queues/network/items');
    expect(items.body.items).toContainEqual(expect.objectContaining({ ticket: id, standing: 'waiting' }));
    expect(await done(id, 'assign', { group: 'network', agent: 'dora' })).toMatchObject({
      agent: { name: 'dora' },
    });
    const queues = await alice.get('/v1/queues');
    expect(queues.body.items[0].id).toBe('intake');
    expect(queues.body.items).toContainEqual(
      expect.objectContaining({
        name: 'network',
        defined: false,
        counts: expect.objectContaining({ assigned: 1 }),
      }),
    );
    expect(await done(id, 'assign', {})).toMatchObject({ group: null, agent: null, queue: { id: 'intake' } });
  });

  it('is handed over when the receiver accepts', async () => {
    const id = await open();
    await done(id, 'assign', { group: 'Network', agent: 'alice' });
    await refused(id, 'handover', { reason: 'To nobody.' }, 400, 'handover-to-nobody');
    const offered = await done(id, 'handover', { group: 'Storage', agent: 'bob', reason: 'A disk.' });
    expect(offered).toMatchObject({
      group: { name: 'Network' },
      agent: { name: 'alice' },
      handover: { group: { name: 'Storage' }, agent: { name: 'bob' }, offeredBy: { name: 'alice' } },
    });
    await refused(id, 'handover', { group: 'Other', reason: 'Twice.' }, 409, 'handover-pending');
    await refused(id, 'accept-handover', undefined, 403, 'not-yours-to-answer');
    expect(await done(id, 'accept-handover', undefined, bob)).toMatchObject({
      handover: null,
      group: { name: 'Storage' },
      agent: { name: 'bob' },
    });
    await refused(id, 'decline-handover', { reason: 'Too late.' }, 409, 'no-handover-pending', bob);
    await done(id, 'handover', { agent: 'alice', reason: 'Back.' }, bob);
    expect(await done(id, 'decline-handover', { reason: 'No.' })).toMatchObject({
      handover: null,
      agent: { name: 'bob' },
    });
  });

  it('is held and resumed by reasons', async () => {
    const id = await open();
    await refused(id, 'resume', undefined, 409, 'not-on-hold');
    const held = await done(id, 'hold', { reason: 'requester' });
    expect(held).toMatchObject({ status: 'on-hold', holds: ['requester'] });
    expect(held.promises).toContainEqual(
      expect.objectContaining({ clock: 'resolution', state: 'paused', due: null, reasons: ['requester'] }),
    );
    expect(await done(id, 'hold', { reason: 'vendor' })).toMatchObject({ holds: ['requester', 'vendor'] });
    expect(await done(id, 'resume', { reason: 'requester' })).toMatchObject({
      status: 'on-hold',
      holds: ['vendor'],
    });
    expect(await done(id, 'resume')).toMatchObject({ status: 'open', holds: [] });
  });

  it('is prioritised, classified and escalated', async () => {
    const id = await open();
    const urgent = await done(id, 'prioritise', { priority: 1 });
    expect(urgent).toMatchObject({ priority: 1 });
    expect(urgent.promises).toContainEqual(
      expect.objectContaining({ clock: 'first-response', target: 1800 }),
    );
    expect(
      await done(id, 'classify', { category: 'Hardware', subcategory: 'Printer', service: 'P-3' }),
    ).toMatchObject({
      category: { name: 'Hardware' },
      subcategory: { name: 'Printer' },
      service: { name: 'P-3' },
    });
    expect(await done(id, 'escalate', { reason: 'The board waits.' })).toMatchObject({ escalation: 1 });
    expect(await done(id, 'escalate', { reason: 'Still.' })).toMatchObject({ escalation: 2 });
  });

  it('goes to a vendor and comes back', async () => {
    const id = await open();
    await refused(id, 'take-back', undefined, 409, 'not-with-vendor');
    expect(await done(id, 'hand-to-vendor', { vendor: 'Acme', vendorReference: 'AP-1' })).toMatchObject({
      vendor: { name: 'Acme' },
      vendorReference: 'AP-1',
    });
    await refused(id, 'hand-to-vendor', { vendor: 'Other' }, 409, 'with-vendor');
    expect(await done(id, 'take-back')).toMatchObject({ vendor: null });
  });

  it('is resolved, reopened, closed and rated', async () => {
    const id = await open();
    await refused(id, 'rate', { score: 5 }, 409, 'not-resolved');
    await refused(id, 'reopen', undefined, 409, 'not-resolved');
    await refused(id, 'close', undefined, 409, 'not-resolved');
    const resolved = await done(id, 'resolve', { resolution: 'solved', comment: 'New drum.' });
    expect(resolved).toMatchObject({ status: 'resolved', resolvedAt: expect.any(String) });
    expect(resolved.promises).toEqual([
      expect.objectContaining({ clock: 'first-response', state: 'not-applicable' }),
      expect.objectContaining({ clock: 'resolution', state: 'met' }),
    ]);
    await refused(id, 'hold', { reason: 'vendor' }, 409, 'already-resolved');
    expect(await done(id, 'reopen', { reason: 'Blank again.' })).toMatchObject({
      status: 'open',
      resolvedAt: null,
    });
    await done(id, 'resolve');
    await refused(id, 'rate', { score: 5 }, 403, 'not-the-requester', bob);
    expect(await done(id, 'rate', { score: 4, comment: 'Took two tries.' })).toMatchObject({ rating: 4 });
    expect(await done(id, 'close')).toMatchObject({ status: 'closed', closedAt: expect.any(String) });
    await refused(id, 'messages', { text: 'Anybody?' }, 409, 'closed');
    await refused(id, 'close', undefined, 409, 'already-closed');
  });

  it('begins a merge and a link with tickets that there are', async () => {
    const [id, other] = [await open(), await open()];
    const nobody = '01893f5a-0000-7000-8000-000000000000';
    await refused(id, 'merge', { duplicate: nobody }, 404, 'not-found');
    await refused(id, 'link', { other: nobody }, 404, 'not-found');
    await refused(id, 'merge', { duplicate: id }, 400, 'merge-with-itself');
    await refused(id, 'link', { other: id }, 400, 'link-to-itself');
    await refused(id, 'merge', { duplicate: 'T-100001' }, 400, 'bad-input');
    expect(await done(id, 'link', { other, kind: 'caused-by' })).toMatchObject({
      links: [{ other, kind: 'caused-by' }],
    });
    const merging = await alice.post(`/v1/tickets/${id}/merge`, { duplicate: other });
    expect(merging.body).toMatchObject({ merge: expect.any(String) });
    await refused(id, 'merge', { duplicate: other }, 409, 'merge-pending');
  });

  it('knows nothing of ids that it did not give', async () => {
    for (const id of ['01893f5a-0000-7000-8000-000000000000', 'T-100001', 'x', '%00'.replace('%00', '-')])
      for (const route of ['', '/timeline', '/clocks'])
        expect(problem(await alice.get(`/v1/tickets/${id}${route}`))).toEqual([404, 'not-found']);
    expect(problem(await alice.post('/v1/tickets/nope/close'))).toEqual([404, 'not-found']);
    expect(problem(await alice.get('/v1/queues/nobodys/items'))).toEqual([404, 'not-found']);
  });

  it('states its clocks at the server’s now', async () => {
    const id = await open({ occurredAt: '2026-01-05T10:00:00Z' }, gateway);
    const { status, body, headers } = await alice.get(`/v1/tickets/${id}/clocks`);
    expect(status).toBe(200);
    expect(headers.get('covenant-position')).toMatch(/^\d+$/);
    expect(Math.abs(Date.parse(body.at) - Date.now())).toBeLessThan(5_000);
    expect(body.clocks).toEqual([
      expect.objectContaining({ clock: 'first-response', breached: true, due: '2026-01-05T14:00:00Z' }),
      expect.objectContaining({ clock: 'resolution', breached: true, due: '2026-01-08T10:00:00Z' }),
    ]);
    expect(body.clocks[0].remaining).toBe(body.clocks[0].target - body.clocks[0].consumed);
    expect(body.clocks[0].remaining).toBeLessThan(0);
  });

  it('is acted on only as it was seen', async () => {
    const id = await open();
    const seen = (await alice.get(`/v1/tickets/${id}/clocks`)).headers.get('etag')!;
    const first = await alice.post(`/v1/tickets/${id}/prioritise`, { priority: 2 }, { 'if-match': seen });
    expect(first.status).toBe(200);
    const stale = await bob.post(`/v1/tickets/${id}/prioritise`, { priority: 4 }, { 'if-match': seen });
    expect(problem(stale)).toEqual([412, 'stale']);
    expect(stale.headers.get('etag')).toBe(first.headers.get('etag'));
    const anew = await bob.post(
      `/v1/tickets/${id}/prioritise`,
      { priority: 4 },
      { 'if-match': stale.headers.get('etag')! },
    );
    expect(anew.status).toBe(200);
    expect(
      (await bob.post(`/v1/tickets/${id}/prioritise`, { priority: 3 }, { 'if-match': '*' })).status,
    ).toBe(200);
    expect(problem(await bob.post(`/v1/tickets/${id}/close`, {}, { 'if-match': 'seven' }))).toEqual([
      400,
      'bad-request',
    ]);
  });

  it('shows its customer what was said to them, and not how the desk passed it around', async () => {
    const opened = await carol.post('/v1/tickets', { ...LEAST, channel: 'web' });
    expect(opened.status).toBe(201);
    const { id } = opened.body;
    await done(id, 'assign', { group: 'Network', agent: 'alice' });
    await done(id, 'messages', { kind: 'note', text: 'She always writes on Mondays.' });
    await done(id, 'messages', { text: 'Have you tried another cable?' });
    const last = await done(id, 'hold', { reason: 'requester', comment: 'Waiting for her, as ever.' });
    expect(last.customer).toMatchObject({ name: 'Globex' });

    const read = await carol.get(`/v1/tickets/${id}`);
    expect(Object.keys(read.body).sort()).toEqual([
      'channel',
      'closedAt',
      'id',
      'number',
      'openedAt',
      'priority',
      'promises',
      'rating',
      'requester',
      'resolvedAt',
      'status',
      'subject',
    ]);
    const timeline = await carol.get(`/v1/tickets/${id}/timeline`);
    expect(timeline.body.items.map((one: any) => one.type)).toEqual([
      'desk.ticket-opened.v1',
      'desk.message-sent.v1',
      'desk.ticket-held.v1',
    ]);
    for (const secret of ['Mondays', 'as ever', 'Network', 'alice'])
      expect(read.text + timeline.text).not.toContain(secret);
    expect((await carol.post(`/v1/tickets/${id}/messages`, { text: 'Yes.' })).status).toBe(201);
    expect(problem(await carol.post(`/v1/tickets/${id}/messages`, { text: 'x', kind: 'note' }))).toEqual([
      403,
      'not-permitted',
    ]);
    await done(id, 'resolve');
    expect((await carol.post(`/v1/tickets/${id}/rate`, { score: 5 })).status).toBe(200);
    expect(problem(await carol.get('/v1/tickets?agent=alice'))).toEqual([403, 'not-permitted']);
  });

  it('lets who asked under an address act once they come with a token that names it', async () => {
    const id = await open({ requester: { email: 'frank@initech.example' } });
    await done(id, 'resolve');
    const frank = await desk.as({
      role: 'customer',
      name: 'frank',
      email: 'Frank@initech.example',
      customer: 'Initech',
    });
    expect((await frank.get(`/v1/tickets/${id}`)).status).toBe(200);
    expect((await frank.post(`/v1/tickets/${id}/rate`, { score: 3 })).status).toBe(200);
  });
});
