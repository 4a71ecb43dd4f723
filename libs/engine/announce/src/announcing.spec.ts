import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { TICKETS, TOPICS, messageSchema } from '#contracts';
import { everyEvent, type HouseEvent } from '#engine/catalogue';
import { codec, memoryVault, type StoredEvent } from '#engine/store';
import { uuidV8, type Micros, type Recorded } from '#kernel';
import { announce, LATE_SECONDS } from './announcing.js';

/** Every event in every version, as the log holds it. */
const SAMPLES = fileURLToPath(new URL('../../catalogue/samples/', import.meta.url));
const LOG = uuidV8(Buffer.alloc(16, 7));
const { decode } = codec({
  catalogue: everyEvent,
  vault: memoryVault({ bytes: (count) => Buffer.alloc(count) }),
  chance: { bytes: (count) => Buffer.alloc(count) },
});

const samples = readdirSync(SAMPLES).flatMap((file) => {
  const { full, bare } = JSON.parse(readFileSync(`${SAMPLES}${file}`, 'utf8')) as Record<
    'full' | 'bare',
    StoredEvent
  >;
  return [full, bare].map((stored, i) => {
    const event = decode(stored) as Recorded<HouseEvent>;
    // Samples of clocks are filled with values of every kind; a stream of their own makes the ids uuids.
    return {
      name: `${event.type} (${i === 0 ? 'full' : 'bare'})`,
      event: { ...event, stream: `ticket-${event.id}` },
    };
  });
});

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, formats: { 'date-time': true } });
const valid = new Map(
  TOPICS.flatMap((topic) =>
    Object.keys(topic.messages).map((type) => [type, ajv.compile(messageSchema(topic, type))] as const),
  ),
);

describe('What is announced', () => {
  it.each(samples)('of $name keeps the published schema', ({ event }) => {
    for (const { topic, key, message } of announce(event, LOG)) {
      const check = valid.get(message.type)!;
      expect(check(message) || check.errors).toBe(true);
      expect(topic).toBe(TICKETS.name);
      expect(key).toBe(message.subject);
      expect(message.id).toBe(event.id);
    }
  });

  it('reaches every message that is published', () => {
    const told = new Set(
      samples.flatMap(({ event }) => announce(event, LOG).map(({ message }) => message.type)),
    );
    expect([...valid.keys()].filter((type) => !told.has(type))).toEqual([]);
  });

  it.each(samples)('of $name names no person and carries no text', ({ event }) => {
    const told = JSON.stringify(announce(event, LOG).map(({ message }) => message.data));
    const persons = new Set<string>([event.actor.id, ...Object.keys(event.sealed ?? {})]);
    for (const field of ['requester', 'agent', 'author'])
      if (field in event.data) persons.add((event.data as unknown as Record<string, string>)[field]!);
    for (const person of persons) expect(told).not.toContain(person);
    for (const blob of Object.values(event.sealed ?? {})) expect(told).not.toContain(blob);
  });

  it('is late a day after it happened, and not before', () => {
    const { event } = samples.find(({ name }) => name === 'desk.ticket-closed.v1 (full)')!;
    const seconds = Date.parse(event.occurredAt) / 1000;
    const recorded = (after: number) =>
      announce({ ...event, recordedAt: ((seconds + after) * 1_000_000) as Micros }, LOG)[0]!.message.data;
    expect(recorded(LATE_SECONDS)).toEqual({ late: false });
    expect(recorded(LATE_SECONDS + 1)).toEqual({ late: true });
  });

  it('is the same for ever', () => {
    for (const { event } of samples)
      expect(announce(event, LOG)).toEqual(announce(structuredClone(event), LOG));
  });
});
