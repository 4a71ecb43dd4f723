import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { everyPromise } from '#domain/sla/testing';
import { activation, builtIn, policies, type ClockName, type PolicyDefinition } from '#domain/sla';
import {
  decideInTurn,
  instant,
  occur,
  toInstant,
  toSeconds,
  type Actor,
  type Instant,
  type Occurred,
  type PersonId,
  type Uuid,
} from '#kernel';
import type { TicketCommand } from './ticket-commands.js';
import { ticketEvents, type TicketEvent, type TicketFact } from './ticket-events.js';
import { ticket, type TicketState } from './ticket.js';

const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const REQUESTER: PersonId = id(10);
const ALICE: Actor = { id: id(11), role: 'agent' };
const CUSTOMER: Actor = { id: REQUESTER, role: 'customer' };
const MINUTE = 60;
const HOUR = 3600;

// Monday to Friday 09:00 to 18:00 UTC; priority 3 is promised a next response in 2 h, an update every 3 h and
// a word on a hand-over within half an hour, where a policy promises them.
const PLAIN = builtIn('UTC');
const FULL: PolicyDefinition = {
  ...PLAIN,
  targets: {
    1: { ...PLAIN.targets[1], 'next-response': 15 * MINUTE },
    2: { ...PLAIN.targets[2], 'next-response': HOUR },
    3: { ...PLAIN.targets[3], 'next-response': 2 * HOUR },
    4: { ...PLAIN.targets[4], 'next-response': 4 * HOUR },
  },
  pausedBy: { ...PLAIN.pausedBy, 'next-response': ['requester', 'vendor'] },
};

/** 2 November 2026 was a Monday. */
const at = (time: string, day = 2): Instant => instant(`2026-11-${String(day).padStart(2, '0')}T${time}:00Z`);
const known = (...versions: readonly (readonly [PolicyDefinition, Instant])[]) =>
  policies(
    versions.map(([definition, effective], i) =>
      activation(definition, { name: 'default', version: i + 1, source: 'desk', effective }),
    ),
  );
const EVER = instant('1970-01-01T00:00:00Z');
const BY_FULL = known([FULL, EVER]);

type Of<T extends TicketCommand['type']> = Extract<TicketCommand, { readonly type: T }>;
type Asked = (by: typeof BY_FULL) => TicketCommand;
const does =
  <T extends TicketCommand['type']>(
    type: T,
    occurredAt: Instant,
    rest: Omit<Of<T>, 'type' | 'occurredAt' | 'by' | 'policies'>,
    by: Actor = ALICE,
  ): Asked =>
  (policies) =>
    ({ type, occurredAt, by, policies, ...rest }) as unknown as TicketCommand;

const open = (when: Instant, carriesMessages = true): Asked =>
  does('open-ticket', when, {
    number: 'T-100001',
    channel: 'phone',
    requester: REQUESTER,
    tier: 'base',
    subject: 'printer',
    text: 'it burns',
    policy: 'default',
    importing: false,
    carriesMessages,
  });
const says = (kind: 'sent' | 'received' | 'note', when: Instant, autoReply = false): Asked =>
  does(
    'add-message',
    when,
    { kind, channel: 'e-mail', autoReply, text: 'well' },
    kind === 'received' ? CUSTOMER : ALICE,
  );
const answers = (when: Instant): Asked => says('sent', when);
const writes = (when: Instant): Asked => says('received', when);
const holds = (when: Instant, reason: 'requester' | 'vendor' | 'problem' = 'vendor'): Asked =>
  does('hold-ticket', when, { reason });
const resumes = (when: Instant): Asked => does('resume-ticket', when, {});
const resolves = (when: Instant): Asked => does('resolve-ticket', when, { resolution: 'solved' });
const reopens = (when: Instant): Asked => does('reopen-ticket', when, {});
const prioritises = (when: Instant, priority: 1 | 2 | 3 | 4): Asked =>
  does('prioritise-ticket', when, { priority });

interface Lived {
  readonly state: TicketState;
  readonly facts: readonly Occurred<TicketEvent>[];
}

/** Each command must be accepted; time facts come as they fall due. */
function lived(asked: readonly Asked[], by = BY_FULL, until?: Instant): Lived {
  let state: TicketState = ticket.initial;
  const facts: Occurred<TicketEvent>[] = [];
  const take = (command: TicketCommand | null, now: Instant): void => {
    const actor = command?.by ?? ALICE;
    const came = decideInTurn(ticket, ticketEvents, state, command ? [command] : [], now, actor);
    if ('refused' in came) throw new Error(`${command?.type} at ${now} was refused: ${came.refused.code}`);
    for (const fact of came.facts)
      facts.push(occur<TicketFact, TicketEvent>(ticketEvents, fact, { occurredAt: now, actor }));
    ({ state } = came);
  };
  let now = EVER;
  for (const make of asked) {
    const command = make(by);
    if (command.occurredAt > now) now = command.occurredAt;
    take(command, now);
  }
  if (until !== undefined) take(null, until);
  return { state, facts };
}

function clockOf({ state }: Lived, name: ClockName) {
  if (state.status === 'none') throw new Error('there is no ticket');
  return state.clocks[name];
}
const breachesOf = ({ facts }: Lived, name: ClockName) =>
  facts.flatMap((fact) =>
    fact.type === 'sla.clock-breached.v1' && fact.data.clock === name
      ? [`${fact.data.cycle} ${fact.occurredAt}`]
      : [],
  );

describe('Next response', () => {
  const answered = [open(at('09:00')), answers(at('10:00'))];
  const clock = (asked: readonly Asked[], by = BY_FULL, until?: Instant) =>
    clockOf(lived(asked, by, until), 'next-response');

  it('is owed from the oldest unanswered message on, and given by the next public answer', () => {
    const asked = [...answered, writes(at('11:00')), writes(at('12:00')), says('note', at('12:10'))];
    expect(clock(asked)).toMatchObject({
      cycle: 1,
      change: 'started',
      state: 'running',
      startedAt: at('11:00'),
      due: at('13:00'),
      policy: 'default@1',
    });
    expect(clock([...asked, answers(at('13:00'))])).toMatchObject({ state: 'met', consumed: 2 * HOUR });
    expect(clock([...asked, answers(at('13:01'))])).toMatchObject({ state: 'missed', due: at('13:00') });
  });

  it('is a cycle each time, with a breach of its own', () => {
    const asked = [
      ...answered,
      writes(at('11:00')),
      answers(at('11:30')),
      writes(at('12:00')),
      answers(at('15:00')),
      writes(at('16:00')),
    ];
    const life = lived(asked, BY_FULL, at('10:00', 3));
    expect(clockOf(life, 'next-response')).toMatchObject({
      cycle: 3,
      change: 'restarted',
      startedAt: at('16:00'),
      breachedAt: at('18:00'),
    });
    expect(breachesOf(life, 'next-response')).toEqual([`2 ${at('14:00')}`, `3 ${at('18:00')}`]);
  });

  it('leaves the record of a cycle that is over as it was when the next begins', () => {
    const asked = [...answered, writes(at('11:00')), answers(at('11:30')), writes(at('12:00'))];
    const received = lived(asked).facts.at(-1)!;
    expect(received).toMatchObject({
      type: 'desk.message-received.v1',
      data: { clocks: [{ clock: 'next-response', cycle: 2, change: 'restarted' }] },
    });
    const reopened = lived(
      [...answered, resolves(at('11:00')), reopens(at('11:00', 20))],
      known([PLAIN, EVER]),
    );
    const moved = ({ facts }: Lived) =>
      (facts.at(-1)! as { data: { clocks: readonly unknown[] } }).data.clocks;
    expect(moved(reopened)).toMatchObject([{ clock: 'resolution', cycle: 2, change: 'restarted' }]);
    const held = lived(
      [...answered, resolves(at('11:00')), reopens(at('11:00', 20)), holds(at('12:00', 20), 'requester')],
      known([PLAIN, EVER]),
    );
    expect(moved(held)).toMatchObject([{ clock: 'resolution', cycle: 2, change: 'paused' }]);
  });

  it('is not owed before first response has ended, however often the customer writes', () => {
    expect(clock([open(at('09:00')), writes(at('09:30'))])).toBeUndefined();
    expect(clock([open(at('09:00')), writes(at('09:30')), answers(at('10:00'))])).toBeUndefined();
    expect(clock([open(at('09:00'), false), writes(at('09:30'))])).toMatchObject({ startedAt: at('09:30') });
  });

  it('is neither asked for nor given by an automatic answer', () => {
    expect(clock([...answered, says('received', at('11:00'), true)])).toBeUndefined();
    const asked = [...answered, writes(at('11:00')), says('sent', at('11:01'), true)];
    expect(clock(asked)).toMatchObject({ state: 'running', startedAt: at('11:00') });
  });

  it('pauses while a reason of its policy is active, one that was there when it began among them', () => {
    const asked = [...answered, holds(at('10:30')), writes(at('11:00'))];
    expect(clock(asked)).toMatchObject({ state: 'paused', due: null, reasons: ['vendor'] });
    expect(clock([...asked, resumes(at('14:00'))])).toMatchObject({ consumed: 0, due: at('16:00') });
    const held = [...answered, writes(at('11:00')), holds(at('11:30')), resumes(at('12:00'))];
    expect(clock(held)).toMatchObject({ state: 'running', due: at('13:30') });
    expect(clock([...answered, writes(at('11:00')), holds(at('11:30'), 'problem')])).toMatchObject({
      state: 'running',
      due: at('13:00'),
    });
  });

  it('ends as not applicable when the ticket is resolved, and a reopen revives it, consumption kept', () => {
    const resolved = [...answered, writes(at('11:00')), resolves(at('12:30'))];
    expect(clock(resolved)).toMatchObject({ state: 'not-applicable', due: null, consumed: 1.5 * HOUR });
    expect(clock([...resolved, reopens(at('14:00'))])).toMatchObject({
      cycle: 1,
      state: 'running',
      consumed: 1.5 * HOUR,
      due: at('14:30'),
    });
    // After the window, when the resolution begins anew.
    expect(clock([...resolved, reopens(at('10:00', 20))])).toMatchObject({ cycle: 1, due: at('10:30', 20) });
  });

  it('that was broken before the resolve stays missed', () => {
    const asked = [...answered, writes(at('11:00')), resolves(at('14:00'))];
    expect(clock(asked)).toMatchObject({ state: 'missed', breachedAt: at('13:00') });
  });

  it('is owed from the reopen on where the customer wrote to the resolved ticket, unless it was answered', () => {
    const wrote = [...answered, resolves(at('11:00')), writes(at('12:00'))];
    expect(clock(wrote)).toBeUndefined();
    expect(clock([...wrote, reopens(at('13:00'))])).toMatchObject({
      startedAt: at('13:00'),
      due: at('15:00'),
    });
    expect(clock([...wrote, answers(at('12:30')), reopens(at('13:00'))])).toBeUndefined();
    const revivable = [...answered, writes(at('10:30')), resolves(at('11:00')), answers(at('11:30'))];
    expect(clock([...revivable, reopens(at('13:00'))])).toMatchObject({ state: 'not-applicable' });
  });

  it('is first response’s business where a reopen revives that', () => {
    const asked = [open(at('09:00')), resolves(at('10:00')), writes(at('10:30')), reopens(at('11:00'))];
    expect(clock(asked)).toBeUndefined();
    expect(clock([...asked, writes(at('11:30'))])).toBeUndefined();
  });

  it('goes by the new priority, what was used kept; the next cycle goes by what is in force then', () => {
    const asked = [...answered, writes(at('11:00')), prioritises(at('11:30'), 2)];
    expect(clock(asked)).toMatchObject({ change: 'retargeted', target: HOUR, due: at('12:00') });
    const next = [...answered, prioritises(at('10:30'), 1), writes(at('11:00'))];
    expect(clock(next)).toMatchObject({ target: 15 * MINUTE, due: at('11:15') });
    const later = [...asked, answers(at('11:45')), prioritises(at('12:00'), 4), writes(at('13:00'))];
    expect(clock(later)).toMatchObject({ cycle: 2, target: 4 * HOUR, due: at('17:00') });
  });

  it('is promised only by a policy that states a target, from when the ticket comes under it', () => {
    const later = known([PLAIN, EVER], [FULL, at('12:00')]);
    const asked = [...answered, writes(at('11:00'))];
    expect(clock(asked, later)).toBeUndefined();
    expect(clock([...asked, prioritises(at('12:00'), 2)], later)).toMatchObject({
      startedAt: at('12:00'),
      due: at('13:00'),
      policy: 'default@2',
    });
    const noMore = known([FULL, EVER], [PLAIN, at('12:00')], [FULL, at('14:00')]);
    const ended = [...asked, prioritises(at('12:00'), 2)];
    expect(clock(ended, noMore)).toMatchObject({ state: 'not-applicable', consumed: HOUR });
    expect(clock([...ended, prioritises(at('14:00'), 3)], noMore)).toMatchObject({
      state: 'running',
      cycle: 1,
      due: at('15:00'),
      policy: 'default@3',
    });
  });

  it('is annulled and counted anew where a late answer came before', () => {
    const asked = [...answered, writes(at('11:00')), writes(at('13:30')), answers(at('15:00'))];
    const life = lived([...asked, answers(at('12:00'))]);
    expect(breachesOf(life, 'next-response')).toEqual([`1 ${at('13:00')}`]);
    expect(life.facts.filter(({ type }) => type === 'sla.breach-annulled.v1')).toMatchObject([
      { data: { clock: 'next-response', cycle: 1, due: at('13:00'), cause: 'desk.message-sent.v1' } },
    ]);
    expect(clockOf(life, 'next-response')).toMatchObject({
      cycle: 2,
      state: 'met',
      change: 'corrected',
      startedAt: at('13:30'),
    });
  });

  it('of a ticket that ends in this one is owed here, and outlives an answer given before', () => {
    const theirs = clock([...answered, writes(at('11:00'))])!;
    const merged = (own: readonly Asked[]): readonly Asked[] => [
      ...own,
      does('merge-ticket', at('12:00'), { self: id(100), merge: id(50), duplicate: id(101) }),
      does('complete-merge', at('12:00'), {
        merge: id(50),
        duplicate: id(101),
        mergedAt: at('12:00'),
        clocks: [theirs],
      }),
    ];
    expect(clock(merged(answered))).toMatchObject({ cycle: 1, change: 'adopted', due: at('13:00') });
    const met = [...answered, writes(at('10:10')), answers(at('10:20'))];
    const adopted = merged(met);
    expect(clock(adopted)).toMatchObject({ cycle: 2, state: 'running', due: at('13:00'), consumed: HOUR });
    expect(clock([...adopted, answers(at('12:30'))])).toMatchObject({ cycle: 2, state: 'met' });
    const earlier = merged([...answered, writes(at('10:30'))]);
    expect(clock(earlier)).toMatchObject({ cycle: 1, startedAt: at('10:30'), due: at('12:30') });
  });
});

describe('Periodic update', () => {
  const UPDATING: PolicyDefinition = {
    ...PLAIN,
    targets: {
      1: { ...PLAIN.targets[1], 'periodic-update': 30 * MINUTE },
      2: { ...PLAIN.targets[2], 'periodic-update': HOUR },
      3: { ...PLAIN.targets[3], 'periodic-update': 3 * HOUR },
      4: { ...PLAIN.targets[4], 'periodic-update': 9 * HOUR },
    },
    pausedBy: { ...PLAIN.pausedBy, 'periodic-update': ['requester'] },
  };
  const by = known([UPDATING, EVER]);
  const clock = (...asked: readonly Asked[]) => clockOf(lived(asked, by), 'periodic-update');
  const opened = open(at('09:00'));

  it('is owed from the opening on, and anew from each public update on, late or not', () => {
    expect(clock(opened)).toMatchObject({ cycle: 1, change: 'started', due: at('12:00') });
    expect(clock(opened, answers(at('10:00')))).toMatchObject({
      cycle: 2,
      change: 'restarted',
      startedAt: at('10:00'),
      consumed: 0,
      due: at('13:00'),
    });
    const late = lived([opened, answers(at('12:30')), answers(at('13:00'))], by, at('18:00'));
    expect(breachesOf(late, 'periodic-update')).toEqual([`1 ${at('12:00')}`, `3 ${at('16:00')}`]);
  });

  it('says with each update how the window that it ended stands, and the next', () => {
    const { facts } = lived([opened, answers(at('10:00'))], by);
    const sent = facts.find(({ type }) => type === 'desk.message-sent.v1')!;
    if (sent.type !== 'desk.message-sent.v1') throw new Error();
    expect(
      sent.data.clocks
        .filter((record) => record.clock === 'periodic-update')
        .map(({ cycle, change, state, consumed }) => [cycle, change, state, consumed]),
    ).toEqual([
      [1, 'stopped', 'met', HOUR],
      [2, 'restarted', 'running', 0],
    ]);
  });

  it('is given by no note, no automatic answer and no message of the customer', () => {
    const others = [says('note', at('10:00')), says('sent', at('10:10'), true), writes(at('10:20'))];
    expect(clock(opened, ...others)).toMatchObject({ cycle: 1, due: at('12:00') });
  });

  it('is cancelled by the resolve unless it was late, and goes on or begins anew with the reopen', () => {
    const resolved = [opened, answers(at('10:00')), resolves(at('12:00'))];
    expect(clock(...resolved)).toMatchObject({ cycle: 2, state: 'not-applicable', due: null });
    expect(clock(...resolved, reopens(at('15:00')))).toMatchObject({ cycle: 2, due: at('16:00') });
    const updated = [...resolved, answers(at('14:00')), reopens(at('15:00'))];
    expect(clock(...updated)).toMatchObject({ cycle: 3, startedAt: at('15:00'), due: at('18:00') });
    const missed = [opened, resolves(at('13:00'))];
    expect(clock(...missed)).toMatchObject({ state: 'missed', breachedAt: at('12:00') });
    expect(clock(...missed, reopens(at('14:00')))).toMatchObject({ cycle: 2, due: at('17:00') });
  });

  it('pauses for the reasons of its policy', () => {
    expect(clock(opened, holds(at('10:00'), 'requester'), resumes(at('12:00')))).toMatchObject({
      due: at('14:00'),
    });
    expect(clock(opened, holds(at('10:00'), 'vendor'))).toMatchObject({ state: 'running', due: at('12:00') });
  });

  it('cannot be told of a history without messages', () => {
    expect(clock(open(at('09:00'), false), answers(at('10:00')))).toMatchObject({
      cycle: 1,
      state: 'not-evidenced',
      due: null,
    });
  });

  it('counts a window more where a late update came in between, and moves the breach', () => {
    const life = lived([opened, answers(at('14:00')), answers(at('15:00')), answers(at('11:30'))], by);
    expect(breachesOf(life, 'periodic-update')).toEqual([`1 ${at('12:00')}`]);
    expect(life.facts.flatMap((fact) => (fact.type === 'sla.breach-annulled.v1' ? [fact.data] : []))).toEqual(
      [
        expect.objectContaining({ clock: 'periodic-update', cycle: 1, due: at('12:00') }),
        expect.objectContaining({ clock: 'first-response', cycle: 1 }),
      ],
    );
    expect(clockOf(life, 'periodic-update')).toMatchObject({ cycle: 4, startedAt: at('15:00') });
  });
});

describe('Acceptance of a hand-over', () => {
  const OFFERING: PolicyDefinition = {
    ...PLAIN,
    targets: {
      1: { ...PLAIN.targets[1], 'hand-over-acceptance': 5 * MINUTE },
      2: { ...PLAIN.targets[2], 'hand-over-acceptance': 15 * MINUTE },
      3: { ...PLAIN.targets[3], 'hand-over-acceptance': 30 * MINUTE },
      4: { ...PLAIN.targets[4], 'hand-over-acceptance': HOUR },
    },
  };
  const by = known([OFFERING, EVER]);
  const BOB: Actor = { id: id(12), role: 'agent' };
  const offers = (when: Instant): Asked =>
    does('offer-handover', when, { handover: id(60), agent: BOB.id, reason: 'busy' });
  const accepts = (when: Instant): Asked => does('accept-handover', when, {}, BOB);
  const declines = (when: Instant): Asked => does('decline-handover', when, { reason: 'no' }, BOB);
  const clock = (...asked: readonly Asked[]) => clockOf(lived(asked, by), 'hand-over-acceptance');
  const offered = [open(at('09:00')), offers(at('10:00'))];

  it('is owed from the offer on until it is accepted or declined', () => {
    expect(clock(open(at('09:00')))).toBeUndefined();
    expect(clock(...offered)).toMatchObject({ cycle: 1, state: 'running', due: at('10:30') });
    expect(clock(...offered, accepts(at('10:30')))).toMatchObject({ state: 'met', consumed: 30 * MINUTE });
    expect(clock(...offered, declines(at('10:31')))).toMatchObject({ state: 'missed' });
    const again = [...offered, declines(at('10:10')), offers(at('11:00'))];
    expect(clock(...again)).toMatchObject({ cycle: 2, change: 'restarted', due: at('11:30') });
  });

  it('leaves the other clocks as they are, and no hold pauses it', () => {
    const [first] = lived(offered, by).facts.slice(-1);
    expect(first).toMatchObject({ data: { clocks: [{ clock: 'hand-over-acceptance' }] } });
    expect(clock(...offered, holds(at('10:10'), 'requester'))).toMatchObject({ due: at('10:30') });
  });

  it('is not applicable any more where the offer falls away, and comes back with no reopen', () => {
    const assigned = does('assign-ticket', at('10:20'), { agent: BOB.id });
    expect(clock(...offered, assigned)).toMatchObject({ state: 'not-applicable', consumed: 20 * MINUTE });
    const resolved = [...offered, resolves(at('10:20'))];
    expect(clock(...resolved)).toMatchObject({ state: 'not-applicable' });
    expect(clock(...resolved, reopens(at('11:00')))).toMatchObject({ state: 'not-applicable' });
    expect(clock(...offered, resolves(at('10:40')))).toMatchObject({ state: 'missed' });
  });

  it('says nothing in its facts where the policy does not promise it', () => {
    const { facts } = lived([...offered, accepts(at('10:10'))], known([PLAIN, EVER]));
    for (const { data } of facts.slice(1)) expect(data).not.toHaveProperty('clocks');
  });
});

describe('Warnings', () => {
  const WARNING: PolicyDefinition = {
    ...FULL,
    warnAt: {
      'first-response': [[1, 2]],
      resolution: [
        [1, 2],
        [1, 1],
      ],
    },
  };
  const by = known([WARNING, EVER]);
  const told = ({ facts }: Lived): readonly string[] =>
    facts.flatMap((fact) => {
      const { type, occurredAt } = fact;
      if (type === 'sla.clock-warned.v1' || type === 'sla.warning-annulled.v1') {
        const { clock, numerator, denominator, cycle } = fact.data;
        const what = type === 'sla.clock-warned.v1' ? 'warned' : 'annulled';
        return [`${occurredAt.slice(8, 16)} ${clock} ${cycle} ${what} ${numerator}/${denominator}`];
      }
      if (type === 'sla.clock-breached.v1')
        return [`${occurredAt.slice(8, 16)} ${fact.data.clock} ${fact.data.cycle} breached`];
      return type.startsWith('sla.') ? [type] : [];
    });

  it('fall at the instant at which their share is used up, from that second on, each once', () => {
    // First response 4 h and resolution 27 h of open time.
    const asked = [open(at('09:00'))];
    expect(told(lived(asked, by, instant('2026-11-02T10:59:59Z')))).toEqual([]);
    expect(told(lived(asked, by, at('11:00')))).toEqual(['02T11:00 first-response 1 warned 1/2']);
    const twice = lived([...asked, says('note', at('12:00')), says('note', at('12:30'))], by, at('13:00'));
    expect(told(twice)).toEqual(['02T11:00 first-response 1 warned 1/2']);
    expect(clockOf(twice, 'first-response')?.warnings).toEqual([
      { numerator: 1, denominator: 2, at: at('11:00') },
    ]);
  });

  it('come before the command of their own instant, and a stop a second earlier silences them', () => {
    const { facts } = lived([open(at('09:00')), answers(at('11:00'))], by);
    expect(facts.map(({ type }) => type)).toEqual([
      'desk.ticket-opened.v1',
      'sla.clock-warned.v1',
      'desk.message-sent.v1',
    ]);
    const early = [open(at('09:00')), answers(instant('2026-11-02T10:59:59Z'))];
    expect(told(lived(early, by, at('18:00')))).toEqual([]);
  });

  it('stand before breaches of the same second, in the order of the promises, then by share', () => {
    const close: PolicyDefinition = {
      ...PLAIN,
      targets: {
        ...PLAIN.targets,
        3: { 'first-response': HOUR, resolution: 2 * HOUR },
      },
      warnAt: {
        'first-response': [[1, 1]],
        resolution: [
          [1, 2],
          [1799, 3600],
        ],
      },
    };
    expect(told(lived([open(at('09:00'))], known([close, EVER]), at('10:30')))).toEqual([
      '02T09:59 resolution 1 warned 1799/3600',
      '02T10:00 first-response 1 warned 1/1',
      '02T10:00 resolution 1 warned 1/2',
      '02T10:00 first-response 1 breached',
    ]);
  });

  it('that are pending move with pauses and targets, and those that have fired stay', () => {
    const life = lived(
      [
        open(at('09:00')),
        answers(at('09:30')),
        holds(at('10:00'), 'requester'),
        resumes(at('12:00')),
        prioritises(at('13:00'), 2),
      ],
      by,
      at('18:00', 3),
    );
    // Of 9 h half is 4 h 30: 2 h are used by 13:00, the rest by 15:30; all of it at 11:00 next day.
    expect(told(life)).toEqual([
      '02T15:30 resolution 1 warned 1/2',
      '03T11:00 resolution 1 warned 1/1',
      '03T11:00 resolution 1 breached',
    ]);
    const held = lived([open(at('09:00')), holds(at('10:00'), 'requester')], by);
    expect(clockOf(held, 'resolution')?.warnings?.map((warning) => warning.at)).toEqual([null, null]);
  });

  it('fall at once where a new target has been used up by its share already', () => {
    const life = lived(
      [open(at('09:00')), answers(at('09:10')), prioritises(at('12:00'), 1)],
      by,
      at('12:30'),
    );
    expect(told(life)).toEqual(['02T12:00 resolution 1 warned 1/2']);
  });

  it('are annulled where a late fact makes them untrue, and recorded where it makes them true', () => {
    const asked = [open(at('09:00')), answers(at('12:00')), answers(at('10:00'))];
    expect(told(lived(asked, by))).toEqual([
      '02T11:00 first-response 1 warned 1/2',
      '02T10:00 first-response 1 annulled 1/2',
    ]);
    const raised = [
      open(at('09:00')),
      answers(at('09:30')),
      says('note', at('13:00')),
      prioritises(at('09:30'), 1),
    ];
    expect(told(lived(raised, by, at('13:00')))).toEqual([
      '02T11:00 resolution 1 warned 1/2',
      '02T13:00 resolution 1 warned 1/1',
    ]);
  });

  it('of a clock that goes on from another ticket fire here only where they had not fired there', () => {
    const there = clockOf(lived([open(at('09:00')), prioritises(at('09:00'), 2)], by), 'resolution')!;
    const merged = (when: Instant): readonly Asked[] => [
      open(at('10:00')),
      answers(at('10:30')),
      does('merge-ticket', when, { self: id(100), merge: id(50), duplicate: id(101) }),
      does('complete-merge', when, { merge: id(50), duplicate: id(101), mergedAt: when, clocks: [there] }),
    ];
    // Half of its 9 h is used up at 13:30.
    expect(told(lived(merged(at('13:00')), by, at('17:00')))).toEqual(['02T13:30 resolution 1 warned 1/2']);
    expect(told(lived(merged(at('14:00')), by, at('17:00')))).toEqual([]);
    const late = lived(
      [...merged(at('14:00')), says('note', at('16:00')), holds(at('15:00'), 'problem')],
      by,
    );
    expect(told(late)).toEqual([]);
    // Nor is a breach that it brings along, which is a fact of the other ticket.
    const breached = { ...there, breachedAt: at('09:30'), due: at('09:30') };
    const brought = (when: Instant): Asked =>
      does('complete-merge', when, { merge: id(50), duplicate: id(101), mergedAt: when, clocks: [breached] });
    const begun = merged(at('12:00')).slice(0, 3);
    const life = lived(
      [...begun, brought(at('12:00')), says('note', at('13:00')), holds(at('12:30'), 'requester')],
      known([PLAIN, EVER]),
    );
    expect(clockOf(life, 'resolution')).toMatchObject({ change: 'corrected', breachedAt: at('09:30') });
    expect(told(life)).toEqual([]);
  });

  it('follow the policy that is in force: what it states from then on, beside what has fired', () => {
    const other = { ...WARNING, warnAt: { resolution: [[1, 4] as const, [3, 4] as const] } };
    const versions = known([WARNING, EVER], [other, at('12:00')]);
    const asked = [open(at('09:00')), answers(at('09:30')), prioritises(at('12:00'), 2)];
    expect(told(lived(asked, versions, at('18:00')))).toEqual([
      '02T12:00 resolution 1 warned 1/4',
      '02T15:45 resolution 1 warned 3/4',
    ]);
    expect(clockOf(lived(asked, versions), 'first-response')?.warnings).toHaveLength(1);
  });
});

describe('Messages in any order of recording', () => {
  const by = known([everyPromise('UTC'), EVER]);
  const START = toSeconds(at('09:00'));
  const message = fc.record({ customer: fc.boolean(), automatic: fc.boolean() });
  const told = fc
    .uniqueArray(fc.integer({ min: 1, max: 250_000 }), { minLength: 2, maxLength: 9 })
    .chain((seconds) =>
      fc.tuple(
        ...[...seconds].sort((a, b) => a - b).map((second) => message.map((of) => ({ ...of, second }))),
      ),
    )
    .map((messages) =>
      messages.map(({ customer, automatic, second }) =>
        says(customer ? 'received' : 'sent', toInstant(START + second), automatic),
      ),
    );
  const inAnyOrder = told.chain((messages) =>
    fc.record({
      messages: fc.constant(messages),
      shuffled: fc.shuffledSubarray(messages, { minLength: messages.length }),
    }),
  );

  it('come to the same clocks, breaches and warnings, and so they do whenever a timer looked', () => {
    fc.assert(
      fc.property(inAnyOrder, ({ messages, shuffled }) => {
        const end = toInstant(START + 600_000);
        const came = (asked: readonly Asked[]) => {
          const { state } = lived([open(at('09:00')), ...asked], by, end);
          if (state.status === 'none') throw new Error('there is no ticket');
          const sorted = (marks: readonly object[]): readonly string[] =>
            marks.map((mark) => JSON.stringify(Object.entries(mark).sort())).sort();
          return {
            clocks: Object.values(state.clocks)
              .map((clock) => ({ ...clock, change: '' }))
              .sort((a, b) => (a.clock < b.clock ? -1 : 1)),
            breaches: sorted(state.breaches),
            warned: sorted(state.warned),
          };
        };
        const straight = came(messages);
        expect(came(shuffled)).toEqual(straight);
        const looked = messages.flatMap((make) => [make, says('note', make(by).occurredAt)]);
        expect(came(looked)).toEqual(straight);
      }),
      { numRuns: 100 },
    );
  });
});
