import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { activation, builtIn, policies, type Policies } from '#domain/sla';
import { builtInPolicies, everyPromisePolicies } from '#domain/sla/testing';
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
  type Position,
  type Recorded,
  type Uuid,
} from '#kernel';
import { explainPromises, standing, type Explained } from './explaining.js';
import type { TicketCommand } from './ticket-commands.js';
import { ticketEvents, type TicketEvent, type TicketFact } from './ticket-events.js';
import { ticket, type TicketState } from './ticket.js';

// Monday to Friday 09:00 to 18:00 UTC; priority 3: first response 4 h, resolution 27 h of open time.
const UTC = builtInPolicies('UTC');
const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const REQUESTER: PersonId = id(10);
const ALICE: Actor = { id: id(11), role: 'agent' };
const BOB: Actor = { id: id(12), role: 'agent' };
const CUSTOMER: Actor = { id: REQUESTER, role: 'customer' };
const HOUR = 3600;

/** 2 November 2026 was a Monday. */
const at = (time: string, day = 2): Instant => instant(`2026-11-${String(day).padStart(2, '0')}T${time}:00Z`);

type Of<T extends TicketCommand['type']> = Extract<TicketCommand, { readonly type: T }>;
type Asked = (policies: Policies) => TicketCommand;
const does =
  <T extends TicketCommand['type']>(
    type: T,
    occurredAt: Instant,
    rest: Omit<Of<T>, 'type' | 'occurredAt' | 'by' | 'policies'>,
    by: Actor = ALICE,
  ): Asked =>
  (policies) =>
    ({ type, occurredAt, by, policies, ...rest }) as unknown as TicketCommand;

const open = (when: Instant): Asked =>
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
  });
const says = (kind: 'sent' | 'received', when: Instant): Asked =>
  does(
    'add-message',
    when,
    { kind, channel: 'e-mail', autoReply: false, text: 'well' },
    kind === 'sent' ? ALICE : CUSTOMER,
  );
const holds = (when: Instant, reason: 'requester' | 'vendor' = 'requester', by = ALICE): Asked =>
  does('hold-ticket', when, { reason }, by);
const resumes = (when: Instant): Asked => does('resume-ticket', when, {});
const resolves = (when: Instant): Asked => does('resolve-ticket', when, { resolution: 'solved' });
const reopens = (when: Instant): Asked => does('reopen-ticket', when, {});
const prioritises = (when: Instant, priority: 1 | 2 | 3 | 4): Asked =>
  does('prioritise-ticket', when, { priority }, BOB);

/** The stream that commands make, recorded as they come; those that are refused are left out. */
function recorded(asked: readonly Asked[], by: Policies = UTC): readonly Recorded<TicketEvent>[] {
  const events: Recorded<TicketEvent>[] = [];
  let state: TicketState = ticket.initial;
  // A late command is recorded now, which is when the latest of all so far occurred.
  let now = '1970-01-01T00:00:00Z' as Instant;
  for (const [append, make] of asked.entries()) {
    const command = make(by);
    if (command.occurredAt > now) now = command.occurredAt;
    const came = decideInTurn(ticket, ticketEvents, state, [command], now, command.by);
    if ('refused' in came) continue;
    for (const fact of came.facts) {
      const event: Occurred<TicketEvent> = occur<TicketFact, TicketEvent>(ticketEvents, fact, {
        occurredAt: command.occurredAt,
        actor: command.by,
      });
      const revision = events.length;
      events.push({
        ...event,
        id: id(1000 + revision),
        stream: 'ticket-x',
        revision,
        position: String(revision) as Position,
        recordedAt: toSeconds(now) * 1_000_000,
        correlation: `append ${append}`,
        engine: '1',
      });
    }
    state = came.state;
  }
  return events;
}

const hours = (seconds: number): string =>
  `${Math.trunc(seconds / HOUR)}:${String(Math.abs(seconds / 60) % 60).padStart(2, '0')}`;
const short = (when: Instant): string => `${Number(when.slice(8, 10))} ${when.slice(11, 16)}`;

function told({ lines }: Explained): readonly string[] {
  return lines.map((line) => {
    const when = line.from === line.to ? short(line.from) : `${short(line.from)} – ${short(line.to)}`;
    const by =
      line.kind === 'paused'
        ? line.reasons
            .map(({ reason, source }) => ` for ${reason} by ${source.by.role} ${source.by.id.slice(-2)}`)
            .join()
        : '';
    const event = line.source === null ? 'not recorded' : `#${line.source.revision} ${line.source.type}`;
    return `${line.ahead ? '> ' : ''}${when} ${line.kind}${by} ${hours(line.counted)} = ${hours(line.sum)} ${event}`;
  });
}

function explained(
  asked: readonly Asked[],
  now: Instant,
  by: Policies = UTC,
): readonly [Explained, Explained] {
  const [first, resolution] = explainPromises(recorded(asked, by), by, now);
  for (const promise of [first!, resolution!]) expect(promise.agrees).toBe(true);
  return [first!, resolution!];
}

describe('Why a promise stands as it does', () => {
  it('is told by events: an answer that took the night, a hold of whom and for what, a resolve', () => {
    const [first, resolution] = explained(
      [
        open(at('14:00')),
        says('sent', at('15:00')),
        holds(at('17:00')),
        says('received', at('10:00', 3)),
        resolves(at('12:00', 3)),
      ],
      at('09:00', 9),
    );
    // Of 4 h one was used; the due would have been at closing time.
    expect(told(first)).toEqual([
      '2 14:00 started 0:00 = 0:00 #0 desk.ticket-opened.v1',
      '2 14:00 – 2 15:00 open 1:00 = 1:00 #0 desk.ticket-opened.v1',
      '2 15:00 ended 0:00 = 1:00 #1 desk.message-sent.v1',
      '> 2 15:00 – 2 18:00 open 3:00 = 4:00 #1 desk.message-sent.v1',
    ]);
    expect(first.standing).toMatchObject({ state: 'met', due: at('18:00'), consumed: HOUR, breached: false });
    // 3 h until the hold, 2 h after the customer's word. 22 h are left: 6 h of Tuesday, nine of Wednesday, seven
    // of Thursday.
    expect(told(resolution)).toEqual([
      '2 14:00 started 0:00 = 0:00 #0 desk.ticket-opened.v1',
      '2 14:00 – 2 17:00 open 3:00 = 3:00 #0 desk.ticket-opened.v1',
      '2 17:00 – 3 10:00 paused for requester by agent 11 0:00 = 3:00 #2 desk.ticket-held.v1',
      '3 10:00 – 3 12:00 open 2:00 = 5:00 #4 desk.ticket-resumed.v1',
      '3 12:00 ended 0:00 = 5:00 #5 desk.ticket-resolved.v1',
      '> 3 12:00 – 3 18:00 open 6:00 = 11:00 #5 desk.ticket-resolved.v1',
      '> 3 18:00 – 4 09:00 closed 0:00 = 11:00 #5 desk.ticket-resolved.v1',
      '> 4 09:00 – 4 18:00 open 9:00 = 20:00 #5 desk.ticket-resolved.v1',
      '> 4 18:00 – 5 09:00 closed 0:00 = 20:00 #5 desk.ticket-resolved.v1',
      '> 5 09:00 – 5 16:00 open 7:00 = 27:00 #5 desk.ticket-resolved.v1',
    ]);
    expect(resolution.standing).toMatchObject({ state: 'met', due: at('16:00', 5), remaining: 22 * HOUR });
  });

  it('names the recorded breach, and none where it is not recorded yet', () => {
    const asked = [open(at('09:00')), prioritises(at('09:30'), 1)];
    // Priority 1: 30 min, used up at 09:30, due there and then.
    const [before] = explained(asked, at('09:31'));
    expect(told(before).slice(1)).toEqual([
      '2 09:00 – 2 09:30 open 0:30 = 0:30 #0 desk.ticket-opened.v1',
      '2 09:30 retargeted 0:00 = 0:30 #1 desk.ticket-prioritised.v1',
      '2 09:30 breached 0:00 = 0:30 not recorded',
      '2 09:30 – 2 09:31 open 0:01 = 0:31 #1 desk.ticket-prioritised.v1',
    ]);
    expect(before.standing).toMatchObject({ breached: true, breachedAt: null, remaining: -60 });
    const [after] = explained([...asked, says('sent', at('10:00'))], at('09:00', 9));
    expect(told(after).slice(3)).toEqual([
      '2 09:30 breached 0:00 = 0:30 #2 sla.clock-breached.v1',
      '2 09:30 – 2 10:00 open 0:30 = 1:00 #1 desk.ticket-prioritised.v1',
      '2 10:00 ended 0:00 = 1:00 #3 desk.message-sent.v1',
    ]);
  });

  it('tells of a breach that a late answer made untrue', () => {
    const [first] = explained(
      [open(at('09:00')), holds(at('14:00')), says('sent', at('12:00'))],
      at('09:00', 9),
    );
    expect(told(first)).toEqual([
      '2 09:00 started 0:00 = 0:00 #0 desk.ticket-opened.v1',
      '2 09:00 – 2 12:00 open 3:00 = 3:00 #0 desk.ticket-opened.v1',
      '2 12:00 ended 0:00 = 3:00 #3 desk.message-sent.v1',
      '2 12:00 – 2 13:00 rested 0:00 = 3:00 #3 desk.message-sent.v1',
      '2 13:00 breached 0:00 = 3:00 #1 sla.clock-breached.v1',
      '2 13:00 annulled 0:00 = 3:00 #4 sla.breach-annulled.v1',
      '> 2 12:00 – 2 13:00 open 1:00 = 4:00 #3 desk.message-sent.v1',
    ]);
    expect(first.standing).toMatchObject({ state: 'met', breached: false, breachedAt: null });
  });

  it('tells what became of a first response that nobody owed any more, and of one that came back', () => {
    const [ended] = explained([open(at('09:00')), resolves(at('10:00'))], at('09:00', 9));
    expect(told(ended).at(-1)).toBe('2 10:00 ended 0:00 = 1:00 #1 desk.ticket-resolved.v1');
    expect(ended.standing).toMatchObject({ state: 'not-applicable', due: null });
    const [revived] = explained(
      [open(at('09:00')), resolves(at('10:00')), reopens(at('11:00'))],
      at('12:00'),
    );
    expect(told(revived).slice(3)).toEqual([
      '2 10:00 – 2 11:00 rested 0:00 = 1:00 #1 desk.ticket-resolved.v1',
      '2 11:00 reopened 0:00 = 1:00 #2 desk.ticket-reopened.v1',
      '2 11:00 – 2 12:00 open 1:00 = 2:00 #2 desk.ticket-reopened.v1',
      '> 2 12:00 – 2 14:00 open 2:00 = 4:00 #2 desk.ticket-reopened.v1',
    ]);
  });

  it('names the merge by which another ticket’s clock goes on here', () => {
    const other = recorded([open(at('09:00')), prioritises(at('09:00'), 2)]);
    const theirs = explainPromises(other, UTC, at('10:00'))[1]!.standing;
    const merged: readonly Asked[] = [
      open(at('09:30')),
      does('merge-ticket', at('10:00'), { self: id(100), merge: id(50), duplicate: id(101) }),
      does('complete-merge', at('10:00'), {
        merge: id(50),
        duplicate: id(101),
        mergedAt: at('10:00'),
        clocks: [{ ...theirs, change: 'ended', clock: 'resolution' }],
      }),
    ];
    const [, resolution] = explained(merged, at('11:00'));
    // The other had used 1 h of 9: eight are left, one of them gone by 11:00.
    expect(told(resolution)).toEqual([
      '2 09:30 started 0:00 = 0:00 #0 desk.ticket-opened.v1',
      '2 09:30 – 2 10:00 open 0:30 = 0:30 #0 desk.ticket-opened.v1',
      '2 10:00 adopted 0:30 = 1:00 #2 desk.merge-completed.v1',
      '2 10:00 – 2 11:00 open 1:00 = 2:00 #2 desk.merge-completed.v1',
      '> 2 11:00 – 2 18:00 open 7:00 = 9:00 #2 desk.merge-completed.v1',
    ]);
  });

  it('judges the reasons of a pause by the policy that is in force', () => {
    const effective = instant('1970-01-01T00:00:00Z');
    const plain = builtIn('UTC');
    const strict = policies([
      activation(plain, { name: 'default', version: 1, source: 'built-in', effective }),
      activation(
        { ...plain, pausedBy: { 'first-response': [], resolution: ['vendor'] } },
        { name: 'default', version: 2, source: 'desk', effective: at('12:00') },
      ),
    ]);
    const [, resolution] = explained(
      [open(at('09:00')), holds(at('10:00'), 'vendor', BOB), prioritises(at('12:00'), 2)],
      at('13:00'),
      strict,
    );
    // Waiting for the vendor counts until the second version says that it pauses.
    expect(told(resolution).slice(1)).toEqual([
      '2 09:00 – 2 12:00 open 3:00 = 3:00 #0 desk.ticket-opened.v1',
      '2 12:00 retargeted 0:00 = 3:00 #2 desk.ticket-prioritised.v1',
      '2 12:00 – 2 13:00 paused for vendor by agent 12 0:00 = 3:00 #2 desk.ticket-prioritised.v1',
    ]);
  });

  it('names warnings where their share is used up, recorded or not yet, and each cycle of what is owed anew', () => {
    const every = everyPromisePolicies('UTC');
    const asked = [open(at('09:00')), says('sent', at('10:00')), says('received', at('10:30'))];
    const all = explainPromises(recorded([...asked, says('sent', at('12:00'))], every), every, at('17:00'));
    const [, next, , update] = all;
    expect(all.map(({ standing: { clock }, agrees }) => [clock, agrees])).toEqual([
      ['first-response', true],
      ['next-response', true],
      ['resolution', true],
      ['periodic-update', true],
    ]);
    // Promised in 2 h; half of it is used up by 11:30.
    expect(told(next!)).toEqual([
      '2 10:30 started 0:00 = 0:00 #2 desk.message-received.v1',
      '2 10:30 – 2 11:30 open 1:00 = 1:00 #2 desk.message-received.v1',
      '2 11:30 warned 0:00 = 1:00 #3 sla.clock-warned.v1',
      '2 11:30 – 2 12:00 open 0:30 = 1:30 #2 desk.message-received.v1',
      '2 12:00 ended 0:00 = 1:30 #4 desk.message-sent.v1',
      '> 2 12:00 – 2 12:30 open 0:30 = 2:00 #4 desk.message-sent.v1',
    ]);
    expect(told(update!).slice(-7)).toEqual([
      '2 10:00 – 2 12:00 open 2:00 = 2:00 #1 desk.message-sent.v1',
      '2 12:00 ended 0:00 = 2:00 #4 desk.message-sent.v1',
      '2 12:00 restarted 0:00 = 0:00 #4 desk.message-sent.v1',
      '2 12:00 – 2 17:00 open 5:00 = 5:00 #4 desk.message-sent.v1',
      '> 2 17:00 – 2 18:00 open 1:00 = 6:00 #4 desk.message-sent.v1',
      '> 2 18:00 – 3 09:00 closed 0:00 = 6:00 #4 desk.message-sent.v1',
      '> 3 09:00 – 3 12:00 open 3:00 = 9:00 #4 desk.message-sent.v1',
    ]);
    const unrecorded = explainPromises(recorded(asked, every), every, at('12:00'))[1]!;
    expect(told(unrecorded)[2]).toBe('2 11:30 warned 0:00 = 1:00 not recorded');
  });

  it('is computed by the zone rules that the events name', () => {
    // The rules of 2025c put Vancouver back an hour on 1 November 2026, those of 2026f do not.
    const facts = (tzdb: string): Policies =>
      policies(
        [
          activation(builtIn('America/Vancouver'), {
            name: 'default',
            version: 1,
            source: 'built-in',
            effective: instant('1970-01-01T00:00:00Z'),
          }),
        ],
        tzdb,
      );
    const asked = [open(at('12:00'))];
    const [old, now] = ['2025c', '2026f'].map((tzdb) => recorded(asked, facts(tzdb)));
    const [before] = explainPromises(old!, facts('2026f'), at('23:00'));
    const [after] = explainPromises(now!, facts('2026f'), at('23:00'));
    expect(before).toMatchObject({ agrees: true, standing: { tzdb: '2025c', due: at('21:00') } });
    expect(after).toMatchObject({ agrees: true, standing: { tzdb: '2026f', due: at('20:00') } });
    // Rules that are not here any more, or not yet: it says that it does not come to what was recorded.
    const unknown = JSON.parse(JSON.stringify(old!).replaceAll('2025c', '2031a')) as typeof old;
    expect(explainPromises(unknown!, facts('2026f'), at('23:00'))[0]!.agrees).toBe(false);
  });

  it('of nothing is nothing', () => {
    expect(explainPromises([], UTC, at('09:00'))).toEqual([]);
  });
});

const FALLEN: ReadonlySet<string> = new Set([
  'sla.clock-breached.v1',
  'sla.breach-annulled.v1',
  'sla.clock-warned.v1',
  'sla.warning-annulled.v1',
]);

describe.each([
  ['the built-in policy', UTC],
  ['a policy that makes every promise', everyPromisePolicies('UTC')],
])('Whatever happened to a ticket under %s, late facts among it', (_, by) => {
  const step: fc.Arbitrary<(when: Instant) => Asked> = fc.oneof(
    { weight: 2, arbitrary: fc.constant((when: Instant) => says('sent', when)) },
    { weight: 2, arbitrary: fc.constant((when: Instant) => says('received', when)) },
    fc
      .constantFrom('requester' as const, 'vendor' as const)
      .map((reason) => (when: Instant) => holds(when, reason)),
    fc.constant(resumes),
    fc.constant(resolves),
    fc.constant(reopens),
    fc
      .constantFrom(1 as const, 2 as const, 3 as const, 4 as const)
      .map((to) => (when: Instant) => prioritises(when, to)),
    fc.constant((when: Instant) =>
      does('hand-to-vendor', when, { vendor: { id: id(40), of: id(1), text: 'v' } }),
    ),
    fc.constant((when: Instant) => does('take-back', when, {})),
    fc.constant((when: Instant) =>
      does('offer-handover', when, { handover: id(60), agent: BOB.id, reason: 'busy' }),
    ),
    fc.constant((when: Instant) => does('accept-handover', when, {}, BOB)),
    fc.constant((when: Instant) => does('decline-handover', when, { reason: 'no' }, BOB)),
    fc
      .constantFrom(ALICE, BOB)
      .map((agent) => (when: Instant) => does('assign-ticket', when, { agent: agent.id })),
  );
  const lives = fc
    .array(
      fc.record({
        step,
        later: fc.integer({ min: 0, max: 100_000 }),
        late: fc.option(fc.integer({ min: 1, max: 200_000 }), { freq: 3 }),
      }),
      {
        maxLength: 12,
      },
    )
    .map((steps) => {
      const begin = toSeconds(at('09:00'));
      let now = begin;
      return [
        open(at('09:00')),
        ...steps.map(({ step, later, late }) => {
          now += later;
          return step(toInstant(Math.max(begin, now - (late ?? 0))));
        }),
      ];
    });
  const after = fc.integer({ min: 0, max: 1_000_000 });

  it('the ledger comes to what the events recorded, and adds up to it', () => {
    fc.assert(
      fc.property(lives, after, (asked, wait) => {
        const events = recorded(asked, by);
        const now = toInstant(Math.max(...events.map(({ occurredAt }) => toSeconds(occurredAt))) + wait);
        for (const { standing: stands, lines, agrees } of explainPromises(events, by, now)) {
          expect({ agrees, clock: stands.clock }).toEqual({ agrees: true, clock: stands.clock });
          const counted = lines
            .filter(({ cycle, ahead }) => cycle === stands.cycle && !ahead)
            .reduce((sum, line) => sum + line.counted, 0);
          expect(counted).toBe(stands.consumed);
          expect(stands.target - counted).toBe(stands.remaining);
          // A clock that a late fact lets nobody promise has no lines but those of what was recorded.
          const last = lines.at(-1);
          if (last?.ahead) expect([last.to, last.sum]).toEqual([stands.due, stands.target]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('every breach and warning that was recorded is in it, and so is what annulled it', () => {
    fc.assert(
      fc.property(lives, after, (asked, wait) => {
        const events = recorded(asked, by);
        const now = toInstant(Math.max(...events.map(({ occurredAt }) => toSeconds(occurredAt))) + wait);
        const named = new Set(
          explainPromises(events, by, now).flatMap(({ lines }) => lines.map(({ source }) => source?.event)),
        );
        for (const { type, id } of events)
          if (FALLEN.has(type)) expect({ type, named: named.has(id) }).toEqual({ type, named: true });
      }),
      { numRuns: 200 },
    );
  });

  it('a look at what any earlier append left is what it was then', () => {
    fc.assert(
      fc.property(lives, fc.nat(), (asked, pick) => {
        const events = recorded(asked, by);
        const append = events[pick % events.length]!.correlation;
        const known = events.slice(0, events.findLastIndex(({ correlation }) => correlation === append) + 1);
        const now = known.reduce(
          (latest, { occurredAt }) => (occurredAt > latest ? occurredAt : latest),
          known[0]!.occurredAt,
        );
        for (const { agrees } of explainPromises(known, by, now)) expect(agrees).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('a clock that stands still stands as it was recorded', () => {
    const [opened] = recorded([open(at('09:00'))], by);
    if (opened?.type !== 'desk.ticket-opened.v1') throw new Error('nothing was opened');
    const [record] = opened.data.clocks;
    const held = { ...record!, state: 'paused' as const, due: null, reasons: ['requester' as const] };
    expect(standing(held, UTC, at('17:00'))).toMatchObject({
      asOf: at('09:00'),
      consumed: 0,
      breached: false,
    });
  });
});
