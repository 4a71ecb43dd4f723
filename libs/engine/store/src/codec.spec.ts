import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  toPosition,
  type Event,
  type Fact,
  type PersonId,
  type Recorded,
  type SealedText,
  type Uuid,
} from '#kernel';
import { SOMEBODY, freshId, lampEvents, noon } from '#engine/store/testing';
import {
  codec,
  decodedOnce,
  opener,
  type Codec,
  type Prepared,
  type Sealed,
  type Upcaster,
} from './codec.js';
import { KeyWithdrawn, OlderThanLog } from './errors.js';
import { memoryVault } from './memory-vault.js';
import type { StoredEvent } from './port.js';

const chance = { bytes: (count: number) => randomBytes(count) };
const around = {
  occurredAt: noon(),
  actor: { id: SOMEBODY, role: 'agent' },
  correlation: 'c-1',
  engine: '1',
} as const;
const ROOM = '11111111-1111-8111-8111-111111111111' as Uuid;
const OTHER = '22222222-2222-8222-8222-222222222222' as PersonId;

const switched = (wish: string, of: PersonId = SOMEBODY, room?: string): Fact<Event> => ({
  type: 'test.lamp-switched-on.v1',
  data: {
    watts: 40,
    wish: { of, text: wish },
    ...(room !== undefined && { room: { id: ROOM, of: OTHER, text: room } }),
  },
});

function setUp(upcasters: Readonly<Record<string, Upcaster>> = {}) {
  const vault = memoryVault(chance);
  const codecs = codec({ catalogue: lampEvents, vault, chance, upcasters });
  const write = async (fact: Fact<Event>): Promise<Prepared> =>
    (await codecs.prepare([fact], [freshId()], around))[0]!;
  return { vault, codecs, write, open: opener(vault) };
}

const store = ({ event }: Pick<Prepared, 'event'>): StoredEvent => ({
  ...event,
  stream: 'lamp-1',
  revision: 0,
  position: toPosition(1),
  recordedAt: 5,
});

const blobsOf = (sealed: SealedText = {}): Sealed[] =>
  Object.entries(sealed).map(([of, blob]) => ({ of: of as PersonId, blob }));

describe('what persons typed', () => {
  test('is sealed in one blob per person, and opens to what was typed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), async (wish, room) => {
        const { codecs, write, open } = setUp();
        const event = codecs.decode(store(await write(switched(wish, SOMEBODY, room))));
        expect(event.data).toEqual({ watts: 40, room: ROOM });
        expect(await open(blobsOf(event.sealed))).toEqual([{ wish }, { room }]);
      }),
    );
  });

  test('stands nowhere in the stored bytes', async () => {
    const { write } = setUp();
    const { event, occurred } = await write(switched('SENTINEL wish', SOMEBODY, 'SENTINEL room'));
    expect(event.body).not.toContain('SENTINEL');
    expect(JSON.stringify(occurred)).not.toContain('SENTINEL');
  });

  test('of one person in one event is one blob', async () => {
    const { codecs, write, open } = setUp();
    const event = codecs.decode(store(await write(switched('w', OTHER, 'r'))));
    expect(await open(blobsOf(event.sealed))).toEqual([{ wish: 'w', room: 'r' }]);
  });

  test('is sealed anew each time: equal texts give different bytes', async () => {
    const { write } = setUp();
    const [one, two] = [await write(switched('w')), await write(switched('w'))];
    expect(one.occurred.sealed).not.toEqual(two.occurred.sealed);
  });

  test.each([0, 5, 20, -1])('is not opened where byte %i of its blob was altered', async (at) => {
    const { write, open } = setUp();
    const [{ of, blob }] = blobsOf((await write(switched('a wish'))).occurred.sealed) as [Sealed];
    const bytes = Buffer.from(blob, 'base64');
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    await expect(open([{ of, blob: bytes.toString('base64') }])).rejects.toThrow();
  });

  test('is not opened as another person’s', async () => {
    const { vault, write, open } = setUp();
    await vault.keysFor([OTHER]);
    const [{ blob }] = blobsOf((await write(switched('w'))).occurred.sealed) as [Sealed];
    await expect(open([{ of: OTHER, blob }])).rejects.toThrow();
  });

  test('of a person whose key is destroyed opens to nothing, and no more can be sealed', async () => {
    const { vault, codecs, write, open } = setUp();
    const stored = store(await write(switched('w')));
    vault.destroy(SOMEBODY);
    const event = codecs.decode(stored);
    expect(event.data).toEqual({ watts: 40 });
    expect(await open(blobsOf(event.sealed))).toEqual([null]);
    await expect(write(switched('w'))).rejects.toThrow(KeyWithdrawn);
  });
});

describe('an event', () => {
  test('decodes to what a fold saw of it before it was stored', async () => {
    const { codecs, write } = setUp();
    const fact = { ...switched('w'), at: noon(-9), actor: { id: OTHER, role: 'system' as const } };
    const prepared = await write(fact);
    const { stream, revision, position, recordedAt, ...decoded } = codecs.decode(store(prepared));
    expect(decoded).toEqual(prepared.occurred);
    expect({ stream, revision, position, recordedAt }).toEqual({
      stream: 'lamp-1',
      revision: 0,
      position: toPosition(1),
      recordedAt: 5,
    });
  });

  test('carries its surroundings, and its own time and actor where they differ', async () => {
    const { codecs } = setUp();
    const facts: Fact<Event>[] = [
      { type: 'test.lamp-burnt-out.v1', data: {}, at: noon(-1), actor: { id: OTHER, role: 'system' } },
      { type: 'test.lamp-switched-off.v1', data: {} },
    ];
    const prepared = await codecs.prepare(facts, [freshId(), freshId()], {
      ...around,
      causation: 'because',
      key: { id: 'k', body: 'b' },
    });
    const [first, second] = prepared.map((p) => codecs.decode(store(p))) as [
      Recorded<Event>,
      Recorded<Event>,
    ];
    expect(first).toMatchObject({ occurredAt: noon(-1), actor: { id: OTHER, role: 'system' } });
    expect(second).toMatchObject({ occurredAt: noon(), actor: around.actor });
    for (const event of [first, second])
      expect(event).toMatchObject({
        correlation: 'c-1',
        causation: 'because',
        engine: '1',
        key: { id: 'k', body: 'b' },
      });
  });
});

describe('a type that nobody here knows (ruling 48)', () => {
  test.each(['test.lamp-switched-on.v99', 'test.lamp-painted.v1', 'constructor'])(
    '%s means that this program is too old',
    async (type) => {
      const { codecs, write } = setUp();
      const stored = { ...store(await write(switched('w'))), type };
      expect(() => codecs.decode(stored)).toThrow(OlderThanLog);
      expect(() => codecs.decode(stored)).toThrow(type);
    },
  );

  test('is not written either', async () => {
    const { write } = setUp();
    await expect(write({ type: 'test.lamp-painted.v1', data: {} })).rejects.toThrow(OlderThanLog);
  });
});

describe('an old version', () => {
  const upcasters: Readonly<Record<string, Upcaster>> = {
    'test.lamp-lit.v1': ({ data }) => ({
      type: 'test.lamp-lit.v2',
      data: { watt: (data as { power: number }).power },
    }),
    'test.lamp-lit.v2': ({ data }) => ({
      type: 'test.lamp-switched-on.v1',
      data: { watts: (data as { watt: number }).watt },
    }),
  };
  const lit = (decoder: Codec, type: string, data: object) =>
    decoder.decode(store({ event: { id: freshId(), type, body: JSON.stringify({ at: noon(), data }) } }));

  test('is lifted step by step to the newest, and its stored bytes stay', async () => {
    const { codecs } = setUp(upcasters);
    const newest = { type: 'test.lamp-switched-on.v1', data: { watts: 25 } };
    expect(lit(codecs, 'test.lamp-lit.v1', { power: 25 })).toMatchObject(newest);
    expect(lit(codecs, 'test.lamp-lit.v2', { watt: 25 })).toMatchObject(newest);
  });

  test('that is lifted to nothing known is too new all the same', () => {
    const { codecs } = setUp({ 'test.lamp-lit.v2': upcasters['test.lamp-lit.v1']! });
    expect(() => lit(codecs, 'test.lamp-lit.v1', { power: 25 })).toThrow(OlderThanLog);
  });
});

describe('What several follow', () => {
  test('is decoded once for all who are given the same event, and again where it is read again', async () => {
    const { codecs } = setUp();
    const [prepared] = await codecs.prepare([switched('bright')], [freshId()], around);
    const stored = (): StoredEvent => ({
      ...prepared!.event,
      stream: 'lamp-1',
      revision: 0,
      position: toPosition(1),
      recordedAt: 1,
    });
    let decoded = 0;
    const once = decodedOnce((event) => {
      decoded++;
      return codecs.decode(event);
    });
    const one = stored();
    expect(once(one)).toBe(once(one));
    expect(once(one)).toEqual(codecs.decode(one));
    expect(decoded).toBe(1);
    expect(once(stored())).toEqual(once(one));
    expect(decoded).toBe(2);
  });

  test('is too new for each of them', () => {
    const { codecs } = setUp();
    const once = decodedOnce(codecs.decode);
    const unknown: StoredEvent = {
      id: freshId(),
      type: 'test.lamp-switched-on.v99',
      body: '{}',
      stream: 'lamp-1',
      revision: 0,
      position: toPosition(1),
      recordedAt: 1,
    };
    for (let i = 0; i < 2; i++) expect(() => once(unknown)).toThrow(OlderThanLog);
  });
});
