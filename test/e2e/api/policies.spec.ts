import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asPolicyGiven, builtIn } from '#domain/sla';
import { eventually } from '../../support/eventually.js';
import { PolicyRetargeter } from '../../../apps/timekeeper/src/policy-retargeter.js';
import { after, LEAST, openCompany, type Client, type Company, type Desk } from './desk.js';

const HOUR = 3600;
const KEEP = { openTickets: 'keep' };
const MINUTE = 60;

/** The built-in policy with other targets for priority 3. */
const sooner = (firstResponse: number, resolution: number) => {
  const given = asPolicyGiven(builtIn('UTC'));
  return {
    ...given,
    targets: given.targets.map((row) =>
      row.priority !== 3 ? row : { ...row, target: row.clock === 'resolution' ? resolution : firstResponse },
    ),
  };
};

describe('Making policies', () => {
  let company: Company;
  let desk: Desk;
  let sam: Client;
  let uma: Client;
  let alice: Client;

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    sam = await desk.as({ role: 'supervisor', name: 'sam' });
    uma = await desk.as({ role: 'supervisor', name: 'uma' });
    alice = await desk.as({ role: 'agent', name: 'alice' });
  });
  afterAll(() => company.close());

  const head = async () => (await desk.house.store.head()).position;
  const propose = async (body: object, by = sam): Promise<string> => {
    const { status, body: answer } = await by.post('/v1/policies/default/proposals', body);
    expect([status, answer.code]).toEqual([201, undefined]);
    return answer.proposal as string;
  };
  const decide = (proposal: string, what: 'activate' | 'withdraw', by: Client, body = {}, headers = {}) =>
    by.post(`/v1/policies/default/proposals/${proposal}/${what}`, body, headers);
  const inForce = async () => (await alice.get('/v1/policies/default')).body.inForce;

  it('begins with the built-in one', async () => {
    const { status, body } = await alice.get('/v1/policies');
    expect(status).toBe(200);
    expect(body.items).toEqual([
      { name: 'default', inForce: 'default@1', versions: 1, pending: 0 },
      { name: 'import-default', inForce: null, versions: 0, pending: 0 },
    ]);
    expect(await inForce()).toMatchObject({
      ref: 'default@1',
      source: 'built-in',
      activatedBy: null,
      approval: null,
      definition: { calendar: { zone: 'UTC' }, reopenWithinDays: 5 },
    });
  });

  it('takes two people: one proposes, another activates, and tickets are promised by it from then on', async () => {
    const before = (await alice.post('/v1/tickets', LEAST)).body;
    const given = sooner(2 * HOUR, 9 * HOUR);
    const proposal = await propose({ ...given, comment: 'Customers wait too long.' });

    const position = await head();
    const read = await uma.get(`/v1/policies/default/proposals/${proposal}?after=${position}`);
    expect(read.body).toMatchObject({
      id: proposal,
      policy: 'default',
      status: 'pending',
      proposedBy: { name: 'sam' },
      comment: 'Customers wait too long.',
      decidedAt: null,
      version: null,
      definition: given,
    });

    const own = await decide(proposal, 'activate', sam, KEEP);
    expect([own.status, own.body.code]).toEqual([403, 'activation-by-author']);
    const samElsewhere = await desk.as({ role: 'administrator', name: 'Sam' });
    expect((await decide(proposal, 'activate', samElsewhere, KEEP)).body.code).toBe('activation-by-author');
    expect((await inForce()).ref).toBe('default@1');

    const done = await decide(proposal, 'activate', uma, KEEP);
    expect([done.status, done.body]).toEqual([
      200,
      expect.objectContaining({ policy: 'default', proposal, version: 'default@2', approval: 'two' }),
    ]);
    const opened = (await alice.post('/v1/tickets', LEAST)).body;
    expect(opened.promises.map(({ clock, target, policy }: any) => [clock, target, policy])).toEqual([
      ['first-response', 2 * HOUR, 'default@2'],
      ['resolution', 9 * HOUR, 'default@2'],
    ]);

    const { body } = await alice.get(`/v1/policies/default?${after(done)}`);
    expect(body).toMatchObject({
      name: 'default',
      inForce: { ref: 'default@2', definition: given },
      versions: [
        { ref: 'default@1' },
        { ref: 'default@2', proposedBy: { name: 'sam' }, activatedBy: { name: 'uma' }, approval: 'two' },
      ],
      proposals: [],
    });
    expect((await alice.get('/v1/policies/default/versions/1')).body.definition.targets).toEqual(
      asPolicyGiven(builtIn('UTC')).targets,
    );

    // Who was promised something keeps it, until the priority changes.
    const kept = await alice.post(`/v1/tickets/${before.id}/hold`, { reason: 'requester' });
    expect(kept.body.promises[0]).toMatchObject({ policy: 'default@1', target: 27 * HOUR });
    await alice.post(`/v1/tickets/${before.id}/resume`, {});
    const moved = await alice.post(`/v1/tickets/${before.id}/prioritise`, { priority: 2 });
    expect(moved.body.promises.map(({ policy }: any) => policy)).toEqual(['default@2', 'default@2']);
  });

  it('has another process promise by a version within seconds, and know it at once where a ticket names it', async () => {
    const other = await company.open({ projector: false });
    const bob = await other.as({ role: 'agent', name: 'bob' });
    const proposal = await propose(sooner(90 * MINUTE, 8 * HOUR));
    const { version } = (await decide(proposal, 'activate', uma, KEEP)).body;
    const { id } = (await alice.post('/v1/tickets', LEAST)).body;
    const held = await bob.post(`/v1/tickets/${id}/hold`, { reason: 'requester' });
    expect([held.status, held.body.promises?.[0]?.policy]).toEqual([200, version]);
    await eventually(async () => {
      const { promises } = (await bob.post('/v1/tickets', LEAST)).body;
      return promises[0].policy === version;
    });
  }, 30_000);

  it('gives a version a date of its own, now or later', async () => {
    const proposal = await propose(sooner(HOUR, 8 * HOUR));
    const past = await decide(proposal, 'activate', uma, { ...KEEP, effective: '2020-01-01T00:00:00Z' });
    expect([past.status, past.body.code]).toEqual([400, 'effective-in-past']);
    const before = await inForce();
    const later = await decide(proposal, 'activate', uma, { ...KEEP, effective: '2099-01-01T00:00:00Z' });
    expect(later.body).toMatchObject({ effective: '2099-01-01T00:00:00Z' });
    expect((await inForce()).ref).toBe(before.ref);
    expect((await alice.post('/v1/tickets', LEAST)).body.promises[0].policy).toBe(before.ref);
  });

  it('decides a proposal once', async () => {
    const proposal = await propose(sooner(HOUR, 8 * HOUR));
    expect((await decide(proposal, 'withdraw', sam)).status).toBe(200);
    const again = await decide(proposal, 'withdraw', sam);
    expect([again.status, again.body.code]).toEqual([409, 'proposal-withdrawn']);
    expect((await decide(proposal, 'activate', uma, KEEP)).body.code).toBe('proposal-withdrawn');
    const read = await uma.get(`/v1/policies/default/proposals/${proposal}`);
    expect(read.body).toMatchObject({ status: 'withdrawn', decidedBy: { name: 'sam' }, version: null });
  });

  it('is activated once where two activate it at the same instant, in two processes', async () => {
    const other = await company.open({ projector: false });
    const ursula = await other.as({ role: 'administrator', name: 'ursula' });
    const proposal = await propose(sooner(2 * HOUR, 8 * HOUR));
    const before = (await alice.get('/v1/policies/default')).body.versions.length;
    const answers = await Promise.all(
      [uma, ursula, uma, ursula].map((each) => decide(proposal, 'activate', each, KEEP)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    for (const { status, body } of answers) if (status === 409) expect(body.code).toBe('proposal-activated');
    expect((await alice.get('/v1/policies/default')).body.versions).toHaveLength(before + 1);
  });

  it('does what is repeated under a key once, and nothing on a policy that changed meanwhile', async () => {
    const body = sooner(3 * HOUR, 8 * HOUR);
    const post = (more: object, headers: object) =>
      sam.post('/v1/policies/default/proposals', { ...body, ...more }, { ...headers });
    const first = await post({}, { 'idempotency-key': 'one' });
    const position = await head();
    const second = await post({}, { 'idempotency-key': 'one' });
    expect(second.body).toEqual(first.body);
    expect(await head()).toBe(position);
    const other = await post({ comment: 'Other.' }, { 'idempotency-key': 'one' });
    expect([other.status, other.body.code]).toEqual([422, 'key-reused']);

    const { headers } = await uma.get('/v1/policies/default');
    const etag = headers.get('etag')!;
    await propose(body);
    const { proposal } = first.body;
    const stale = await decide(proposal, 'activate', uma, KEEP, { 'if-match': etag });
    expect([stale.status, stale.body.code]).toEqual([412, 'stale']);
    const done = await decide(proposal, 'activate', uma, KEEP, { 'idempotency-key': 'two' });
    const repeated = await decide(proposal, 'activate', uma, KEEP, { 'idempotency-key': 'two' });
    expect([repeated.status, repeated.body]).toEqual([200, done.body]);
  });

  it('refuses at once all that a policy may not say, and records nothing', async () => {
    const before = await head();
    const given = sooner(0, 8 * HOUR);
    const wrong = await sam.post('/v1/policies/default/proposals', {
      ...given,
      calendar: {
        zone: 'Mars/Base',
        weekly: [
          { days: [1], from: '09:00', to: '18:00' },
          { days: [1], from: '17:00', to: '19:00' },
        ],
      },
      reopenWithinDays: 0,
    });
    expect([wrong.status, wrong.body.code]).toEqual([400, 'bad-input']);
    expect(wrong.body.errors.map(({ field }: any) => field)).toEqual([
      'calendar.zone',
      expect.stringMatching(/^targets\[\d\]\.target$/),
      'reopenWithinDays',
    ]);
    const without = { ...given, targets: given.targets.slice(1) };
    const undefinedTarget = await sam.post('/v1/policies/default/proposals', without);
    expect(undefinedTarget.body.errors[0]).toMatchObject({ field: 'targets.1.first-response' });
    for (const body of [{}, { policy: 'x' }, { ...given, calendar: 'always' }])
      expect((await sam.post('/v1/policies/default/proposals', body)).body.code).toBe('bad-input');
    const never = { zone: 'UTC', open: [{ date: '2020-01-01', from: '09:00', to: '18:00' }] };
    const closed = await sam.post('/v1/policies/default/proposals', { ...sooner(60, 60), calendar: never });
    expect([closed.status, closed.body.code]).toEqual([400, 'bad-policy']);
    expect(await head()).toBe(before);
  });

  it('knows the policies of the desk and no other', async () => {
    for (const path of [
      '/v1/policies/gold',
      '/v1/policies/default/versions/99',
      '/v1/policies/default/versions/x',
    ])
      expect((await uma.get(path)).body.code).toBe('not-found');
    expect((await sam.post('/v1/policies/gold/proposals', sooner(60, 60))).body.code).toBe('not-found');
  });

  it('moves the due instants of open tickets as the preview showed, where it was activated for them', async () => {
    const company = await openCompany();
    const desk = await company.open();
    const retargeter = new PolicyRetargeter(desk.house);
    try {
      const [sam, uma, alice] = await Promise.all([
        desk.as({ role: 'supervisor', name: 'sam' }),
        desk.as({ role: 'supervisor', name: 'uma' }),
        desk.as({ role: 'agent', name: 'alice' }),
      ]);
      const ids: string[] = [];
      for (let n = 0; n < 5; n++) ids.push((await alice.post('/v1/tickets', LEAST)).body.id);
      await alice.post(`/v1/tickets/${ids[1]}/hold`, { reason: 'requester' });
      await alice.post(`/v1/tickets/${ids[2]}/messages`, { text: 'On it.' });
      await alice.post(`/v1/tickets/${ids[3]}/prioritise`, { priority: 1 });
      const last = await alice.post(`/v1/tickets/${ids[4]}/resolve`, {});

      const { proposal } = (await sam.post('/v1/policies/default/proposals', sooner(8 * HOUR, 40 * HOUR)))
        .body;
      const path = `/v1/policies/default/proposals/${proposal}/preview`;
      const effective = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_000)
        .toISOString()
        .replace('.000', '');
      const whole = await uma.get(`${path}?effective=${effective}&${after(last)}`);
      expect([whole.status, whole.body.code]).toEqual([200, undefined]);
      expect(whole.body).toMatchObject({ policy: 'default', proposal, effective, next: null });
      // One is resolved, one of another priority, one on hold, one answered.
      expect(whole.body.summary).toMatchObject({
        tickets: 4,
        promises: 7,
        movedTickets: 3,
        movedDues: 4,
        earlier: 0,
        later: 4,
        atOnce: 0,
      });
      const { seconds } = whole.body.summary;
      expect(seconds.least).toBeGreaterThanOrEqual(4 * HOUR);
      expect(seconds.median).toBeGreaterThanOrEqual(seconds.least);
      expect(seconds.greatest).toBeGreaterThanOrEqual(13 * HOUR);
      expect(whole.body.items.map(({ ticket }: any) => ticket)).toEqual([ids[0], ids[1], ids[2]]);

      const paged: any[] = [];
      for (let query = `?limit=1&effective=${effective}`; query !== '';) {
        const page = await uma.get(`${path}${query}`);
        expect(page.status).toBe(200);
        expect(page.body.summary === null).toBe(paged.length > 0);
        paged.push(...page.body.items);
        query = page.body.next === null ? '' : `?limit=1&cursor=${page.body.next}`;
      }
      expect(paged).toEqual(whole.body.items);

      const done = await uma.post(`/v1/policies/default/proposals/${proposal}/activate`, {
        openTickets: 'retarget',
        effective,
      });
      expect(done.body).toMatchObject({ version: 'default@2', effective });
      retargeter.onApplicationBootstrap();
      const duesOf = async (id: string) =>
        new Map<string, any>(
          (await alice.get(`/v1/tickets/${id}`)).body.promises.map((each: any) => [each.clock, each]),
        );
      await eventually(async () => (await duesOf(ids[3]!)).get('resolution').policy === 'default@2', {
        within: 30_000,
      });
      for (const { ticket, dues } of whole.body.items) {
        const promises = await eventually(async () => {
          const known = await duesOf(ticket);
          return known.get('resolution').policy === 'default@2' && known;
        });
        for (const { clock, to } of dues) expect([clock, promises.get(clock).due]).toEqual([clock, to]);
      }
      const timeline = await alice.get(`/v1/tickets/${ids[0]}/timeline`);
      expect(timeline.body.items.at(-1)).toMatchObject({
        type: 'desk.ticket-retargeted.v1',
        occurredAt: effective,
        actor: { role: 'system' },
      });
      const clocks = (await alice.get(`/v1/tickets/${ids[0]}/clocks`)).body.clocks;
      for (const clock of clocks) expect([clock.clock, clock.agrees]).toEqual([clock.clock, true]);
      expect((await duesOf(ids[4]!)).get('resolution').policy).toBe('default@1');

      const past = await uma.get(`${path}?effective=2020-01-01T00:00:00Z`);
      expect([past.status, past.body.code]).toEqual([400, 'bad-input']);
      expect((await uma.get(`${path}?cursor=x`)).body.code).toBe('bad-input');
    } finally {
      await retargeter.onApplicationShutdown();
      await company.close();
    }
  }, 60_000);

  it('takes one person where the desk said so, and says that it was one', async () => {
    const small = await openCompany();
    try {
      const shop = await small.open({ env: { APPROVALS: 'one' } });
      const sol = await shop.as({ role: 'supervisor', name: 'sol' });
      const { proposal } = (await sol.post('/v1/policies/default/proposals', sooner(HOUR, 8 * HOUR))).body;
      const done = await sol.post(`/v1/policies/default/proposals/${proposal}/activate`, KEEP);
      expect(done.body).toMatchObject({ version: 'default@2', approval: 'one' });
    } finally {
      await small.close();
    }
  });
});
