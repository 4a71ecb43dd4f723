import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mintToken, type TokenClaims } from '#edge';
import { eventually } from './eventually.js';

/** A desk as strangers meet it: its addresses, and the secret that tokens are signed with. It must be empty. */
export interface WalkedDesk {
  /** Where tickets, analytics and knowledge are asked for: one place, or one each. */
  at(part: Part): string;
  readonly authSecret: string;
  close(): Promise<void>;
}

export type Part = 'api' | 'analytics' | 'knowledge-base';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

/** Milliseconds until what nobody asked for must have followed: breaches, other halves of merges, counts. */
const PATIENCE = { within: 60_000, every: 100 } as const;

const DAY_MS = 86_400_000;
/** What all of the walk comes to. */
const COUNTED = {
  opened: 3,
  answered: 1,
  resolved: 2,
  reopened: 1,
  merged: 1,
  breached: 2,
  firstResponseBreached: 1,
  resolutionBreached: 1,
} as const;
const PRINTER = {
  subject: 'Printer prints blank pages',
  text: 'Since this morning, on floor 3.',
  channel: 'phone',
  priority: 2,
} as const;
const CAROL = { name: 'Carol Jones', email: 'carol@globex.example' } as const;

/**
 * Walks tickets through a whole desk over HTTP, as strangers would, from the first call to what downstream
 * makes of it; however its processes are spread, the walk is the same. One test a stretch, each building on
 * those before.
 */
export function walkThroughDesk(name: string, open: () => Promise<WalkedDesk>): void {
  describe(`Tickets that walk through ${name}`, () => {
    let desk: WalkedDesk;
    let alice: Client;
    let bob: Client;
    let gateway: Client;
    let carol: Client;
    let figures: Client;
    let knowledge: Client;
    /** Ids of the tickets, by what they are about. */
    const ids: Record<'printer' | 'sound' | 'overdue', string> = { printer: '', sound: '', overdue: '' };

    beforeAll(async () => {
      desk = await open();
      const as = async (claims: TokenClaims, part: Part = 'api'): Promise<Client> =>
        new Client(desk.at(part), await mintToken(Buffer.from(desk.authSecret), claims));
      [alice, bob, gateway, carol] = await Promise.all([
        as({ role: 'agent', name: 'alice' }),
        as({ role: 'agent', name: 'bob' }),
        as({ role: 'integration', name: 'gateway' }),
        as({ role: 'customer', name: 'carol', email: CAROL.email, customer: 'Globex' }),
      ]);
      const sam = { role: 'supervisor', name: 'sam' } as const;
      [figures, knowledge] = await Promise.all([as(sam, 'analytics'), as(sam, 'knowledge-base')]);
    }, 180_000);
    afterAll(() => desk?.close(), 60_000);

    it('are opened with what was promised, once however often they are asked for, and wait in the intake', async () => {
      const key = { 'idempotency-key': 'the-printer' };
      const opened = await alice.post(
        '/v1/tickets',
        { ...PRINTER, requester: CAROL, customer: 'Globex' },
        key,
      );
      expect(opened).toMatchObject({
        status: 201,
        body: {
          number: expect.stringMatching(/^T-\d+$/),
          promises: [
            { clock: 'first-response', state: 'running', target: 3600 },
            { clock: 'resolution', state: 'running', target: 9 * 3600 },
          ],
        },
      });
      ids.printer = opened.body.id;
      const again = await alice.post(
        '/v1/tickets',
        { ...PRINTER, requester: CAROL, customer: 'Globex' },
        key,
      );
      expect([again.status, again.body]).toEqual([201, opened.body]);
      const queue = await alice.get(`/v1/queues/intake/items?${after(opened)}`);
      expect(queue.body.items).toEqual([
        expect.objectContaining({
          ticket: ids.printer,
          number: opened.body.number,
          subject: PRINTER.subject,
        }),
      ]);
    });

    it('go to a group and an agent, are answered, wait for their requester and go on', async () => {
      const { printer } = ids;
      await done(alice, printer, 'classify', { category: 'Hardware', subcategory: 'Printer' });
      const assigned = await done(alice, printer, 'assign', { group: 'Hardware', agent: 'bob' });
      const intake = await alice.get(`/v1/queues/intake/items?${after(assigned)}`);
      expect(intake.body.items).toEqual([]);
      const queue = await alice.get('/v1/queues/hardware/items?standing=assigned');
      expect(queue.body.items).toEqual([expect.objectContaining({ ticket: printer })]);

      await done(bob, printer, 'messages', { text: 'Have you tried another cartridge?' });
      const held = await done(bob, printer, 'hold', { reason: 'requester' });
      expect(held.body.promises).toEqual([expect.objectContaining({ clock: 'resolution', state: 'paused' })]);
      const back = await done(carol, printer, 'messages', { text: 'Yes. Blank all the same.' });
      const read = await bob.get(`/v1/tickets/${printer}?${after(back)}`);
      expect(read.body).toMatchObject({
        status: 'open',
        holds: [],
        requester: CAROL,
        group: { name: 'Hardware' },
        agent: { name: 'bob' },
        promises: [
          { clock: 'first-response', state: 'met' },
          { clock: 'resolution', state: 'running' },
        ],
      });
    });

    it('are resolved, reopened, resolved again and rated, and their timeline says so in order', async () => {
      const { printer } = ids;
      await done(bob, printer, 'resolve', { resolution: 'solved', comment: 'New drum.' });
      await done(carol, printer, 'reopen', { reason: 'Blank again.' });
      await done(bob, printer, 'resolve', { resolution: 'solved', comment: 'New board.' });
      await done(carol, printer, 'rate', { score: 4 });
      const last = await done(bob, printer, 'close', {});
      const timeline = await bob.get(`/v1/tickets/${printer}/timeline?${after(last)}`);
      expect(timeline.body.items.map(({ type }: { type: string }) => type)).toEqual([
        'desk.ticket-opened.v1',
        'desk.ticket-classified.v1',
        'desk.ticket-assigned.v1',
        'desk.message-sent.v1',
        'desk.ticket-held.v1',
        'desk.message-received.v1',
        'desk.ticket-resumed.v1',
        'desk.ticket-resolved.v1',
        'desk.ticket-reopened.v1',
        'desk.ticket-resolved.v1',
        'desk.ticket-rated.v1',
        'desk.ticket-closed.v1',
      ]);
      expect(timeline.body.items.map(({ revision }: { revision: number }) => revision)).toEqual(
        timeline.body.items.map((_: unknown, i: number) => i),
      );
      expect(timeline.body.items[3]).toMatchObject({
        actor: { role: 'agent', name: 'bob' },
        text: { text: 'Have you tried another cartridge?' },
      });
      const theirs = await carol.get(`/v1/tickets/${printer}/timeline`);
      expect(theirs.body.items.map(({ type }: { type: string }) => type)).not.toContain(
        'desk.ticket-assigned.v1',
      );
    });

    it('that nobody answers breach their promises at the due instants, without anybody asking', async () => {
      const occurredAt = new Date(Date.now() - 20 * DAY_MS).toISOString();
      const opened = await gateway.post('/v1/tickets', {
        ...PRINTER,
        subject: 'Nobody looked at this',
        occurredAt,
      });
      expect(opened.status).toBe(201);
      const { id, promises } = opened.body;
      ids.overdue = id;
      const breaches = await eventually(
        async () => {
          const { body } = await alice.get(`/v1/tickets/${id}/timeline`);
          const found = body.items.filter(({ type }: { type: string }) => type === 'sla.clock-breached.v1');
          return found.length === 2 && found;
        },
        { ...PATIENCE, what: 'both promises breached' },
      );
      for (const [i, breach] of breaches.entries()) {
        const { clock, due } = promises[i];
        expect(breach).toMatchObject({ occurredAt: due, actor: { role: 'system' }, data: { clock, due } });
        expect(Date.parse(breach.recordedAt)).toBeGreaterThan(Date.parse(due));
      }
      const clocks = await alice.get(`/v1/tickets/${id}/clocks`);
      expect(clocks.body.clocks).toEqual([
        expect.objectContaining({ clock: 'first-response', breached: true, breachedAt: promises[0].due }),
        expect.objectContaining({ clock: 'resolution', breached: true, breachedAt: promises[1].due }),
      ]);
      for (const { ledger, target, agrees } of clocks.body.clocks) {
        expect(agrees).toBe(true);
        // Where the sum first reaches what was promised, there stands the breach, by the event that says so.
        const breach = ledger.find(({ kind }: { kind: string }) => kind === 'breached');
        expect(breach).toMatchObject({
          from: expect.any(String),
          sum: target,
          type: 'sla.clock-breached.v1',
        });
        expect(breaches.map(({ revision }: { revision: number }) => revision)).toContain(breach.revision);
      }
      const first = await alice.get('/v1/queues/intake/items');
      expect(first.body.items[0]).toMatchObject({ ticket: id });
    });

    it('that turn out to be about the same are merged, the other half without anybody asking', async () => {
      const opened = await alice.post('/v1/tickets', { ...PRINTER, subject: 'No sound', priority: 4 });
      ids.sound = opened.body.id;
      const { sound, overdue } = ids;
      await done(alice, overdue, 'merge', { duplicate: sound });
      await eventually(
        async () => {
          const [one, other] = await Promise.all([
            alice.get(`/v1/tickets/${overdue}`),
            alice.get(`/v1/tickets/${sound}`),
          ]);
          expect(one.body).toMatchObject({ merged: [sound], pendingMerge: null });
          expect(other.body).toMatchObject({ status: 'merged', mergedInto: overdue });
          return true;
        },
        { ...PATIENCE, what: 'the merge was completed' },
      );
    });

    it('are refused whole where a request is wrong, and shown to nobody whose they are not', async () => {
      const before = await alice.get('/v1/tickets?limit=100');
      expect(before.body.items).toHaveLength(3);
      const wrong = await alice.post('/v1/tickets', { ...PRINTER, channel: 'pigeon' });
      expect(wrong).toMatchObject({ status: 400, body: { code: 'bad-input' } });
      const foreign = await carol.get(`/v1/tickets/${ids.overdue}`);
      expect(foreign).toMatchObject({ status: 404, body: { code: 'not-found' } });
      expect((await new Client(desk.at('api'), 'none').get('/v1/tickets')).status).toBe(401);
      expect((await alice.get('/v1/tickets?limit=100')).body).toEqual(before.body);
    });

    it('are counted by day, tier and channel, once each, by who reads nothing but what was published', async () => {
      await eventually(
        async () => {
          const { status, body } = await figures.get('/v1/analytics/tickets?by=tier,channel');
          expect(status).toBe(200);
          expect(body.items).toEqual([
            expect.objectContaining({ tier: 'base', channel: 'phone', ...COUNTED }),
          ]);
          return true;
        },
        { ...PATIENCE, what: 'everything was counted' },
      );
      const { body } = await figures.get('/v1/analytics/tickets?by=day');
      expect(body.total).toMatchObject(COUNTED);
      expect(body.items[0]).toMatchObject({ opened: 1, answered: 0, resolved: 0 });
      expect(body.items[0].day < body.items.at(-1).day).toBe(true);
    });

    it('become candidates for an article where they were resolved, under their category, without a word of theirs', async () => {
      const candidates = await eventually(
        async () => {
          const { status, body } = await knowledge.get('/v1/knowledge/candidates?category=Hardware');
          expect(status).toBe(200);
          return body.items.length > 0 && body;
        },
        { ...PATIENCE, what: 'there was a candidate' },
      );
      expect(candidates.items).toEqual([
        expect.objectContaining({
          ticket: ids.printer,
          category: { id: expect.any(String), name: 'Hardware' },
          resolution: 'solved',
        }),
      ]);
      for (const word of ['Printer', 'blank', 'Carol', 'drum', 'board'])
        expect(JSON.stringify(candidates)).not.toContain(word);
    });
  });
}

/** The position that an answer names, as a query: reads see what was done up to it. */
const after = ({ headers }: Answer): string => `after=${headers.get('covenant-position')}`;

async function done(client: Client, ticket: string, command: string, body: object): Promise<Answer> {
  const answer = await client.post(`/v1/tickets/${ticket}/${command}`, body);
  expect([command, answer.status, answer.body.code]).toEqual([
    command,
    command === 'messages' ? 201 : 200,
    undefined,
  ]);
  return answer;
}

class Client {
  constructor(
    private readonly address: string,
    private readonly token: string,
  ) {}

  get = (path: string): Promise<Answer> => this.ask('GET', path);
  post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    this.ask('POST', path, body, headers);

  private async ask(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const answer = await fetch(this.address + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  }
}
