import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pause } from '#edge';
import { toSeconds, type Instant } from '#kernel';
import { Client } from '../support/clients.js';
import { everything, LongDesk } from '../support/desk.js';
import { seeded } from '../support/chance.js';
import { eventually } from '../../support/eventually.js';
import { recordSharpPolicy } from '../../support/sharp-policy.js';

const TICKETS = 240;
/** Seconds from opening to due, by priority; long enough for all to be opened before the first is due. */
const TARGETS = { 1: [12, 16], 2: [14, 18], 3: [16, 20], 4: [18, 22] } as const;

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

beforeAll(async () => {
  desk = await LongDesk.prepare();
  await desk.inside(({ log }) => recordSharpPolicy(log, TARGETS));
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
