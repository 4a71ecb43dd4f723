import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { activation, builtIn, policyEvents } from '#domain/sla';
import { codec, memoryVault, NO_STREAM } from '#engine/store';
import { pause } from '#edge';
import { HOUSE, toInstant, toSeconds, uuidV7, type Instant } from '#kernel';
import { randomBytes } from 'node:crypto';
import { Client } from '../support/clients.js';
import { everything, LongDesk, type Inside } from '../support/desk.js';
import { seeded } from '../support/chance.js';
import { eventually } from '../../support/eventually.js';

const TICKETS = 240;
/** Seconds from opening to due, by priority; long enough for all to be opened before the first is due. */
const TARGETS = { 1: 12, 2: 14, 3: 16, 4: 18 } as const;
const LONGER = 4;

const chance = seeded();
let desk: LongDesk;
/** Due instants as promised in the answers at opening: `ticket clock` to due. */
const promised = new Map<string, Instant>();
let downFrom: number;
let upAgain: number;
let breaches: {
  readonly of: string;
  readonly due: Instant;
  readonly occurredAt: Instant;
  readonly recordedAt: number;
}[];

/** A desk whose promises are a matter of seconds, around the clock. */
async function withSharpPolicy({ log }: Inside): Promise<void> {
  const bytes = { bytes: (count: number) => randomBytes(count) };
  const { prepare } = codec({ catalogue: policyEvents, vault: memoryVault(bytes), chance: bytes });
  const now = toInstant(Math.floor((await log.now()) / 1_000_000));
  const by = <K extends keyof typeof TARGETS>(priority: K) => ({
    'first-response': TARGETS[priority],
    resolution: TARGETS[priority] + LONGER,
  });
  const sharp = activation(
    {
      ...builtIn('UTC'),
      calendar: { zone: 'UTC', always: true },
      targets: { 1: by(1), 2: by(2), 3: by(3), 4: by(4) },
    },
    { name: 'default', version: 1, source: 'desk', effective: '1970-01-01T00:00:00Z' as Instant },
  );
  const [prepared] = await prepare([sharp], [uuidV7(Date.now(), randomBytes(10))], {
    occurredAt: now,
    actor: { id: HOUSE, role: 'system' },
    correlation: 'test',
    engine: '1',
  });
  await log.append({ stream: 'policy-default', expected: NO_STREAM, events: [prepared!.event] });
}

beforeAll(async () => {
  desk = await LongDesk.prepare();
  await desk.inside(withSharpPolicy);
  desk.start();
  await desk.ready();
  const client = new Client(desk, await desk.token({ role: 'supervisor', name: 'sam' }));
  const opens = async (n: number): Promise<void> => {
    const { answer } = await client.patiently({
      path: '/v1/tickets',
      key: `key-${chance.seed}-${n}`,
      body: { subject: `the ${n}th`, text: 'It burns.', channel: 'phone', priority: 1 + (n % 4) },
    });
    for (const { clock, due } of answer.body.promises!) promised.set(`${answer.body.id} ${clock}`, due);
  };
  for (let n = 0; n < TICKETS; n += 24) await Promise.all(Array.from({ length: 24 }, (_, i) => opens(n + i)));
  await desk.kill();
  downFrom = Date.now() / 1000;

  const last = Math.max(...[...promised.values()].map(toSeconds));
  await eventually(() => Date.now() / 1000 > last + 1, {
    within: 60_000,
    what: 'every due instant has passed',
  });
  upAgain = Date.now() / 1000;
  // Killed again and again while it makes up for it.
  for (let kill = 0; kill < 4; kill++) {
    desk.start();
    await desk.ready().catch(() => undefined);
    await pause(chance.int(60), new AbortController().signal);
    await desk.kill();
  }
  desk.start();
  await desk.ready();
  await desk.inside((inside) =>
    eventually(
      async () => {
        breaches = (await everything(inside)).flatMap((event) =>
          event.type === 'sla.clock-breached.v1'
            ? [
                {
                  of: `${event.stream.slice('ticket-'.length)} ${event.data.clock}`,
                  due: event.data.due,
                  occurredAt: event.occurredAt,
                  recordedAt: event.recordedAt / 1_000_000,
                },
              ]
            : [],
        );
        return breaches.length >= promised.size;
      },
      { within: 60_000, every: 100, what: 'what fell due is recorded' },
    ),
  );
  await desk.stop();
}, 300_000);

afterAll(async () => {
  await desk?.remove();
});

describe('Due instants that pass while the desk is down', () => {
  it('were some hundreds, and all of them passed in that time', () => {
    expect(promised.size).toBe(2 * TICKETS);
    for (const due of promised.values()) {
      expect(toSeconds(due)).toBeGreaterThan(downFrom);
      expect(toSeconds(due)).toBeLessThan(upAgain);
    }
  });

  it('are each recorded once, with the due instant as when it occurred, however often it is killed meanwhile', () => {
    expect(breaches).toHaveLength(promised.size);
    expect(new Map(breaches.map(({ of, occurredAt }) => [of, occurredAt]))).toEqual(promised);
    for (const { due, occurredAt, recordedAt } of breaches) {
      expect(occurredAt).toBe(due);
      expect(recordedAt).toBeGreaterThan(toSeconds(due) + 1);
    }
  });
});
