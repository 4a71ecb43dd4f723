import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { scenario, factOf } from '#kernel/testing';
import {
  instant,
  toInstant,
  toSeconds,
  type Actor,
  type Instant,
  type PersonId,
  type Term,
  type Uuid,
} from '#kernel';
import { activation, builtIn, CLOCKS, policies as policiesOf, type ClockName } from '#domain/sla';
import { everyPromise } from '#domain/sla/testing';
import { TICKET_REFUSALS, type TicketCommand, type TicketRefusalCode } from './ticket-commands.js';
import { ticketEvents } from './ticket-events.js';
import { ticket, type TicketState } from './ticket.js';

// Monday to Friday 09:00 to 18:00 UTC; priority 3: first response 4 h, resolution 27 h of open time.
const EVER = instant('1970-01-01T00:00:00Z');
const policies = policiesOf([
  activation(builtIn('UTC'), { name: 'default', version: 1, source: 'built-in', effective: EVER }),
  activation(everyPromise('UTC'), { name: 'every', version: 1, source: 'desk', effective: EVER }),
]);
const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const term = (n: number): Term => ({ id: id(n), of: id(1), text: `term ${n}` });

const REQUESTER: PersonId = id(10);
const ALICE: Actor = { id: id(11), role: 'agent' };
const BOB: Actor = { id: id(12), role: 'agent' };
const CUSTOMER: Actor = { id: REQUESTER, role: 'customer' };
const SELF = id(100);

/** 2 November 2026 was a Monday. */
const at = (time: string, day = 2): Instant => instant(`2026-11-${String(day).padStart(2, '0')}T${time}:00Z`);

type Of<T extends TicketCommand['type']> = Extract<TicketCommand, { readonly type: T }>;
function does<T extends TicketCommand['type']>(
  type: T,
  occurredAt: Instant,
  rest: Omit<Of<T>, 'type' | 'occurredAt' | 'by' | 'policies'>,
  by: Actor = ALICE,
): TicketCommand {
  return { type, occurredAt, by, policies, ...rest } as unknown as TicketCommand;
}

const open = (when: Instant = at('09:00'), more: Partial<Of<'open-ticket'>> = {}): TicketCommand =>
  does('open-ticket', when, {
    number: 'T-100001',
    channel: 'phone',
    requester: REQUESTER,
    tier: 'base',
    subject: 'printer',
    text: 'it burns',
    policy: 'default',
    importing: false,
    carriesMessages: true,
    ...more,
  });
const answer = (when: Instant, autoReply = false): TicketCommand =>
  does('add-message', when, { kind: 'sent', channel: 'e-mail', autoReply, text: 'we are on it' });
const hears = (when: Instant, autoReply = false): TicketCommand =>
  does('add-message', when, { kind: 'received', channel: 'e-mail', autoReply, text: 'hello?' }, CUSTOMER);
const holds = (when: Instant, reason: 'requester' | 'vendor' = 'requester'): TicketCommand =>
  does('hold-ticket', when, { reason });
const resumes = (when: Instant): TicketCommand => does('resume-ticket', when, {});
const resolves = (when: Instant): TicketCommand => does('resolve-ticket', when, { resolution: 'solved' });
const reopens = (when: Instant): TicketCommand => does('reopen-ticket', when, {});
const closes = (when: Instant): TicketCommand => does('close-ticket', when, {});

const { given } = scenario(ticket, ticketEvents);
const clockOf = <N extends ClockName>(state: TicketState, name: N) => {
  if (state.status === 'none') throw new Error('no ticket');
  return state.clocks[name];
};

describe('A ticket', () => {
  it('states at opening what was promised', () => {
    const { data } = factOf(given().when(open(at('09:00'))), 'desk.ticket-opened.v1');
    expect(data.clocks.map(({ clock, state, due, policy }) => [clock, state, due, policy])).toEqual([
      ['first-response', 'running', at('13:00'), 'default@1'],
      ['resolution', 'running', at('18:00', 4), 'default@1'],
    ]);
  });

  it('without a priority is 3 normal', () => {
    expect(factOf(given().when(open()), 'desk.ticket-opened.v1').data.priority).toBe(3);
  });

  it('opened out of hours starts its clocks at the next opening', () => {
    const { data } = factOf(given().when(open(at('12:00', 7))), 'desk.ticket-opened.v1');
    expect(data.clocks[0]!.due).toBe(at('13:00', 9));
  });

  it('seals what was typed under the requester, whoever typed it', () => {
    const { data } = factOf(given(open()).when(answer(at('10:00'))), 'desk.message-sent.v1');
    expect(data.text).toEqual({ of: REQUESTER, text: 'we are on it' });
    expect(data.author).toBe(ALICE.id);
  });
});

describe('First response', () => {
  it('is met by the first public answer of a person, at the due instant too', () => {
    const came = given(open()).when(answer(at('13:00')));
    expect(factOf(came, 'desk.message-sent.v1').data.clocks).toMatchObject([
      { clock: 'first-response', state: 'met', breachedAt: null },
    ]);
  });

  it('is not met by an automatic reply, a note, or the requester', () => {
    const note = does('add-message', at('09:30'), {
      kind: 'note',
      channel: 'note',
      autoReply: false,
      text: 'hm',
    });
    const { state } = given(open(), answer(at('09:10'), true), note, hears(at('09:40')));
    expect(clockOf(state, 'first-response').state).toBe('running');
  });

  it('a second late records the breach first, and then that it was missed', () => {
    const late = instant('2026-11-02T13:00:01Z');
    const came = given(open()).when(answer(late));
    if ('refused' in came) throw new Error(came.refused.code);
    expect(came.facts.map(({ type, at: when }) => [type, when])).toEqual([
      ['sla.clock-breached.v1', at('13:00')],
      ['desk.message-sent.v1', late],
    ]);
    expect(clockOf(came.state, 'first-response')).toMatchObject({ state: 'missed', breachedAt: at('13:00') });
  });

  it('ends as not applicable when the ticket is resolved without an answer', () => {
    const { state } = given(open(), resolves(at('10:00')));
    expect(clockOf(state, 'first-response')).toMatchObject({ state: 'not-applicable', breachedAt: null });
  });

  it('stays missed when its breach was recorded before the resolve', () => {
    const { state } = given(open(), resolves(at('15:00')));
    expect(clockOf(state, 'first-response')).toMatchObject({ state: 'missed', breachedAt: at('13:00') });
  });

  it('that ended as not applicable is revived by a reopen, consumption kept', () => {
    const { state } = given(open(), resolves(at('10:00')), reopens(at('11:00')));
    expect(clockOf(state, 'first-response')).toMatchObject({
      state: 'running',
      consumed: 3600,
      due: at('14:00'),
    });
  });

  it('is not evidenced where the history carries no messages, and never breaches', () => {
    const past = given(open(at('09:00'), { carriesMessages: false }));
    expect(clockOf(past.state, 'first-response')).toMatchObject({ state: 'not-evidenced', due: null });
    expect(past.by(at('17:00', 3))).toEqual([]);
    expect(
      clockOf(
        given(open(at('09:00'), { carriesMessages: false }), resolves(at('10:00'))).state,
        'first-response',
      ).state,
    ).toBe('not-evidenced');
  });

  it('is not paused by waiting for the requester', () => {
    expect(clockOf(given(open(), holds(at('10:00'))).state, 'first-response')).toMatchObject({
      state: 'running',
      due: at('13:00'),
    });
  });
});

describe('Resolution', () => {
  it('pauses while the desk waits for the requester, and is projected again from what was consumed', () => {
    const held = given(open(), holds(at('10:00')));
    expect(clockOf(held.state, 'resolution')).toMatchObject({ state: 'paused', due: null, consumed: 3600 });
    const { state } = given(open(), holds(at('17:00')), resumes(at('09:00', 3)));
    // One open hour passed while it waited: from 17:00 to closing.
    expect(clockOf(state, 'resolution')).toMatchObject({ state: 'running', due: at('10:00', 5) });
  });

  it('is not paused by waiting for a vendor under the built-in policy', () => {
    expect(clockOf(given(open(), holds(at('10:00'), 'vendor')).state, 'resolution').state).toBe('running');
  });

  it('goes on when the requester answers, but not for an automatic reply', () => {
    expect(
      clockOf(given(open(), holds(at('10:00')), hears(at('11:00'), true)).state, 'resolution').state,
    ).toBe('paused');
    const came = given(open(), holds(at('10:00')), hears(at('11:00')));
    expect(clockOf(came.state, 'resolution').state).toBe('running');
    expect(came.past.at(-1)).toMatchObject({
      type: 'desk.ticket-resumed.v1',
      data: { because: 'requester-answered' },
    });
  });

  it('keeps its consumption when the priority changes', () => {
    const came = given(open()).when(does('prioritise-ticket', at('11:00'), { priority: 1 }));
    expect(factOf(came, 'desk.ticket-prioritised.v1').data.clocks).toMatchObject([
      { clock: 'first-response', target: 1800, consumed: 7200, due: at('11:00') },
      { clock: 'resolution', target: 14_400, consumed: 7200, due: at('13:00') },
    ]);
  });

  it('goes on after a reopen within five business days, and starts anew after them', () => {
    const within = given(open(), answer(at('09:30')), resolves(at('10:00')), reopens(at('18:00', 9)));
    expect(clockOf(within.state, 'resolution')).toMatchObject({ cycle: 1, consumed: 3600 });
    const after = given(open(), answer(at('09:30')), resolves(at('10:00')), reopens(at('09:00', 10)));
    expect(clockOf(after.state, 'resolution')).toMatchObject({ cycle: 2, consumed: 0 });
  });
});

describe('Time', () => {
  it('records each breach once, with its due instant, in due order', () => {
    const past = given(open());
    expect(past.by(at('13:00'))).toEqual([]);
    const due = past.by(at('18:00', 6));
    expect(due.map(({ data, at: when }) => ['clock' in data && data.clock, when])).toEqual([
      ['first-response', at('13:00')],
      ['resolution', at('18:00', 4)],
    ]);
  });

  it('never records a breach of what was stopped in time', () => {
    expect(given(open(), answer(at('10:00')), resolves(at('11:00'))).by(at('09:00', 30))).toEqual([]);
  });
});

describe('A fact that arrives late', () => {
  it('annuls the breach that it makes untrue, and says by what', () => {
    const late = given(open(), resolves(at('15:00'))).when(answer(at('12:00')));
    expect(factOf(late, 'sla.breach-annulled.v1').data).toEqual({
      clock: 'first-response',
      cycle: 1,
      due: at('13:00'),
      cause: 'desk.message-sent.v1',
    });
    if ('refused' in late) throw new Error(late.refused.code);
    expect(clockOf(late.state, 'first-response')).toMatchObject({ state: 'met', breachedAt: null });
  });

  it('moves a breach by annulling it and recording another', () => {
    // Paused from 10:00 to 11:00 on the first day: due an hour later.
    const past = [open(), answer(at('09:30')), resolves(at('12:00', 5))];
    const pause = given(...past, holds(at('10:00'))).state;
    expect(clockOf(pause, 'resolution').breachedAt).toBe(null);
    const moved = given(...past, holds(at('10:00')), resumes(at('11:00'))).state;
    expect(clockOf(moved, 'resolution')).toMatchObject({ state: 'missed', breachedAt: at('10:00', 5) });
  });

  it('does not undo what happened after it', () => {
    const prioritised = does('prioritise-ticket', at('11:00'), { priority: 1 });
    const earlier = does('prioritise-ticket', at('10:00'), { priority: 4 });
    const came = given(open(), prioritised).when(earlier);
    expect(factOf(came, 'desk.ticket-prioritised.v1').data).toMatchObject({ from: 3, superseded: true });
    if ('refused' in came) throw new Error(came.refused.code);
    expect(came.state).toMatchObject({ priority: 1 });
    expect(clockOf(came.state, 'resolution').target).toBe(14_400);
  });

  it('before the opening is refused', () => {
    expect(given(open()).when(holds(at('08:00')))).toMatchObject({ refused: { code: 'before-opening' } });
  });
});

const offered = does('offer-handover', at('10:00'), {
  handover: id(50),
  group: term(30),
  agent: BOB.id,
  reason: 'knows it',
});
const offeredToGroup = does('offer-handover', at('10:00'), {
  handover: id(50),
  group: term(30),
  reason: 'knows it',
});
const accepted = (by: Actor): TicketCommand => does('accept-handover', at('10:30'), {}, by);

describe('A hand-over', () => {
  it('leaves the sender accountable until it is accepted', () => {
    const assigned = does('assign-ticket', at('09:30'), { group: term(20), agent: ALICE.id });
    expect(given(open(), assigned, offered).state).toMatchObject({ agent: ALICE.id, group: id(20) });
    const { state } = given(open(), assigned, offered, accepted(BOB));
    expect(state).toMatchObject({ agent: BOB.id, group: id(30) });
    expect(state).toHaveProperty('handover', undefined);
  });

  it('to a group is anyone’s to accept', () => {
    expect(given(open(), offeredToGroup, accepted(BOB)).state).toMatchObject({ agent: BOB.id });
  });

  it('that was declined leaves everything as it was', () => {
    const { state } = given(open(), offered, does('decline-handover', at('11:00'), { reason: 'no' }, BOB));
    expect(state).toHaveProperty('handover', undefined);
    expect(state).toHaveProperty('agent', undefined);
  });

  it('falls away when the ticket is assigned or resolved', () => {
    const came = given(open(), offered).when(resolves(at('11:00')));
    expect(factOf(came, 'desk.handover-withdrawn.v1').data.because).toBe('resolved');
  });
});

const merges = (when: Instant, duplicate = id(101)): TicketCommand =>
  does('merge-ticket', when, { self: SELF, merge: id(60), duplicate });
const joins = (when: Instant): TicketCommand => does('join-ticket', when, { merge: id(60), into: SELF });

describe('A merge', () => {
  const duplicate = given(open(at('09:00')), answer(at('09:05')), joins(at('12:00')));

  it('lets the clock with the earliest due survive, with its consumption', () => {
    if (duplicate.state.status === 'none') throw new Error();
    // The duplicate is two hours older: its clock wins. As it stood when it joined is what the flow hands over.
    const before = given(open(at('09:00')), answer(at('09:05')));
    if (before.state.status === 'none') throw new Error();
    const came = given(open(at('11:00')), merges(at('11:30'))).when(
      does('complete-merge', at('12:00'), {
        merge: id(60),
        duplicate: id(101),
        mergedAt: at('12:00'),
        clocks: Object.values(before.state.clocks),
      }),
    );
    expect(factOf(came, 'desk.merge-completed.v1').data.clocks).toMatchObject([
      { clock: 'resolution', change: 'adopted', startedAt: at('09:00'), due: at('18:00', 4) },
    ]);
    if ('refused' in came) throw new Error(came.refused.code);
    expect(clockOf(came.state, 'first-response')).toMatchObject({ state: 'running', due: at('15:00') });
    expect(clockOf(came.state, 'resolution')).toMatchObject({ state: 'running', due: at('18:00', 4) });
  });

  it('ends the duplicate’s clocks', () => {
    expect(clockOf(duplicate.state, 'resolution').state).toBe('merged');
    expect(clockOf(duplicate.state, 'first-response').state).toBe('met');
    expect(duplicate.by(at('09:00', 30))).toEqual([]);
  });

  it('refuses another while one is pending, in either role, and can be asked to join twice', () => {
    expect(given(open(), merges(at('10:00'))).when(merges(at('10:01'), id(102)))).toMatchObject({
      refused: { code: 'merge-pending' },
    });
    expect(given(open(), merges(at('10:00'))).when(joins(at('10:01')))).toMatchObject({
      refused: { code: 'merge-pending' },
    });
    expect(duplicate.when(joins(at('12:01')))).toMatchObject({ facts: [] });
  });
});

/** For every code a way to meet it: a code that nothing can bring about would be a lie in the OpenAPI document. */
const REFUSALS: Record<TicketRefusalCode, () => unknown> = {
  'unknown-ticket': () => given().when(resolves(at('10:00'))),
  'before-opening': () => given(open()).when(answer(at('08:00'))),
  'already-open': () => given(open()).when(open(at('10:00'))),
  'already-resolved': () => given(open(), resolves(at('10:00'))).when(resolves(at('11:00'))),
  'not-resolved': () => given(open()).when(closes(at('10:00'))),
  'already-closed': () => given(open(), resolves(at('10:00')), closes(at('11:00'))).when(closes(at('12:00'))),
  closed: () => given(open(), resolves(at('10:00')), closes(at('11:00'))).when(answer(at('12:00'))),
  merged: () => given(open(), joins(at('10:00'))).when(answer(at('12:00'))),
  'merge-pending': () => given(open(), merges(at('10:00'))).when(merges(at('10:01'), id(102))),
  'merge-with-itself': () => given(open()).when(merges(at('10:00'), SELF)),
  'no-merge-pending': () =>
    given(open()).when(does('withdraw-merge', at('10:00'), { merge: id(60), because: 'closed' })),
  'handover-pending': () => given(open(), offered).when({ ...offered, occurredAt: at('11:00') }),
  'no-handover-pending': () => given(open()).when(accepted(BOB)),
  'not-yours-to-answer': () => given(open(), offered).when(accepted(ALICE)),
  'handover-to-nobody': () =>
    given(open()).when(does('offer-handover', at('10:00'), { handover: id(50), reason: 'x' })),
  'not-on-hold': () => given(open()).when(resumes(at('10:00'))),
  'with-vendor': () =>
    given(open(), does('hand-to-vendor', at('10:00'), { vendor: term(40) })).when(
      does('hand-to-vendor', at('11:00'), { vendor: term(41) }),
    ),
  'not-with-vendor': () => given(open()).when(does('take-back', at('10:00'), {})),
  'not-the-requester': () =>
    given(open(), resolves(at('10:00'))).when(does('rate-ticket', at('11:00'), { score: 5 })),
  'bad-score': () =>
    given(open(), resolves(at('10:00'))).when(does('rate-ticket', at('11:00'), { score: 6 }, CUSTOMER)),
  'link-to-itself': () =>
    given(open()).when(does('link-ticket', at('10:00'), { self: SELF, other: SELF, kind: 'relates-to' })),
};

describe('A command that makes no sense', () => {
  it.each(TICKET_REFUSALS)('is refused as %s', (code) => {
    expect(REFUSALS[code]()).toMatchObject({ refused: { code } });
  });
});

// ── Properties ──────────────────────────────────────────────────────────────────────────────────────────

const anyCommand: fc.Arbitrary<(when: Instant) => TicketCommand> = fc.oneof(
  fc.constant(answer),
  fc.constant((when: Instant) => answer(when, true)),
  fc.constant(hears),
  fc
    .constantFrom<'requester' | 'vendor'>('requester', 'vendor')
    .map((reason) => (when: Instant) => holds(when, reason)),
  fc.constant(resumes),
  fc.constant(resolves),
  fc.constant(reopens),
  fc.constant(closes),
  fc
    .constantFrom<1 | 2 | 3 | 4>(1, 2, 3, 4)
    .map((priority) => (when: Instant) => does('prioritise-ticket', when, { priority })),
  fc
    .constantFrom(20, 21)
    .map((group) => (when: Instant) => does('assign-ticket', when, { group: term(group), agent: ALICE.id })),
  fc.constant((when: Instant) => does('classify-ticket', when, { category: term(70) })),
  fc.constant((when: Instant) => ({ ...offeredToGroup, occurredAt: when })),
  fc.constant((when: Instant) => ({ ...accepted(BOB), occurredAt: when })),
  fc.constant((when: Instant) => does('hand-to-vendor', when, { vendor: term(40) })),
  fc.constant((when: Instant) => does('take-back', when, {})),
  fc.constant(merges),
  fc.constant((when: Instant) => does('link-ticket', when, { self: SELF, other: id(102), kind: 'causes' })),
);

/** A history of commands, seconds to days apart; those that are refused are left out. */
const history = fc.array(fc.tuple(anyCommand, fc.integer({ min: 0, max: 200_000 })), { maxLength: 14 });

function lived(
  steps: readonly (readonly [(when: Instant) => TicketCommand, number])[],
  opened: TicketCommand,
): readonly TicketCommand[] {
  let now = toSeconds(at('09:00'));
  const kept: TicketCommand[] = [opened];
  for (const [make, later] of steps) {
    now += later;
    const command = make(toInstant(now));
    if (!('refused' in given(...kept).when(command))) kept.push(command);
  }
  return kept;
}

/** Accepted, and asked again at the same instant: nothing, or a refusal. What it says each time anew is exempt. */
const SAYS_SOMETHING_NEW = new Set<TicketCommand['type']>(['add-message', 'escalate-ticket']);

describe.each([
  ['the built-in policy', 'default'],
  ['a policy that makes every promise', 'every'],
])('Whatever happened to a ticket under %s', (_, policy) => {
  const opened = open(at('09:00'), { policy });

  it('asking again changes nothing', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const commands = lived(steps, opened);
        const last = commands.at(-1)!;
        fc.pre(!SAYS_SOMETHING_NEW.has(last.type));
        const again = given(...commands).when(last);
        // A warning of this very second falls before the second asking (domain.md C.3).
        const byTime = ({ type }: { readonly type: string }): boolean => type === 'sla.clock-warned.v1';
        expect('refused' in again || again.facts.every(byTime)).toBe(true);
      }),
    );
  });

  it('a timer first or a command first gives the same facts', () => {
    fc.assert(
      fc.property(history, fc.nat(), (steps, pick) => {
        const commands = lived(steps, opened);
        const straight = given(...commands);
        // The same, with the timekeeper having looked just before one of the commands.
        const at = pick % commands.length;
        const before = given(...commands.slice(0, at)).state;
        const command = commands[at]!;
        const early = ticket.due(before, command.occurredAt);
        const cameByCommand = given(...commands.slice(0, at)).when(command);
        if ('refused' in cameByCommand) throw new Error(cameByCommand.refused.code);
        expect(cameByCommand.facts.slice(0, early.length).map(({ type, data }) => ({ type, data }))).toEqual(
          early.map(({ type, data }) => ({ type, data })),
        );
        const fallen = straight.past
          .filter(({ type }) => type === 'sla.clock-breached.v1' || type === 'sla.clock-warned.v1')
          .map(({ data }) => JSON.stringify(data));
        expect(new Set(fallen).size).toBe(fallen.length);
      }),
    );
  });

  it('a clock that is paused or ended has no pending due, and a running one has', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { state } = given(...lived(steps, opened));
        if (state.status === 'none') throw new Error();
        for (const clock of Object.values(state.clocks)) {
          if (clock.state === 'running') expect(clock.due).not.toBeNull();
          if (clock.state === 'paused' && clock.breachedAt === null) expect(clock.due).toBeNull();
          if (state.status !== 'open') expect(clock.state).not.toBe('running');
        }
      }),
    );
  });

  it('late facts in any order give the same clocks as facts in time', () => {
    const facts = [
      answer(at('11:00')),
      hears(at('12:30')),
      answer(at('13:00')),
      hears(at('13:10')),
      holds(at('13:30')),
      resumes(at('15:00')),
      does('prioritise-ticket', at('12:00'), { priority: 2 }),
    ];
    const inTime = [...facts].sort((a, b) => (a.occurredAt < b.occurredAt ? -1 : 1));
    const straight = given(opened, ...inTime, resolves(at('10:00', 6))).state;
    fc.assert(
      fc.property(fc.shuffledSubarray(facts, { minLength: facts.length }), (order) => {
        // A resume can only follow its hold, whenever it arrives.
        fc.pre(
          order.findIndex((c) => c.type === 'hold-ticket') <
            order.findIndex((c) => c.type === 'resume-ticket'),
        );
        const late = given(opened, resolves(at('10:00', 6)), ...order).state;
        for (const name of CLOCKS)
          expect({ ...clockOf(late, name), change: '' }).toEqual({ ...clockOf(straight, name), change: '' });
      }),
    );
  });
});
