import { describe, expect, it } from '@jest/globals';
import { TICKETS } from '#contracts';
import { memoryConsumerStore, memoryFeed, type Feed } from '#engine/feed';
import { check, Told } from '#engine/feed/testing';
import { instant, START, toPosition, type Position } from '#kernel';
import { Problem } from '../problem/problem.js';
import { civilDay } from './civil-day.js';
import { ConsumerReading } from './consumer-reading.js';
import { schemaCheck } from './schema-check.js';

/** A store whose one position is moved by hand. */
function standing() {
  const store = memoryConsumerStore('analytics');
  let from: string | null = null;
  const at = async (position: Position): Promise<void> => {
    await store.start({ version: 1, pinned: {} });
    const move = { topic: TICKETS.name, partition: 0, generation: 1, digested: 0, repeats: 0, buried: 0 };
    await store.transact((tx) => tx.move({ ...move, feed: 'local', from, to: position, recordedAt: null }));
    from = position;
  };
  return { store, at };
}

const overTheLog = (head: () => Position): { readonly feed: Feed } => ({
  feed: {
    ...memoryFeed(),
    kind: 'local',
    log: { standing: (next) => next as Position, head: async () => head() },
  },
});
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'answered',
    (error: unknown) => (error as Problem).code,
  );

describe('A read of what a consumer made', () => {
  it('waits until the consumer has passed what was asked for, and says how far it is', async () => {
    const { store, at } = standing();
    const reading = new ConsumerReading(
      overTheLog(() => toPosition(9)),
      store,
    );
    expect(await reading.upTo(undefined)).toBe(START);
    await at(toPosition(3));
    const asked = reading.upTo(toPosition(5));
    await at(toPosition(4));
    await at(toPosition(7));
    expect(await asked).toBe(toPosition(7));
  });

  it('is not kept waiting for what the log does not have', async () => {
    const { store } = standing();
    const reading = new ConsumerReading(
      overTheLog(() => toPosition(9)),
      store,
    );
    expect(await codeOf(reading.upTo(toPosition(10)))).toBe('unknown-position');
  });

  it('is refused where too many wait already', async () => {
    const { store, at } = standing();
    const reading = new ConsumerReading(
      overTheLog(() => toPosition(9)),
      store,
    );
    const waiting = Array.from({ length: 256 }, () => codeOf(reading.upTo(toPosition(5))));
    expect(await codeOf(reading.upTo(toPosition(5)))).toBe('too-many-waiting');
    await at(toPosition(6));
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['answered']));
  });

  it('says in time that the consumer is not there yet', async () => {
    const { store } = standing();
    const reading = new ConsumerReading(
      overTheLog(() => toPosition(9)),
      store,
    );
    expect(await codeOf(reading.upTo(toPosition(5)))).toBe('view-lag');
  }, 10_000);

  it('waits for no position where messages come over Kafka, and says so', async () => {
    const { store } = standing();
    const reading = new ConsumerReading({ feed: memoryFeed() }, store);
    expect(await reading.upTo(undefined)).toBeNull();
    const refused = await reading.upTo(toPosition(1)).catch((error: unknown) => error as Problem);
    expect(refused).toMatchObject({
      code: 'bad-input',
      httpStatus: 400,
      extras: { errors: [{ field: 'after', problem: expect.stringContaining('comes over Kafka') }] },
    });
  });
});

describe('The check of records', () => {
  it('answers as the published schemas do, and never with a value', () => {
    const ours = schemaCheck();
    const told = new Told();
    told.day();
    for (const message of told.messages) {
      expect(ours(message.type, message)).toBeNull();
      for (const field of Object.keys(message)) {
        for (const value of ['SENTINEL', { SENTINEL: 1 }, undefined]) {
          const broken = { ...message, [field]: value };
          const wrong = ours(message.type, broken);
          expect(wrong).toBe(check(message.type, broken));
          expect(wrong ?? '').not.toContain('SENTINEL');
        }
      }
    }
  });
});

it('the civil day of an instant is the zone’s', () => {
  const at = instant('2026-11-24T12:30:00Z');
  expect(civilDay('UTC', '2026f', at)).toBe('2026-11-24');
  expect(civilDay('Pacific/Auckland', '2026f', at)).toBe('2026-11-25');
  expect(civilDay('Pacific/Pago_Pago', '2026f', instant('2026-11-24T10:59:59Z'))).toBe('2026-11-23');
});
