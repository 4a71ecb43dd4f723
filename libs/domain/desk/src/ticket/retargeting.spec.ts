import { describe, expect, it } from '@jest/globals';
import { factOf, scenario } from '#kernel/testing';
import { instant, type Actor, type Instant, type Uuid } from '#kernel';
import { activation, builtIn, policies as policiesOf, type PolicyDefinition } from '#domain/sla';
import type { TicketCommand } from './ticket-commands.js';
import { ticketEvents } from './ticket-events.js';
import { ticket } from './ticket.js';

const HOUR = 3600;
const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const ALICE: Actor = { id: id(11), role: 'agent' };
/** 2 November 2026 was a Monday. */
const at = (time: string, day = 2): Instant => instant(`2026-11-${String(day).padStart(2, '0')}T${time}:00Z`);

const all = (firstResponse: number, resolution: number): PolicyDefinition['targets'] => {
  const row = { 'first-response': firstResponse, resolution };
  return { 1: row, 2: row, 3: row, 4: row };
};
const EVER = instant('1970-01-01T00:00:00Z');
const version = (number: number, effective: Instant, change: Partial<PolicyDefinition>) =>
  activation(
    { ...builtIn('UTC'), ...change },
    { name: 'default', version: number, source: 'desk', effective },
  );

// Monday to Friday 09:00 to 18:00 UTC; priority 3: first response 4 h, resolution 27 h; then other promises.
const policies = policiesOf([
  version(1, EVER, {}),
  version(2, at('12:00'), { targets: all(2 * HOUR, 9 * HOUR) }),
  version(3, at('12:00'), { targets: all(8 * HOUR, 18 * HOUR) }),
  version(4, at('12:00'), { calendar: { zone: 'UTC', always: true } }),
  version(5, at('12:00'), { pausedBy: { 'first-response': [], resolution: [] } }),
  version(6, at('12:00'), {
    targets: { ...builtIn('UTC').targets, 3: { ...all(1, 1)[3], 'first-response': HOUR } },
  }),
]);

type Of<T extends TicketCommand['type']> = Extract<TicketCommand, { readonly type: T }>;
function does<T extends TicketCommand['type']>(
  type: T,
  occurredAt: Instant,
  rest: Omit<Of<T>, 'type' | 'occurredAt' | 'by' | 'policies'>,
): TicketCommand {
  return { type, occurredAt, by: ALICE, policies, ...rest } as unknown as TicketCommand;
}
const open = (when: Instant, more: Partial<Of<'open-ticket'>> = {}): TicketCommand =>
  does('open-ticket', when, {
    number: 'T-100001',
    channel: 'phone',
    requester: id(10),
    tier: 'base',
    subject: 'printer',
    text: 'it burns',
    policy: 'default',
    importing: false,
    carriesMessages: true,
    ...more,
  });
const retargeted = (policy: string, when = at('12:00')): TicketCommand =>
  does('retarget-ticket', when, { policy });

const { given } = scenario(ticket, ticketEvents);
const dues = (came: ReturnType<ReturnType<typeof given>['when']>) =>
  factOf(came, 'desk.ticket-retargeted.v1').data.clocks.map(({ clock, due, consumed, policy, change }) => [
    clock,
    due,
    consumed,
    policy,
    change,
  ]);

describe('An open ticket whose policy has a new version', () => {
  it('keeps what is used up and is due by the new promise', () => {
    expect(dues(given(open(at('10:00'))).when(retargeted('default@2')))).toEqual([
      ['first-response', at('12:00'), 2 * HOUR, 'default@2', 'retargeted'],
      ['resolution', at('10:00', 3), 2 * HOUR, 'default@2', 'retargeted'],
    ]);
    expect(dues(given(open(at('10:00'))).when(retargeted('default@4')))[1]).toEqual([
      'resolution',
      at('13:00', 3),
      2 * HOUR,
      'default@4',
      'retargeted',
    ]);
  });

  it('is due at once where the new promise is used up already', () => {
    const came = given(open(at('10:00'))).when(retargeted('default@6'));
    expect(dues(came)[0]![1]).toBe(at('12:00'));
    const past = given(open(at('10:00')), retargeted('default@6'));
    expect(past.by(instant('2026-11-02T12:00:01Z')).map(({ type, at: when }) => [type, when])).toContainEqual(
      ['sla.clock-breached.v1', at('12:00')],
    );
  });

  it('has what it waits for judged by the new version', () => {
    const held = does('hold-ticket', at('11:00'), { reason: 'requester' });
    const came = given(open(at('10:00')), held).when(retargeted('default@5'));
    const [resolution] = factOf(came, 'desk.ticket-retargeted.v1').data.clocks.slice(-1);
    expect(resolution).toMatchObject({ state: 'running', consumed: HOUR, due: at('11:00', 5), reasons: [] });
  });

  it('is re-targeted once, whoever asks again', () => {
    const past = given(open(at('10:00')), retargeted('default@2'));
    expect(past.when(retargeted('default@2'))).toMatchObject({ facts: [] });
    const later = past.when(retargeted('default@2', at('13:00')));
    expect('facts' in later && later.facts.map(({ type }) => type)).toEqual(['sla.clock-breached.v1']);
  });

  it('comes to the same whether its priority changed before the desk got to it or after', () => {
    const raised = does('prioritise-ticket', at('13:00'), { priority: 1 });
    const late = given(open(at('10:00')), raised).when(retargeted('default@4'));
    const early = given(open(at('10:00')), retargeted('default@4')).when(raised);
    expect('state' in late && 'state' in early).toBe(true);
    const promised = (came: any) =>
      ['first-response', 'resolution'].map((clock) => ({ ...came.state.clocks[clock], change: '' }));
    expect(promised(late)).toEqual(promised(early));
  });

  it('has a breach annulled that fell after the version came into force and is none by it', () => {
    const noted = does('add-message', at('15:00'), {
      kind: 'note',
      channel: 'note',
      autoReply: false,
      text: 'x',
    });
    const past = given(open(at('10:00')), noted);
    expect(past.past.map(({ type }) => type)).toContain('sla.clock-breached.v1');
    const came = past.when(retargeted('default@3'));
    expect(factOf(came, 'sla.breach-annulled.v1').data).toMatchObject({
      clock: 'first-response',
      due: at('14:00'),
      cause: 'desk.ticket-retargeted.v1',
    });
    expect(dues(came)[0]!.slice(0, 2)).toEqual(['first-response', at('18:00')]);
  });

  it('is left alone where it is pinned to a version, is being taken in, or is not open', () => {
    const pinned = open(at('10:00'), { policy: 'default@1' });
    const importing = open(at('10:00'), { importing: true });
    for (const opened of [pinned, importing])
      expect(given(opened).when(retargeted('default@2'))).toMatchObject({ facts: [] });
    const resolved = given(open(at('10:00')), does('resolve-ticket', at('11:00'), { resolution: 'solved' }));
    expect(resolved.when(retargeted('default@2'))).toMatchObject({ refused: { code: 'already-resolved' } });
  });
});
