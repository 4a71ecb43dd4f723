import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  HOUSE,
  toInstant,
  toSeconds,
  type Actor,
  type Event,
  type Instant,
  type Refusal,
  type Uuid,
} from '#kernel';
import {
  SECONDS_OF_LIGHT,
  SOMEBODY,
  faulty,
  freshId,
  lamp,
  lampEvents,
  noon,
  type Fault,
  type Lamp,
  type LampEvent,
  type Switch,
} from '#engine/store/testing';
import { codec } from './codec.js';
import { Contention, NotAppended, UnknownOutcome } from './errors.js';
import { memoryLog, type MemoryLog } from './memory.js';
import { memoryVault } from './memory-vault.js';
import type { EventStore } from './port.js';
import { transactor, type EdgeClock, type Outcome, type Request, type Transactor } from './transact.js';

type LampTransactor = Transactor<Lamp, Switch, LampEvent, Refusal<'burnt-out'>>;
type LampOutcome = Outcome<Lamp, LampEvent, Refusal<'burnt-out'>>;

const chance = { bytes: (count: number) => randomBytes(count) };
const agent: Actor = { id: SOMEBODY, role: 'agent' };

/** Clocks of the log and of the edge, set by the test. */
class Time {
  constructor(public now: Instant = noon()) {}

  readonly store = (): number => toSeconds(this.now) * 1_000_000;
  readonly edge: EdgeClock = { now: () => toSeconds(this.now) * 1000 };

  pass(seconds: number): void {
    this.now = toInstant(toSeconds(this.now) + seconds);
  }
}

function house(time = new Time()): {
  time: Time;
  log: MemoryLog;
  process: (over?: Partial<Process>) => LampTransactor;
} {
  const log = memoryLog({ clock: time.store });
  const vault = memoryVault(chance);
  return {
    time,
    log,
    process: ({ store = log.another(), clock = time.edge, pause }: Partial<Process> = {}) =>
      transactor({
        store,
        clock,
        chance,
        decider: lamp,
        engine: '1',
        codec: codec({ catalogue: lampEvents, vault, chance }),
        ...(pause && { pause }),
      }),
  };
}

interface Process {
  readonly store: EventStore;
  readonly clock: EdgeClock;
  readonly pause: (milliseconds: number) => Promise<void>;
}

const request = (stream: string, more: Partial<Request> = {}): Request => ({
  stream,
  actor: agent,
  correlation: 'c-1',
  ...more,
});
const key = (id: string, body = 'body', own = true): Pick<Request, 'key'> => ({ key: { id, body, own } });
const on = (occurredAt: Instant): Switch => ({ occurredAt, to: 'on' });
const off = (occurredAt: Instant): Switch => ({ occurredAt, to: 'off' });

type Accepted = Extract<LampOutcome, { outcome: 'accepted' }>;
function accepted(outcome: LampOutcome): Accepted {
  if (outcome.outcome !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
  return outcome;
}

const typesOf = (events: readonly Event[]): string[] =>
  events.map(({ type }) => type.replace(/^(test\.lamp|house)-?\.?/, '').replace('.v1', ''));

describe('a command', () => {
  test('loads, folds, decides and appends, and its answer is what the log now holds', async () => {
    const { log, process } = house();
    const outcome = accepted(await process().transact(request('lamp-1', key('k')), on));
    expect(outcome).toMatchObject({ revision: 0, etag: 0, repeated: false, state: { is: 'on' } });
    const [stored] = await log.readStream('lamp-1');
    expect(outcome.position).toBe(stored!.position);
    expect(outcome.events).toMatchObject([{ id: stored!.id, revision: 0, recordedAt: stored!.recordedAt }]);
    expect((await process().load('lamp-1')).state).toEqual(outcome.state);
  });

  test('that is refused appends nothing, not even what has fallen due before it (ruling 5)', async () => {
    const { time, log, process } = house();
    const desk = process();
    await desk.transact(request('lamp-1'), on);
    time.pass(SECONDS_OF_LIGHT + 5);
    expect(await desk.transact(request('lamp-1'), off)).toMatchObject({ outcome: 'refused', at: 0 });
    expect(await log.readStream('lamp-1')).toHaveLength(1);
  });

  test('finds the facts that fell due before it first in its own append, and meets the state after them', async () => {
    const { time, process } = house();
    const desk = process();
    await desk.transact(request('lamp-1'), on);
    time.pass(SECONDS_OF_LIGHT + 5);
    const outcome = accepted(
      await desk.transact(request('lamp-1', { actor: { id: HOUSE, role: 'system' } }), () => []),
    );
    expect(outcome.events).toMatchObject([
      { type: 'test.lamp-burnt-out.v1', occurredAt: noon(SECONDS_OF_LIGHT), actor: { id: HOUSE } },
    ]);
  });

  test('several commands are one append, each meeting the state that the ones before it made', async () => {
    const { log, process } = house();
    const outcome = accepted(
      await process().transact(request('lamp-1', key('k')), (at) => [on(at), off(at), on(at)]),
    );
    expect(typesOf(outcome.events)).toEqual(['switched-on', 'switched-off', 'switched-on']);
    expect((await log.head()).position).toBe(outcome.position);
    expect(accepted(await process().transact(request('lamp-1', key('k')), on)).events).toHaveLength(3);
  });
});

describe('time (ruling 1)', () => {
  test('is the later of the edge’s clock and the stream’s last recording, in whole seconds', async () => {
    const { time, log, process } = house();
    const slow: EdgeClock = { now: () => toSeconds(noon(-30)) * 1000 + 999 };
    const seen: Instant[] = [];
    const note = (at: Instant): Switch => {
      seen.push(at);
      return { occurredAt: at, to: seen.length % 2 ? 'on' : 'off' };
    };
    await process({ clock: slow }).transact(request('lamp-1'), note);
    await process({ clock: slow }).transact(request('lamp-1'), note);
    time.pass(10);
    await process().transact(request('lamp-1'), note);
    expect(seen).toEqual([noon(-30), noon(), noon(10)]);
    expect((await log.readStream('lamp-1')).map((e) => JSON.parse(e.body).at)).toEqual(seen);
  });

  test('is taken anew at each attempt', async () => {
    const { time, log, process } = house();
    const seen: Instant[] = [];
    const store: EventStore = {
      ...log,
      append: async (append) => {
        if (seen.length === 1) {
          await process().transact(request('lamp-1'), on);
          time.pass(7);
        }
        return log.append(append);
      },
    };
    await process({ store }).transact(request('lamp-1', { expectNew: true }), (at) => {
      seen.push(at);
      return { ...off(at), to: seen.length === 1 ? 'on' : 'off' };
    });
    expect(seen).toEqual([noon(), noon(7)]);
  });

  test('may be given in the past, never in the future', async () => {
    const { process } = house();
    const desk = process();
    expect(await desk.transact(request('lamp-1', { occurredAt: noon(1) }), on)).toEqual({
      outcome: 'in-future',
      now: noon(),
    });
    const outcome = accepted(await desk.transact(request('lamp-1', { occurredAt: noon(-50) }), on));
    expect(outcome.events[0]!.occurredAt).toBe(noon(-50));
  });

  test('that a cached state calls the future is asked again of the log', async () => {
    const { time, process } = house();
    const slow: EdgeClock = { now: () => toSeconds(noon()) * 1000 };
    const behind = process({ clock: slow });
    await behind.transact(request('lamp-1'), on);
    time.pass(30);
    await process().transact(request('lamp-1'), off);
    // Recorded at noon + 30 s by now, which this process has not seen; its own clock stands at noon.
    expect(await behind.transact(request('lamp-1', { occurredAt: noon(20) }), on)).toMatchObject({
      outcome: 'accepted',
    });
  });

  test('a process whose clock is not to be trusted appends nothing', async () => {
    const { log, process } = house();
    const untrusted: EdgeClock = {
      now: () => {
        throw new Error('a year ahead');
      },
    };
    await expect(process({ clock: untrusted }).transact(request('lamp-1', key('k')), on)).rejects.toThrow(
      'a year ahead',
    );
    expect((await log.head()).id).toBeNull();
  });
});

describe('a repeat under its key (ruling 11)', () => {
  test('gives the first answer again, in any process and after all that came later', async () => {
    const { time, process } = house();
    const first = accepted(await process().transact(request('lamp-1', key('k')), on));
    for (let i = 0; i < 5; i++) {
      time.pass(1);
      await process().transact(request('lamp-1'), i % 2 ? on : off);
    }
    const { state: _, ...again } = accepted(await process().transact(request('lamp-1', key('k')), on));
    expect(again).toMatchObject({
      revision: first.revision,
      position: first.position,
      etag: first.etag,
      repeated: true,
    });
    expect(again.events).toEqual(first.events);
  });

  test('is recognised before If-Match and before any refusal', async () => {
    const { time, process } = house();
    const desk = process();
    await desk.transact(request('lamp-1', { ...key('k'), ifMatch: -1 }), on);
    await desk.transact(request('lamp-1'), off);
    expect(await desk.transact(request('lamp-1', { ...key('k'), ifMatch: -1 }), on)).toMatchObject({
      repeated: true,
    });
    await desk.transact(request('lamp-1'), on);
    time.pass(SECONDS_OF_LIGHT + 5);
    await desk.transact(request('lamp-1', { actor: { id: HOUSE, role: 'system' } }), () => []);
    expect(await desk.transact(request('lamp-1', key('k2')), on)).toMatchObject({ outcome: 'refused' });
    expect(await desk.transact(request('lamp-1', key('k')), on)).toMatchObject({
      repeated: true,
      revision: 0,
    });
  });

  test('with another body is refused, whatever the state', async () => {
    const { process } = house();
    await process().transact(request('lamp-1', key('k')), on);
    expect(await process().transact(request('lamp-1', { ...key('k', 'other'), ifMatch: 77 }), off)).toEqual({
      outcome: 'key-reused',
    });
  });

  test('refusals are not remembered', async () => {
    const { process, time } = house();
    const desk = process();
    await desk.transact(request('lamp-1'), on);
    time.pass(SECONDS_OF_LIGHT + 5);
    expect(await desk.transact(request('lamp-1', key('k')), off)).toMatchObject({ outcome: 'refused' });
    expect(await desk.transact(request('lamp-1', key('k', 'other')), off)).toMatchObject({
      outcome: 'refused',
    });
  });

  test.each(['same', 'different'])('two processes, one key, the same instant, %s bodies', async (bodies) => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.integer({ min: 2, max: 5 }), async (expectNew, count) => {
        const { log, process } = house();
        const outcomes = await Promise.all(
          Array.from({ length: count }, (_, i) =>
            process().transact(
              request('lamp-1', { ...key('k', bodies === 'same' ? 'body' : `body ${i}`), expectNew }),
              on,
            ),
          ),
        );
        expect(await log.readStream('lamp-1')).toHaveLength(1);
        const first = outcomes.filter((o) => o.outcome === 'accepted' && !o.repeated);
        expect(first).toHaveLength(1);
        const others = outcomes.filter((o) => o !== first[0]);
        for (const other of others)
          if (bodies === 'different') expect(other).toEqual({ outcome: 'key-reused' });
          else expect(accepted(other).events).toEqual(accepted(first[0]!).events);
      }),
      { numRuns: 25 },
    );
  });

  test('an accepted no-op under the caller’s own key is noted, so that its late repeat undoes nothing', async () => {
    const { log, process } = house();
    const desk = process();
    const noop = accepted(await desk.transact(request('lamp-1', key('k')), off));
    expect(typesOf(noop.events)).toEqual(['command-noted']);
    await desk.transact(request('lamp-1'), on);
    const late = accepted(await process().transact(request('lamp-1', key('k')), off));
    expect(late).toMatchObject({ repeated: true, state: { is: 'on' } });
    expect(await log.readStream('lamp-1')).toHaveLength(2);
  });

  test('an accepted no-op without a key, or under one that the edge made, appends nothing', async () => {
    const { log, process } = house();
    for (const more of [{}, key('made', 'body', false)])
      expect(accepted(await process().transact(request('lamp-1', more), off))).toMatchObject({
        revision: -1,
        events: [],
      });
    expect((await log.head()).id).toBeNull();
  });
});

describe('what a cached state says', () => {
  test('a refusal is decided again on a fresh read before it is answered', async () => {
    const { time, log, process } = house();
    const one = process();
    await one.transact(request('lamp-1'), on);
    await process().transact(request('lamp-1'), off);
    time.pass(SECONDS_OF_LIGHT + 5);
    // As the first process remembers it, the lamp has burnt out by now.
    expect(await one.transact(request('lamp-1'), on)).toMatchObject({ outcome: 'accepted' });
    expect(await log.readStream('lamp-1')).toHaveLength(3);
  });

  test('a no-op is decided again on a fresh read', async () => {
    const { log, process } = house();
    const one = process();
    await one.transact(request('lamp-1'), on);
    await process().transact(request('lamp-1'), off);
    expect(accepted(await one.transact(request('lamp-1'), on)).events).toHaveLength(1);
    expect(await log.readStream('lamp-1')).toHaveLength(3);
  });

  test('If-Match is compared with the log, not with what this process remembers', async () => {
    const { process } = house();
    const one = process();
    await one.transact(request('lamp-1'), on);
    await process().transact(request('lamp-1'), off);
    expect(await one.transact(request('lamp-1', { ifMatch: 0 }), on)).toEqual({ outcome: 'stale', etag: 1 });
    expect(await one.transact(request('lamp-1', { ifMatch: 1 }), on)).toMatchObject({ outcome: 'accepted' });
  });

  test('a stream that is taken for new and is not is read', async () => {
    const { process } = house();
    await process().transact(request('lamp-1'), on);
    expect(accepted(await process().transact(request('lamp-1', { expectNew: true }), off)).revision).toBe(1);
  });
});

describe('the etag (ruling 4)', () => {
  test('is moved by what an actor caused, not by a timer', async () => {
    const { time, process } = house();
    const desk = process();
    const { etag } = accepted(await desk.transact(request('lamp-1'), on));
    time.pass(SECONDS_OF_LIGHT + 5);
    const timer = accepted(
      await desk.transact(request('lamp-1', { actor: { id: HOUSE, role: 'system' } }), () => []),
    );
    expect(timer).toMatchObject({ revision: 1, etag });
    expect((await process().load('lamp-1')).etag).toBe(etag);
  });
});

describe('an append whose answer is lost (ruling 10)', () => {
  const lost: fc.Arbitrary<Fault[]> = fc.array(
    fc.constantFrom<Fault>('request-lost', 'answer-lost', 'unable', 'unreachable'),
    { maxLength: 4 },
  );

  test('is repeated with the same ids, and stored once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom<Fault>('request-lost', 'answer-lost'), lost, async (first, faults) => {
        const { log, process } = house();
        const store = faulty(log, [first, ...faults]);
        const waits: number[] = [];
        const pause = async (ms: number): Promise<void> => void waits.push(ms);
        const outcome = accepted(await process({ store, pause }).transact(request('lamp-1', key('k')), on));
        expect(outcome.repeated).toBe(false);
        expect(waits).toHaveLength(faults.length + 1);
        const stored = await log.readStream('lamp-1');
        expect(stored.map((e) => e.id)).toEqual(outcome.events.map((e) => e.id));
        expect(stored).toHaveLength(1);
      }),
    );
  });

  test('stays unknown where the repeats surely wrote nothing: the first may have', async () => {
    const { log, process } = house();
    const store = faulty(log, ['answer-lost', ...Array.from({ length: 20 }, () => 'unable' as const)]);
    await expect(process({ store }).transact(request('lamp-1', key('k')), on)).rejects.toThrow(
      UnknownOutcome,
    );
    expect(accepted(await process().transact(request('lamp-1', key('k')), on)).repeated).toBe(true);
    expect(await log.readStream('lamp-1')).toHaveLength(1);
  });

  test('that was surely not written is told as that, at once', async () => {
    const { log, process } = house();
    const store = faulty(log, ['unable']);
    await expect(process({ store }).transact(request('lamp-1', key('k')), on)).rejects.toThrow(NotAppended);
    expect(store.asked).toBe(1);
    expect((await log.head()).id).toBeNull();
  });

  test('is decided again where another process came between', async () => {
    const { log, process } = house();
    let first = true;
    const store: EventStore = {
      ...log,
      append: async (append) => {
        if (!first) return log.append(append);
        first = false;
        await process().transact(request('lamp-1'), on);
        throw new UnknownOutcome('the request was lost');
      },
    };
    const outcome = accepted(await process({ store }).transact(request('lamp-1', key('k')), off));
    expect(outcome).toMatchObject({ revision: 1, state: { is: 'off', switched: 2 } });
  });
});

describe('derived ids', () => {
  test('stored by somebody else are answered as they are stored, never as just decided', async () => {
    const { process } = house();
    const ids: Uuid[] = [freshId()];
    const derived = request('lamp-1', { ids: () => ids, expectNew: true });
    await process().transact(derived, (at) => ({ ...on(at), watts: 60 }));
    const second = process();
    const outcome = accepted(await second.transact(derived, (at) => ({ ...on(at), watts: 100 })));
    expect(outcome).toMatchObject({ repeated: true, state: { is: 'on', watts: 60 } });
    expect(outcome.events).toMatchObject([{ data: { watts: 60 } }]);
    expect(accepted(await second.transact(request('lamp-1', key('k')), on)).state).toMatchObject({
      watts: 60,
    });
  });
});

describe('many commands on one stream at once', () => {
  test('of one process are taken in turn, without a conflict', async () => {
    const { log, process } = house();
    const store = faulty(log, []);
    const desk = process({ store });
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) => desk.transact(request('lamp-1', key(`k${i}`)), i % 2 ? off : on)),
    );
    expect(outcomes.map((o) => accepted(o).revision)).toEqual(outcomes.map((_, i) => i));
    expect(store.asked).toBe(200);
  });

  test('of several processes all get on', async () => {
    const { log, process } = house();
    const desks = [process(), process(), process()];
    await Promise.all(
      Array.from({ length: 90 }, (_, i) =>
        desks[i % 3]!.transact(request('lamp-1', key(`k${i}`)), i % 2 ? off : on),
      ),
    );
    const stored = await log.readStream('lamp-1');
    expect(new Set(stored.map((e) => JSON.parse(e.body).key.id)).size).toBe(90);
  });

  test('a command that meets nothing but conflicts gives up, and has written nothing', async () => {
    const { log, process } = house();
    const store: EventStore = { ...log, append: async () => ({ outcome: 'conflict', actual: 3 }) };
    await expect(process({ store }).transact(request('lamp-1'), on)).rejects.toThrow(Contention);
  });

  test('one that fails does not hold up the next', async () => {
    const { log, process } = house();
    const desk = process({ store: faulty(log, ['unable']) });
    const [first, second] = await Promise.allSettled([
      desk.transact(request('lamp-1'), on),
      desk.transact(request('lamp-1'), on),
    ]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
  });
});

test('any requests from any processes, each repeated at will: each key acts once, and the log tells the whole story', async () => {
  const ask = fc.record({
    process: fc.nat(2),
    key: fc.nat(12),
    to: fc.constantFrom<'on' | 'off'>('on', 'off'),
    wait: fc.constantFrom(0, 0, 0, 1, SECONDS_OF_LIGHT + 1),
    together: fc.boolean(),
    fault: fc.constantFrom<Fault>('none', 'none', 'none', 'request-lost', 'answer-lost'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(ask, { maxLength: 30 }), async (asks) => {
      const { time, log, process } = house();
      const faults: Fault[][] = [[], [], []];
      const desks = faults.map((plan) => process({ store: faultyByPlan(log, plan) }));
      const answers = new Map<string, Accepted>();
      let pending: Promise<void>[] = [];
      for (const { process, key: id, to, wait, together, fault } of asks) {
        time.pass(wait);
        faults[process]!.push(fault);
        pending.push(
          desks[process]!.transact(request('lamp-1', key(`k${id}`, 'body')), (at) => ({
            occurredAt: at,
            to,
          })).then((outcome) => {
            if (outcome.outcome !== 'accepted') {
              expect(outcome.outcome).toBe('refused');
              expect(answers.has(`k${id}`)).toBe(false);
              return;
            }
            const before = answers.get(`k${id}`);
            if (before) expect(outcome.events.map((e) => e.id)).toEqual(before.events.map((e) => e.id));
            else answers.set(`k${id}`, outcome);
          }),
        );
        if (!together) {
          await Promise.all(pending);
          pending = [];
        }
      }
      await Promise.all(pending);
      const keys = (await log.readStream('lamp-1')).map((e) => JSON.parse(e.body).key.id as string);
      // Each key's events stand side by side, once.
      expect(new Set(keys.filter((id, i) => id !== keys[i - 1])).size).toBe(
        keys.filter((id, i) => id !== keys[i - 1]).length,
      );
      expect([...new Set(keys)].sort()).toEqual([...answers.keys()].sort());
    }),
    { numRuns: 150 },
  );
});

/** Each append takes the next fault of a plan that grows meanwhile. */
function faultyByPlan(store: EventStore, plan: Fault[]): EventStore {
  return { ...store, append: (append) => faulty(store, [plan.shift() ?? 'none']).append(append) };
}
