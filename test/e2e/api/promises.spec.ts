import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asPolicyGiven } from '#domain/sla';
import { everyPromise } from '#domain/sla/testing';
import { eventually } from '../../support/eventually.js';
import { after, LEAST, openCompany, type Client, type Company, type Desk } from './desk.js';

describe('Promises that a policy makes beside first response and resolution', () => {
  let company: Company;
  let desk: Desk;
  let alice: Client;
  let bob: Client;
  let carol: Client;

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    alice = await desk.as({ role: 'agent', name: 'alice' });
    bob = await desk.as({ role: 'agent', name: 'bob' });
    carol = await desk.as({ role: 'customer', name: 'carol', customer: 'Globex' });
    const [sam, uma] = await Promise.all(['sam', 'uma'].map((name) => desk.as({ role: 'supervisor', name })));
    const every = everyPromise('UTC');
    const definition = {
      ...every,
      targets: { ...every.targets, 3: { ...every.targets[3], resolution: 900 } },
      calendar: { zone: 'UTC', always: true as const },
      // Of 15 min the first share is used up after a second.
      warnAt: { resolution: [[1, 900] as const, [7, 8] as const] },
    };
    const { status, body } = await sam!.post('/v1/policies/default/proposals', asPolicyGiven(definition));
    expect([status, body.errors]).toEqual([201, undefined]);
    const done = await uma!.post(`/v1/policies/default/proposals/${body.proposal}/activate`, {
      openTickets: 'keep',
    });
    expect(done.status).toBe(200);
  });
  afterAll(() => company.close());

  const open = async (): Promise<string> =>
    (await carol.post('/v1/tickets', { ...LEAST, channel: 'web' })).body.id;
  const clocksOf = async (id: string): Promise<Map<string, any>> => {
    const { status, body } = await alice.get(`/v1/tickets/${id}/clocks`);
    expect(status).toBe(200);
    for (const { clock, agrees } of body.clocks) expect([clock, agrees]).toEqual([clock, true]);
    return new Map(body.clocks.map((clock: any) => [clock.clock, clock]));
  };

  it('are told with each command that moves them, and by the ticket and its clocks', async () => {
    const id = await open();
    const sent = await alice.post(`/v1/tickets/${id}/messages`, { text: 'We are on it.' });
    expect(sent.body.promises.map(({ clock, cycle, state }: any) => [clock, cycle, state])).toEqual([
      ['first-response', 1, 'met'],
      ['periodic-update', 2, 'running'],
    ]);
    const received = await carol.post(`/v1/tickets/${id}/messages`, { text: 'Still broken.' });
    expect(received.body.promises).toEqual([
      expect.objectContaining({ clock: 'next-response', cycle: 1, state: 'running' }),
    ]);
    const ticket = await alice.get(`/v1/tickets/${id}?${after(received)}`);
    expect(ticket.body.promises.map(({ clock }: any) => clock).sort()).toEqual([
      'first-response',
      'next-response',
      'periodic-update',
      'resolution',
    ]);
    const answered = await alice.post(`/v1/tickets/${id}/messages`, { text: 'Try now.' });
    expect(answered.body.promises.map(({ clock, cycle, state }: any) => [clock, cycle, state])).toEqual([
      ['next-response', 1, 'met'],
      ['periodic-update', 3, 'running'],
    ]);
    const clocks = await clocksOf(id);
    expect([...clocks.keys()]).toEqual(['first-response', 'next-response', 'resolution', 'periodic-update']);
    expect(clocks.get('periodic-update').ledger.map(({ kind }: any) => kind)).toContain('restarted');
  });

  it('has the receiver of a hand-over answer in time', async () => {
    const id = await open();
    const offered = await alice.post(`/v1/tickets/${id}/handover`, {
      agent: 'bob',
      reason: 'My shift ends.',
    });
    expect(offered.body.promises).toEqual([
      expect.objectContaining({ clock: 'hand-over-acceptance', state: 'running', target: 2 * 3600 }),
    ]);
    const accepted = await bob.post(`/v1/tickets/${id}/accept-handover`, {});
    expect([accepted.status, accepted.body.promises]).toEqual([
      200,
      [expect.objectContaining({ clock: 'hand-over-acceptance', state: 'met' })],
    ]);
  });

  it('warn: the warning is a line of the ledger, and a fact before the next command', async () => {
    const id = await open();
    const line = await eventually(async () => {
      const resolution = (await clocksOf(id)).get('resolution');
      return resolution.ledger.find(({ kind }: any) => kind === 'warned');
    });
    expect(line).toMatchObject({ numerator: 1, denominator: 900, sum: 1, event: null });
    const held = await alice.post(`/v1/tickets/${id}/hold`, { reason: 'requester' });
    const { body } = await alice.get(`/v1/tickets/${id}/timeline?${after(held)}`);
    expect(
      body.items.map(({ type }: any) => type).filter((type: string) => !type.startsWith('desk.message')),
    ).toEqual(['desk.ticket-opened.v1', 'sla.clock-warned.v1', 'desk.ticket-held.v1']);
    const { warnings } = (await clocksOf(id)).get('resolution');
    expect(warnings).toEqual([
      { numerator: 1, denominator: 900, at: line.from, fired: true },
      { numerator: 7, denominator: 8, at: null, fired: false },
    ]);
  });
});
