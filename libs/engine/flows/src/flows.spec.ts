import { beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  LINK_KINDS,
  ticket,
  ticketStream,
  type TicketCommand,
  type TicketEvent,
  type TicketRefusal,
  type TicketState,
} from '#domain/desk';
import { builtInPolicies } from '#domain/sla/testing';
import { everyEvent } from '#engine/catalogue';
import { identities } from '#engine/identity';
import {
  codec,
  LogUnavailable,
  memoryLog,
  memoryVault,
  transactor,
  type Means,
  type MemoryLog,
  type Transactor,
} from '#engine/store';
import { HOUSE, START, silent, toPosition, type Actor, type Event, type Recorded, type Uuid } from '#kernel';
import {
  everyFlow,
  ForeignFlow,
  linking,
  memoryCheckpoints,
  merging,
  mirrored,
  runFlow,
  type Flow,
  type FlowCheckpoints,
  type Flowing,
} from './index.js';

type Tickets = Transactor<TicketState, TicketCommand, TicketEvent, TicketRefusal>;
type Kind<T extends TicketCommand['type']> = Extract<TicketCommand, { readonly type: T }>;

const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const [A, B, C] = [id(101), id(102), id(103)];
const AGENT: Actor = { id: id(1), role: 'agent' };
const policies = builtInPolicies('UTC');
const { derived } = identities(Buffer.alloc(32, 7));
/** A Monday in opening hours, and a second a look. */
const MORNING = Date.UTC(2026, 10, 2, 10);

let log: MemoryLog;
let means: Means;
let tickets: Tickets;
let checkpoints: FlowCheckpoints;

beforeEach(begin);

function begin(): void {
  let [count, second] = [0, 0];
  const chance: Means['chance'] = {
    bytes: (length) => createHash('sha512').update(`${count++}`).digest().subarray(0, length),
  };
  log = memoryLog({ clock: () => (MORNING + second++ * 1000) * 1000 });
  means = {
    store: log,
    codec: codec({ catalogue: everyEvent, vault: memoryVault(chance), chance }),
    chance,
    clock: { now: () => MORNING + second * 1000 },
    engine: '1',
  };
  tickets = transactor({ ...means, decider: ticket });
  checkpoints = memoryCheckpoints();
}

async function does<T extends TicketCommand['type']>(
  type: T,
  on: Uuid,
  rest: Omit<Kind<T>, 'type' | 'occurredAt' | 'by' | 'policies'>,
) {
  return tickets.transact(
    { stream: ticketStream(on), actor: AGENT, correlation: 'from-a-client' },
    (occurredAt) => ({ type, occurredAt, by: AGENT, policies, ...rest }) as unknown as TicketCommand,
  );
}
const opens = (on: Uuid, importing = false) =>
  does('open-ticket', on, {
    number: 'T-1',
    channel: 'phone',
    requester: id(2),
    tier: 'base',
    subject: 'printer',
    text: 'it burns',
    policy: 'default',
    importing,
    carriesMessages: true,
  });
const merges = (survivor: Uuid, duplicate: Uuid, merge: Uuid): Promise<{ readonly outcome: string }> =>
  does('merge-ticket', survivor, { self: survivor, merge, duplicate });

const state = async (of: Uuid): Promise<Exclude<TicketState, { status: 'none' }>> => {
  const { state } = await tickets.load(ticketStream(of));
  if (state.status === 'none') throw new Error('no such ticket');
  return state;
};
const events = async (of?: Uuid): Promise<Recorded<Event>[]> =>
  (of ? await log.readStream(ticketStream(of)) : await log.readAll(START, 10_000)).map(means.codec.decode);
const types = async (of: Uuid): Promise<string[]> => (await events(of)).map(({ type }) => type);

/** Runs flows until each has seen everything there is, what they bring about included. */
async function settles(flows: readonly Flow[] = everyFlow, changes: Partial<Flowing> = {}): Promise<void> {
  const stop = new AbortController();
  const behind = new Map<Flow, boolean>();
  await Promise.all(
    flows.map((flow) => {
      const store: Flowing['store'] = {
        readStream: (...asked) => log.readStream(...asked),
        identity: () => log.identity(),
        at: (position) => log.at(position),
        subscribe: async function* (after, options) {
          for await (const batch of log.subscribe(after, options)) {
            behind.set(flow, true);
            yield batch;
            behind.set(flow, !batch.caughtUp || batch.position !== (await log.head()).position);
            if (flows.every((each) => behind.get(each) === false)) stop.abort();
          }
        },
      };
      return runFlow(
        {
          store,
          codec: means.codec,
          checkpoints,
          tickets,
          policies: () => policies,
          derived: (cause, step, fact) => derived('step', cause, step, String(fact)),
          logger: silent,
          pause: async () => {},
          ...changes,
        },
        flow,
        stop.signal,
      );
    }),
  );
}

describe('Merging', () => {
  it('ends the duplicate in the survivor, which goes on with the earlier promise', async () => {
    await opens(A);
    await does('prioritise-ticket', A, { priority: 4 });
    await opens(B);
    const earlier = await state(B);
    await merges(A, B, id(50));
    await settles();
    const [survivor, duplicate] = [await state(A), await state(B)];
    expect(duplicate).toMatchObject({ status: 'merged', into: A, merge: id(50) });
    expect(survivor).toMatchObject({ status: 'open' });
    expect(survivor.merging).toBeUndefined();
    expect(survivor.clocks.resolution.due).toBe(earlier.clocks.resolution.due);
    expect((await types(A)).at(-1)).toBe('desk.merge-completed.v1');
  });

  it('is done by the house in the name of who began it, and names its cause', async () => {
    await opens(A);
    await opens(B);
    await merges(A, B, id(50));
    await settles();
    const begun = (await events(A)).find(({ type }) => type === 'desk.merge-begun.v1')!;
    const merged = (await events(B)).find(({ type }) => type === 'desk.ticket-merged.v1')!;
    const completed = (await events(A)).find(({ type }) => type === 'desk.merge-completed.v1')!;
    expect(merged).toMatchObject({
      actor: { id: HOUSE, role: 'system', onBehalfOf: AGENT.id },
      causation: begun.id,
      correlation: 'from-a-client',
    });
    expect(completed).toMatchObject({
      actor: { id: HOUSE, onBehalfOf: AGENT.id },
      causation: merged.id,
      correlation: 'from-a-client',
    });
  });

  it.each([
    ['unknown-ticket', async () => {}],
    [
      'closed',
      async () =>
        void [
          await opens(B),
          await does('resolve-ticket', B, { resolution: 'solved' }),
          await does('close-ticket', B, {}),
        ],
    ],
    [
      'already-merged',
      async () => void [await opens(B), await opens(C), await merges(C, B, id(40)), await settles()],
    ],
    ['merge-pending', async () => void [await opens(B), await opens(C), await merges(B, id(999), id(40))]],
  ] as [string, () => Promise<void>][])(
    'is withdrawn where the duplicate refuses: %s',
    async (because, given) => {
      await opens(A);
      await given();
      const before = await types(B);
      await merges(A, B, id(50));
      // Of the pending merge that stands in the way nothing is told.
      await settles([
        {
          ...merging,
          steps: (event, was) => (event.stream === ticketStream(A) ? merging.steps(event, was) : []),
        },
      ]);
      expect((await events(A)).at(-1)).toMatchObject({
        type: 'desk.merge-withdrawn.v1',
        data: { merge: id(50), because },
      });
      expect(await types(B)).toEqual(before);
      expect((await merges(A, C, id(51))).outcome).toBe('accepted');
    },
  );

  it('of two tickets into each other at once ends with one merge and one refusal, whoever looks when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        async (s, swapped, runners) => {
          begin();
          await opens(A);
          await opens(B);
          await Promise.all([
            merges(A, B, swapped ? id(50) : id(51)),
            merges(B, A, swapped ? id(51) : id(50)),
          ]);
          // Several runners at once, none fenced, each seeing both events: their steps interleave freely.
          const interleaved: Tickets = {
            load: (stream) => s.schedule(Promise.resolve()).then(() => tickets.load(stream)),
            transact: (request, command) =>
              s.schedule(Promise.resolve()).then(() => tickets.transact(request, command)),
          };
          const all = Array.from({ length: runners }, () =>
            settles([merging], { tickets: interleaved, checkpoints: memoryCheckpoints() }),
          );
          await s.waitFor(Promise.all(all));
          const [a, b] = [await state(A), await state(B)];
          expect([a.status, b.status].sort()).toEqual(['merged', 'open']);
          const ends = [...(await types(A)), ...(await types(B))];
          expect(ends.filter((type) => type === 'desk.merge-completed.v1')).toHaveLength(1);
          expect(ends.filter((type) => type === 'desk.merge-withdrawn.v1')).toHaveLength(1);
          expect(a.status === 'open' ? a.merging : b.merging).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('told again from the beginning does nothing more', async () => {
    await opens(A);
    await opens(B);
    await merges(A, B, id(50));
    await settles();
    const before = await log.head();
    checkpoints = memoryCheckpoints();
    await settles();
    expect(await log.head()).toEqual(before);
  });

  it('told again after it was withdrawn leaves alone a duplicate that would join by now', async () => {
    await opens(A);
    await opens(B);
    await does('resolve-ticket', B, { resolution: 'solved' });
    await does('close-ticket', B, {});
    await merges(A, B, id(50));
    await settles();
    await does('reopen-ticket', B, {});
    checkpoints = memoryCheckpoints();
    await settles();
    expect((await state(B)).status).toBe('open');
  });

  it('waits for a case that is still being taken in', async () => {
    await opens(A);
    await opens(B, true);
    await merges(A, B, id(50));
    await settles();
    expect((await state(B)).status).toBe('open');
    expect((await checkpoints.start('merging', await log.identity())).held).toMatchObject([
      { stream: ticketStream(B), problem: null },
    ]);
    await does('note-import', B, { mapping: 'servicenow@1', rows: [id(70)] });
    await settles();
    expect((await state(B)).status).toBe('merged');
    expect((await checkpoints.start('merging', await log.identity())).held).toEqual([]);
  });
});

describe('Linking', () => {
  it.each(LINK_KINDS)('mirrors a link in the other ticket: %s', async (kind) => {
    await opens(A);
    await opens(B);
    await does('link-ticket', A, { self: A, other: B, kind });
    await settles();
    expect((await state(B)).links).toMatchObject([{ other: A, kind: mirrored(kind) }]);
    expect((await state(A)).links).toMatchObject([{ other: B, kind }]);
    expect(mirrored(mirrored(kind))).toBe(kind);
  });

  it('leaves a link to nowhere in one ticket alone', async () => {
    await opens(A);
    await does('link-ticket', A, { self: A, other: B, kind: 'relates-to' });
    const before = await log.head();
    await settles();
    expect(await log.head()).toEqual(before);
  });
});

describe('A flow', () => {
  it('goes on where it stopped, and reads little of what is none of its business again', async () => {
    for (let n = 0; n < 1_100; n++) await opens(id(10_000 + n));
    await settles([linking]);
    const { position } = await checkpoints.start('linking', await log.identity());
    expect(position).toBe((await log.head()).position);
  });

  it('waits out an outage', async () => {
    await opens(A);
    await opens(B);
    await merges(A, B, id(50));
    let refusals = 4;
    const flaky: Tickets = {
      load: (stream) => tickets.load(stream),
      transact: (request, command) =>
        refusals-- > 0 ? Promise.reject(new LogUnavailable('away')) : tickets.transact(request, command),
    };
    const pauses: number[] = [];
    await settles([merging], { tickets: flaky, pause: async (ms) => void pauses.push(ms) });
    expect((await state(B)).status).toBe('merged');
    expect(pauses.slice(0, 4)).toEqual([100, 200, 400, 800]);
  });

  it('goes on without an event whose steps fail, and tries it again at the next start', async () => {
    await opens(A);
    await opens(B);
    await opens(C);
    await merges(A, B, id(50));
    await does('merge-ticket', C, { self: C, merge: id(51), duplicate: id(999) });
    const broken: Flow = {
      ...merging,
      steps: (event, before) => {
        if (event.stream === ticketStream(A)) throw new TypeError('a defect');
        return merging.steps(event, before);
      },
    };
    await settles([broken]);
    expect((await state(B)).status).toBe('open');
    expect((await types(C)).at(-1)).toBe('desk.merge-withdrawn.v1');
    await settles([merging]);
    expect((await state(B)).status).toBe('merged');
  });

  it('does not go on in another log than its own', async () => {
    await opens(A);
    await settles([linking]);
    const kept = checkpoints;
    begin();
    checkpoints = kept;
    await expect(settles([linking])).rejects.toThrow(ForeignFlow);
  });

  it('does not go on where its last event is another one', async () => {
    await opens(A);
    const started = await checkpoints.start('linking', await log.identity());
    await checkpoints.move(started, { position: toPosition(1), event: id(77), held: [] });
    await expect(settles([linking])).rejects.toThrow(/flows restart linking/);
  });
});
