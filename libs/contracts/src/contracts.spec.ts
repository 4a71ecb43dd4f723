import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { asyncapi } from './asyncapi.js';
import type { JsonSchema } from './schema.js';
import { messageSchema, TOPICS } from './topics.js';

/**
 * Every message's schema as it was last released; COVENANT_RELEASE_SCHEMAS=1 writes the present ones. A
 * change that would break a reader of the released form fails here (ruling 38).
 */
const FOLDER = fileURLToPath(new URL('../released/', import.meta.url));
const fileOf = (type: string): string => `${FOLDER}${type}.json`;

if (process.env.COVENANT_RELEASE_SCHEMAS === '1') {
  mkdirSync(FOLDER, { recursive: true });
  for (const topic of TOPICS)
    for (const type of Object.keys(topic.messages))
      writeFileSync(fileOf(type), `${JSON.stringify(messageSchema(topic, type), null, 2)}\n`);
}

/** What a reader of `before` would trip over in messages written by `now`. */
function breaks(before: JsonSchema, now: JsonSchema, path = ''): string[] {
  const found: string[] = [];
  const kinds = (schema: JsonSchema): readonly string[] => [schema.type ?? []].flat();
  const widened = kinds(now).filter((kind) => !kinds(before).includes(kind));
  if (widened.length > 0) found.push(`${path} may now be ${widened.join(', ')}`);
  if (before.const !== now.const) found.push(`${path} is no longer ${before.const}`);
  if (before.pattern !== now.pattern) found.push(`${path} has another form`);
  for (const [name, schema] of Object.entries(before.properties ?? {})) {
    const present = now.properties?.[name];
    if (!present) found.push(`${path}.${name} is gone`);
    else found.push(...breaks(schema, present, `${path}.${name}`));
  }
  for (const name of before.required ?? [])
    if (!now.required?.includes(name)) found.push(`${path}.${name} may now be absent`);
  if (before.items && now.items) found.push(...breaks(before.items, now.items, `${path}[]`));
  return found;
}

const every = TOPICS.flatMap((topic) => Object.keys(topic.messages).map((type) => [type, topic] as const));

describe('What leaves the house', () => {
  it.each(every)('%s still reads as it was released', (type, topic) => {
    expect(existsSync(fileOf(type)) || `${type} was never released: COVENANT_RELEASE_SCHEMAS=1`).toBe(true);
    const before = JSON.parse(readFileSync(fileOf(type), 'utf8')) as JsonSchema;
    expect(breaks(before, messageSchema(topic, type))).toEqual([]);
  });

  it('takes back nothing that was released', () => {
    const released = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ''));
    expect(released.filter((type) => !every.some(([known]) => known === type))).toEqual([]);
  });

  it('shows what would break a reader', () => {
    const before: JsonSchema = {
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: { type: 'integer' },
        c: { type: 'array', items: { type: 'string' } },
      },
      required: ['a', 'b'],
    };
    const now: JsonSchema = {
      type: 'object',
      properties: {
        b: { type: ['integer', 'null'] },
        c: { type: 'array', items: { type: 'integer' } },
        d: { type: 'string' },
      },
      required: ['d'],
    };
    expect(breaks(before, before)).toEqual([]);
    expect(breaks(before, now)).toEqual([
      '.a is gone',
      '.b may now be null',
      '.c[] may now be integer',
      '.a may now be absent',
      '.b may now be absent',
    ]);
  });

  it('is described whole by one AsyncAPI document', () => {
    const document = asyncapi('1.0.0') as {
      channels: Record<string, { messages: object }>;
      components: { messages: Record<string, { payload: { schema: object } }> };
    };
    for (const topic of TOPICS) {
      expect(Object.keys(document.channels[topic.name]!.messages)).toEqual(Object.keys(topic.messages));
      for (const type of Object.keys(topic.messages))
        expect(document.components.messages[type]!.payload.schema).toEqual(messageSchema(topic, type));
    }
  });
});
