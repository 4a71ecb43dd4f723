import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { TicketEvent } from '#domain/desk';
import type { ClockRecord } from '#domain/sla';
import { everyEvent, type HouseEvent } from '#engine/catalogue';
import { codec, memoryVault, type StoredEvent } from '#engine/store';
import { instant, toPosition, toSeconds, uuidV8, type Recorded } from '#kernel';
import { news, setTooLate } from './news.js';

const SAMPLES = fileURLToPath(new URL('../../catalogue/samples/', import.meta.url));
const { decode } = codec({
  catalogue: everyEvent,
  vault: memoryVault({ bytes: (count) => Buffer.alloc(count) }),
  chance: { bytes: (count) => Buffer.alloc(count) },
});
const sample = (type: string, category: string): Recorded<HouseEvent> => {
  const { full } = JSON.parse(readFileSync(`${SAMPLES}${type}.json`, 'utf8')) as { full: StoredEvent };
  const event = decode(full) as Recorded<HouseEvent>;
  return { ...event, stream: `${category}-${event.id}` };
};

const NOON = instant('2026-06-10T12:00:00Z');
const DUE = instant('2026-06-10T12:30:00Z');
const STREAM = `ticket-${uuidV8(Buffer.alloc(16, 1))}`;

/** A fact of one ticket, recorded so many seconds after it occurred at noon. */
function recorded(
  type: TicketEvent['type'],
  data: object,
  revision: number,
  late = 0,
  occurredAt = NOON,
): Recorded<TicketEvent> {
  return {
    ...sample(type, 'ticket'),
    ...{ type, data, revision, stream: STREAM, position: toPosition(revision + 1) },
    ...{ occurredAt, recordedAt: (toSeconds(NOON) + late) * 1_000_000 },
  } as Recorded<TicketEvent>;
}

const setting = (due: string, clock = 'first-response', cycle = 1) => ({
  clocks: [{ clock, cycle, due } as unknown as ClockRecord],
});
type Timed = Parameters<typeof setTooLate>[1];
const breach = recorded(
  'sla.clock-breached.v1',
  { clock: 'first-response', cycle: 1, due: DUE, target: 1800, policy: 'default@1' },
  2,
  1801,
  DUE,
) as Timed;

describe('News', () => {
  it('is made of every event of a ticket or a queue but a noted command, and holds nothing that was written', () => {
    for (const type of readdirSync(SAMPLES).map((file) => file.replace('.json', ''))) {
      if (['sla.clock-breached.v1', 'sla.clock-warned.v1'].includes(type)) continue;
      const event = { ...sample(type, 'ticket'), recordedAt: toSeconds(NOON) * 1_000_000, occurredAt: NOON };
      const told = news(event);
      expect([type, told === null]).toEqual([type, type === 'house.command-noted.v1']);
      if (told === null || told === 'held-back') continue;
      expect(Object.keys(told).sort()).toEqual(
        ['id', 'kind', 'object', 'occurredAt', 'position', 'recordedAt', 'revision', 'type'].sort(),
      );
    }
    expect(news({ ...sample('people.person-named.v1', 'person') })).toBeNull();
  });

  it('is held back once a fact was recorded more than a day after it occurred', () => {
    const note = (late: number) => news(recorded('desk.note-added.v1', {}, 1, late));
    expect(note(86_400)).toMatchObject({ kind: 'changed', occurredAt: NOON });
    expect(note(86_401)).toBe('held-back');
  });

  it('of a broken promise is held back where it was broken before it was recorded, however it was set', () => {
    const opened = (late: number) => recorded('desk.ticket-opened.v1', setting(DUE), 0, late);
    expect(setTooLate([opened(1800), breach], breach)).toBe(false);
    expect(setTooLate([opened(1801), breach], breach)).toBe(true);
    // Set in good time, and set anew by a late fact without moving: the later one counts.
    const resumed = recorded('desk.ticket-resumed.v1', setting(DUE), 1, 7200);
    expect(setTooLate([opened(0), resumed, breach], breach)).toBe(true);
    // What was set for another clock, cycle or instant says nothing.
    for (const other of [
      setting(DUE, 'resolution'),
      setting(DUE, 'first-response', 2),
      setting('2026-06-10T13:00:00Z'),
    ])
      expect(setTooLate([opened(0), recorded('desk.ticket-held.v1', other, 1, 7200)], breach)).toBe(false);
    expect(news(breach, [opened(1801), breach])).toBe('held-back');
  });

  it('of a broken promise is not held back because the breach itself was recorded late', () => {
    const late = { ...breach, recordedAt: breach.recordedAt + 30 * 86_400_000_000 };
    expect(setTooLate([recorded('desk.ticket-opened.v1', setting(DUE), 0), late], late)).toBe(false);
  });

  it('of a warning is held back where its share was used up before that was recorded', () => {
    const half = { numerator: 1, denominator: 2 };
    const at = instant('2026-06-10T12:15:00Z');
    const due = { clock: 'first-response', cycle: 1, due: DUE } as const;
    const warned = recorded(
      'sla.clock-warned.v1',
      { ...due, ...half, at, target: 1800, policy: 'default@1' },
      2,
      900,
      at,
    ) as Timed;
    const set = (late: number, warning: object) => {
      const clocks = [{ ...due, warnings: [warning] } as unknown as ClockRecord];
      return [recorded('desk.ticket-opened.v1', { clocks }, 0, late), warned];
    };
    expect(setTooLate(set(900, { ...half, at }), warned)).toBe(false);
    expect(setTooLate(set(901, { ...half, at }), warned)).toBe(true);
    expect(setTooLate(set(901, { ...half, at: DUE }), warned)).toBe(false);
    expect(setTooLate(set(901, { numerator: 3, denominator: 4, at }), warned)).toBe(false);
  });

  it('of a broken promise without an opening is an error, not silence', () => {
    expect(() => news(breach, [breach])).toThrow(/was never opened/);
  });
});
