import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import {
  DESK,
  instant,
  never,
  sealedFields,
  toPosition,
  uuidV8,
  type Event,
  type EventDefinition,
  type Field,
  type Fields,
  type PersonId,
  type SealedText,
  type Uuid,
} from '#kernel';
import { codec, opener, type Chance, type StoredEvent, type Vault } from '#engine/store';
import { everyEvent, upcasters } from './index.js';

/**
 * A stored sample of every event in every version ever written, as the log holds it: once with every field,
 * once with only those that must be there. They were written when the version was new and never change: a
 * version whose declaration no longer fits its sample was changed in place.
 *
 * New ones are written by running this spec with COVENANT_WRITE_SAMPLES=1; none is ever overwritten.
 */
const FOLDER = fileURLToPath(new URL('../samples/', import.meta.url));
const KINDS = ['full', 'bare'] as const;
type Kind = (typeof KINDS)[number];
type Samples = Readonly<Record<Kind, StoredEvent>>;

const digest = (of: string): Buffer => createHash('sha256').update(`sample ${of}`).digest();
const sampleId = (of: string): Uuid => uuidV8(digest(of));
const REQUESTER: PersonId = sampleId('requester');

/** Every person's key follows from their id, so that the samples open for ever. */
const vault: Vault = {
  keysFor: async (persons) => new Map(persons.map((person) => [person, digest(person)])),
  existingKeys: async (persons) => new Map(persons.map((person) => [person, digest(person)])),
};

const catalogue: Readonly<Record<string, EventDefinition>> = everyEvent;
const definitionOf = (type: string): EventDefinition | undefined =>
  Object.hasOwn(catalogue, type) ? catalogue[type] : undefined;

function given(field: Field, path: string, kind: Kind): unknown {
  if (field.nullable && kind === 'bare') return null;
  switch (field.kind) {
    case 'id':
      return sampleId(path);
    case 'code':
      return field.values![0];
    case 'name':
      return `name-of-${path}@1`;
    case 'instant':
      return instant('2026-03-02T12:00:00Z');
    case 'integer':
      return 42;
    case 'flag':
      return true;
    case 'text':
      return { of: REQUESTER, text: `text of ${path}` };
    case 'term':
      return { id: sampleId(path), of: DESK, text: `term of ${path}` };
    case 'list':
      return kind === 'full'
        ? [given(field.of!, `${path}[]`, kind), given(field.of!, `${path}[]`, kind)]
        : [];
    case 'record':
      return all(field.fields!, path, kind);
    default:
      return never(field.kind);
  }
}

function all(fields: Fields, path: string, kind: Kind): object {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, field]) => kind === 'full' || !field.optional)
      .map(([name, field]) => [name, given(field, path === '' ? name : `${path}.${name}`, kind)]),
  );
}

/** What is wrong with clear data, by path; empty where it is as declared. */
function wrong(fields: Fields, data: Record<string, unknown>, path = ''): string[] {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const unknown = Object.keys(data).filter((name) => !Object.hasOwn(fields, name));
  return [
    ...unknown.map((name) => `${at(name)} is not declared`),
    ...Object.entries(fields).flatMap(([name, field]) => {
      if (field.kind === 'text') return name in data ? [`${at(name)} lies open`] : [];
      if (!(name in data)) return field.optional ? [] : [`${at(name)} is missing`];
      return wrongValue(field, data[name], at(name));
    }),
  ];
}

function wrongValue(field: Field, value: unknown, path: string): string[] {
  if (value === null) return field.nullable ? [] : [`${path} is null`];
  const unless = (right: boolean): string[] =>
    right ? [] : [`${path} is no ${field.kind}: ${JSON.stringify(value)}`];
  switch (field.kind) {
    case 'id':
    case 'term':
      return unless(typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value));
    case 'code':
      return unless(field.values!.includes(value as string));
    case 'name':
    case 'text':
      return unless(typeof value === 'string');
    case 'instant':
      return unless(typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value));
    case 'integer':
      return unless(Number.isSafeInteger(value));
    case 'flag':
      return unless(typeof value === 'boolean');
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((item, i) => wrongValue(field.of!, item, `${path}[${i}]`))
        : unless(false);
    case 'record':
      return typeof value === 'object'
        ? wrong(field.fields!, value as Record<string, unknown>, path)
        : unless(false);
    default:
      return never(field.kind);
  }
}

function counted(): Chance {
  let count = 0;
  return { bytes: (size) => digest(`chance ${++count}`).subarray(0, size) };
}

const codecs = codec({ catalogue, vault, chance: counted(), upcasters });
const open = opener(vault);

async function write(type: string, definition: EventDefinition): Promise<void> {
  const samples: Partial<Record<Kind, StoredEvent>> = {};
  for (const kind of KINDS) {
    const id = sampleId(`${type} ${kind}`);
    const [prepared] = await codecs.prepare(
      [{ type, data: all(definition.fields as Fields, '', kind) }],
      [id],
      {
        occurredAt: instant('2026-03-02T12:00:00Z'),
        actor: { id: sampleId('agent'), role: 'agent' },
        correlation: 'sample',
        engine: '1',
        ...(kind === 'full' && {
          causation: sampleId('cause'),
          key: { id: 'a-request', body: 'its-body' },
        }),
      },
    );
    const category = definition.streams[0] === '*' ? 'ticket' : definition.streams[0]!;
    samples[kind] = {
      ...prepared!.event,
      stream: `${category}-${sampleId(category)}`,
      revision: 0,
      position: toPosition(1),
      recordedAt: 1_772_452_800_000_000,
    };
  }
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}${type}.json`, `${JSON.stringify(samples, null, 2)}\n`, { flag: 'wx' });
}

const stored = (): string[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length));
const read = (type: string): Samples => JSON.parse(readFileSync(`${FOLDER}${type}.json`, 'utf8')) as Samples;

if (process.env['COVENANT_WRITE_SAMPLES'] === '1')
  for (const [type, definition] of Object.entries(catalogue))
    if (!stored().includes(type)) await write(type, definition);

describe('the stored samples', () => {
  test('are there for every event of the catalogue, and for every version that is lifted', () => {
    const kept = new Set(stored());
    expect([...Object.keys(catalogue), ...Object.keys(upcasters)].filter((type) => !kept.has(type))).toEqual(
      [],
    );
  });

  describe.each(stored())('of %s', (type) => {
    test.each(KINDS)('decode to what is declared today: %s', async (kind) => {
      const sample = read(type)[kind];
      expect(sample.type).toBe(type);
      const event: Event & { sealed?: SealedText } = codecs.decode(sample);
      const definition = definitionOf(event.type)!;
      expect(wrong(definition.fields as Fields, event.data as Record<string, unknown>)).toEqual([]);

      const sealed = sealedFields(definition).filter(
        ({ field, kind: sealedAs }) =>
          (sealedAs === 'term' ? field in event.data && event.data[field as never] !== null : true) &&
          (kind === 'full' || !(definition.fields as Fields)[field]!.optional) &&
          !(kind === 'bare' && (definition.fields as Fields)[field]!.nullable),
      );
      const opened = await open(
        Object.entries(event.sealed ?? {}).map(([of, blob]) => ({ of: of as PersonId, blob })),
      );
      const texts = Object.assign({}, ...opened) as Record<string, string>;
      // An old version may have sealed fewer fields, or more, than today's; its own texts must all open.
      if (event.type === type)
        expect(texts).toEqual(
          Object.fromEntries(sealed.map(({ field, kind: sealedAs }) => [field, `${sealedAs} of ${field}`])),
        );
      else expect(opened).not.toContain(null);
    });
  });
});

describe('a declaration changed in place', () => {
  const definition = everyEvent['desk.message-sent.v1'] as EventDefinition;
  const data = codecs.decode(read('desk.message-sent.v1').full).data as Record<string, unknown>;
  const fields = definition.fields as Fields;

  test('by a new field, a missing one or another kind no longer fits its sample', () => {
    expect(wrong(fields, data)).toEqual([]);
    expect(wrong({ ...fields, length: { kind: 'integer', about: '' } }, data)).toEqual(['length is missing']);
    const { author: _, ...fewer } = fields;
    expect(wrong(fewer, data)).toEqual(['author is not declared']);
    expect(wrong({ ...fields, author: { kind: 'integer', about: '' } }, data)[0]).toContain(
      'author is no integer',
    );
    expect(wrong({ ...fields, channel: { kind: 'code', about: '', values: ['fax'] } }, data)[0]).toContain(
      'channel',
    );
  });
});
