import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { ticket, ticketEvents, ticketStream, type TicketCommand, type TicketState } from '#domain/desk';
import {
  activation,
  builtIn,
  policies as policiesOf,
  type PolicyDefinition,
  type Policies,
} from '#domain/sla';
import { codec, memoryLog, memoryVault, transactor, type Means } from '#engine/store';
import { instant, later, toInstant, toPosition, type Actor, type Instant, type Uuid } from '#kernel';
import { foresee, Preview, supposing } from './previewing.js';
import { retargetOpen, type OpenTicket, type Retargeting } from './retargeting.js';

const HOUR = 3600;
const EVER = instant('1970-01-01T00:00:00Z');
/** A Monday. */
const START = Date.UTC(2026, 10, 2, 9);
const ALICE: Actor = { id: '00000000-0000-8000-8000-00000000000a' as Uuid, role: 'agent' };
const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;

function chance(seed: string): Means['chance'] {
  let count = 0;
  return {
    bytes: (length) => createHash('sha512').update(`${seed} ${count++}`).digest().subarray(0, length),
  };
}

const row = (firstResponse: number, resolution: number) => ({ 'first-response': firstResponse, resolution });
const every = (target: number) => ({
  ...row(target, 5 * target),
  'next-response': target,
  'periodic-update': 2 * target,
  'hand-over-acceptance': target,
});
const DEFINITIONS: readonly PolicyDefinition[] = [
  {
    ...builtIn('UTC'),
    targets: { 1: row(600, HOUR), 2: row(600, HOUR), 3: row(HOUR, 9 * HOUR), 4: row(HOUR, 9 * HOUR) },
  },
  {
    ...builtIn('UTC'),
    targets: {
      1: row(HOUR, 8 * HOUR),
      2: row(HOUR, 9 * HOUR),
      3: row(9 * HOUR, 45 * HOUR),
      4: row(90 * HOUR, 90 * HOUR),
    },
  },
  { ...builtIn('America/New_York'), pausedBy: { 'first-response': ['requester'], resolution: ['vendor'] } },
  {
    ...builtIn('UTC'),
    calendar: { zone: 'UTC', always: true },
    pausedBy: { 'first-response': [], resolution: [] },
  },
  {
    ...builtIn('UTC'),
    targets: { 1: every(HOUR), 2: every(2 * HOUR), 3: every(3 * HOUR), 4: every(4 * HOUR) },
    pausedBy: { 'first-response': [], resolution: ['vendor'], 'next-response': ['requester'] },
    warnAt: { resolution: [[1, 2]] },
  },
];
const first = activation(builtIn('UTC'), {
  name: 'default',
  version: 1,
  source: 'built-in',
  effective: EVER,
});
const withSecond = (definition: PolicyDefinition, effective: Instant): Policies =>
  policiesOf([first, activation(definition, { name: 'default', version: 2, source: 'desk', effective })]);

/** Minutes that pass, and what is done then. */
type Act = readonly [
  minutes: number,
  does:
    | 'answer'
    | 'ask'
    | 'offer'
    | 'hold'
    | 'vendor'
    | 'resume'
    | 'raise'
    | 'lower'
    | 'resolve'
    | 'reopen'
    | 'nothing',
];
const acts = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 900 }),
    fc.constantFrom(
      'answer',
      'ask',
      'offer',
      'hold',
      'vendor',
      'resume',
      'raise',
      'lower',
      'resolve',
      'reopen',
      'nothing',
    ),
  ) as fc.Arbitrary<Act>,
  { maxLength: 8 },
);

const bare = policiesOf([first]);

/** A desk on a memory log whose clock stands where it is put. */
function desk(seed: string) {
  const store = memoryLog();
  let milliseconds = START;
  const means: Means = {
    store,
    codec: codec({
      catalogue: ticketEvents,
      vault: memoryVault(chance(`vault ${seed}`)),
      chance: chance(seed),
    }),
    chance: chance(`ids ${seed}`),
    clock: { now: () => milliseconds },
    engine: '1',
  };
  const tickets = transactor({ ...means, decider: ticket });
  const command = async (n: number, make: (common: object) => object): Promise<void> => {
    await tickets.transact(
      { stream: ticketStream(id(n)), actor: ALICE, correlation: 'test' },
      (occurredAt) => make({ occurredAt, by: ALICE, policies: bare }) as TicketCommand,
    );
  };
  const does = (n: number, act: Act[1]): Promise<void> => {
    switch (act) {
      case 'answer':
        return command(n, (common) => ({
          ...common,
          type: 'add-message',
          kind: 'sent',
          channel: 'e-mail',
          autoReply: false,
          text: 'x',
        }));
      case 'ask':
        return command(n, (common) => ({
          ...common,
          type: 'add-message',
          kind: 'received',
          channel: 'e-mail',
          autoReply: false,
          text: 'x',
        }));
      case 'offer':
        return command(n, (common) => ({
          ...common,
          type: 'offer-handover',
          handover: id(5_000 + n),
          agent: id(6_000),
          reason: 'x',
        }));
      case 'hold':
        return command(n, (common) => ({ ...common, type: 'hold-ticket', reason: 'requester' }));
      case 'vendor':
        return command(n, (common) => ({ ...common, type: 'hold-ticket', reason: 'vendor' }));
      case 'resume':
        return command(n, (common) => ({ ...common, type: 'resume-ticket' }));
      case 'raise':
        return command(n, (common) => ({ ...common, type: 'prioritise-ticket', priority: 1 }));
      case 'lower':
        return command(n, (common) => ({ ...common, type: 'prioritise-ticket', priority: 4 }));
      case 'resolve':
        return command(n, (common) => ({ ...common, type: 'resolve-ticket', resolution: 'solved' }));
      case 'reopen':
        return command(n, (common) => ({ ...common, type: 'reopen-ticket' }));
      case 'nothing':
        return Promise.resolve();
    }
  };
  return {
    store,
    tickets,
    now: (): Instant => toInstant(milliseconds / 1000),
    pass: (minutes: number): void => void (milliseconds += minutes * 60_000),
    open: (n: number) =>
      command(n, (common) => ({
        ...common,
        type: 'open-ticket',
        number: `T-${n}`,
        channel: 'web',
        requester: id(1_000 + n),
        tier: 'base',
        subject: 's',
        text: 't',
        policy: 'default',
        importing: false,
        carriesMessages: true,
      })),
    does,
    state: async (n: number): Promise<TicketState> => (await tickets.load(ticketStream(id(n)))).state,
  };
}

type Desk = ReturnType<typeof desk>;

async function rowsOf(of: Desk, count: number): Promise<readonly OpenTicket[]> {
  const rows: OpenTicket[] = [];
  for (let n = 1; n <= count; n++) {
    const state = await of.state(n);
    if (state.status !== 'open') continue;
    rows.push({
      ticket: id(n),
      opened: toPosition(n),
      openedAt: state.history[0]!.at,
      policy: state.policy,
      clocks: Object.values(state.clocks),
    });
  }
  return rows;
}

const retargeting = (
  of: Desk,
  policies: Policies,
  rows: () => Promise<readonly OpenTicket[]>,
): Retargeting => ({
  versions: () => [],
  policies: () => policies,
  open: async (after, limit) =>
    (await rows()).filter(({ opened }) => after === null || opened > after).slice(0, limit),
  tickets: of.tickets,
  now: async () => of.now(),
  correlation: () => 'retargeting',
  logger: {
    info: () => {},
    warn: () => {},
    error: (_: unknown, text: string) => {
      throw new Error(text);
    },
  } as never,
  pause: async () => {},
});

const never = new AbortController().signal;

describe('Re-targeting the open tickets of a policy', () => {
  test('does what the preview showed, to the second, and does it once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(acts, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...DEFINITIONS),
        fc.integer({ min: 0, max: 120 }),
        async (histories, definition, lateBy) => {
          const here = desk('property');
          for (const [i, history] of histories.entries()) {
            await here.open(i + 1);
            for (const [minutes, act] of history) {
              here.pass(minutes);
              await here.does(i + 1, act);
            }
          }
          const effective = here.now();
          const supposed = supposing('default', definition, bare, effective);
          const foreseen = new Map<Uuid, ReturnType<typeof foresee>>();
          const before = new Map<Uuid, TicketState>();
          for (const { ticket: known } of await rowsOf(here, histories.length)) {
            const { state } = await here.tickets.load(ticketStream(known));
            before.set(known, state);
            foreseen.set(known, foresee(state, supposed));
          }

          // The desk gets to it somewhat later; what counts is from when on the version is in force.
          here.pass(lateBy);
          const policies = withSecond(definition, effective);
          const versions = [{ name: 'default', ref: 'default@2', effective }];
          const loop = retargeting(here, policies, () => rowsOf(here, histories.length));
          await retargetOpen(loop, versions, never);
          for (const [known, { moved }] of foreseen) {
            const { state } = await here.tickets.load(ticketStream(known));
            const old = before.get(known)!;
            if (state.status === 'none' || old.status === 'none') throw new Error('it is gone');
            for (const { clock, due, breachedAt, state: stood } of Object.values(old.clocks)) {
              const open = stood === 'running' || stood === 'paused';
              if (!open || breachedAt !== null || (due !== null && due < effective)) continue;
              if (moved.every((each) => each.clock !== clock))
                expect([clock, state.clocks[clock]!.due]).toEqual([clock, due]);
            }
            for (const { clock, to } of moved) expect([clock, state.clocks[clock]!.due]).toEqual([clock, to]);
          }
          const head = await here.store.head();
          expect(await retargetOpen(loop, versions, never)).toBe(0);
          expect(await here.store.head()).toEqual(head);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('counts what would move, by how much, and what would be due at once', async () => {
    const here = desk('count');
    for (let n = 1; n <= 4; n++) await here.open(n);
    await here.does(2, 'answer');
    await here.does(3, 'hold');
    here.pass(120);
    const preview = new Preview();
    const supposed = supposing('default', DEFINITIONS[0]!, bare, here.now());
    for (let n = 1; n <= 4; n++) preview.add(foresee(await here.state(n), supposed));
    // First response 13:00 to 11:00 at once; resolution Wednesday 18:00 to Monday 18:00, but the one that waits.
    expect(preview.summary()).toEqual({
      tickets: 4,
      promises: 7,
      movedTickets: 4,
      movedDues: 6,
      earlier: 6,
      later: 0,
      begun: 0,
      ended: 0,
      atOnce: 3,
      seconds: { least: -48 * HOUR, median: -48 * HOUR, greatest: -2 * HOUR },
    });
  });

  test('two desks at it at once re-target each ticket once', async () => {
    const here = desk('race');
    for (let n = 1; n <= 40; n++) await here.open(n);
    here.pass(60);
    const effective = here.now();
    const policies = withSecond(DEFINITIONS[0]!, effective);
    const other = { ...here, tickets: transactor({ ...otherMeans(here), decider: ticket }) } as Desk;
    const versions = [{ name: 'default', ref: 'default@2', effective }];
    const done = await Promise.all(
      [here, other].map((each) =>
        retargetOpen(
          retargeting(each, policies, () => rowsOf(here, 40)),
          versions,
          never,
        ),
      ),
    );
    expect(done[0]! + done[1]!).toBe(40);
    for (let n = 1; n <= 40; n++) {
      const stored = await here.store.readStream(ticketStream(id(n)));
      expect(stored.filter(({ type }) => type === 'desk.ticket-retargeted.v1')).toHaveLength(1);
    }
  });

  test('leaves a ticket alone that was opened under a later version, and follows two versions in their order', async () => {
    const here = desk('versions');
    await here.open(1);
    here.pass(60);
    const second = here.now();
    here.pass(60);
    const third = here.now();
    const policies = policiesOf([
      first,
      activation(DEFINITIONS[0]!, { name: 'default', version: 2, source: 'desk', effective: second }),
      activation(DEFINITIONS[1]!, { name: 'default', version: 3, source: 'desk', effective: third }),
    ]);
    const versions = [
      { name: 'default', ref: 'default@3', effective: third },
      { name: 'default', ref: 'default@2', effective: second },
    ];
    await retargetOpen(
      retargeting(here, policies, () => rowsOf(here, 1)),
      versions,
      never,
    );
    const stored = await here.store.readStream(ticketStream(id(1)));
    const told = stored
      .filter(({ type }) => type === 'desk.ticket-retargeted.v1')
      .map(({ body }) => /"policy":"(default@\d)"/.exec(body)?.[1]);
    expect(told).toEqual(['default@2', 'default@3']);
    const state = await here.state(1);
    expect(state.status !== 'none' && state.clocks.resolution.policy).toBe('default@3');
    expect(later(second, third)).toBe(third);
  });
});

/** The same log through another process. */
function otherMeans(of: Desk): Means {
  return {
    store: of.store.another(),
    codec: codec({
      catalogue: ticketEvents,
      vault: memoryVault(chance('vault race')),
      chance: chance('other'),
    }),
    chance: chance('other ids'),
    clock: { now: () => Date.parse(of.now()) },
    engine: '1',
  };
}
