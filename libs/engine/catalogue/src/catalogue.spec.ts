import { describe, expect, it } from '@jest/globals';
import { queueEvents, ticketEvents } from '#domain/desk';
import { personEvents } from '#domain/people';
import { policyEvents } from '#domain/sla';
import { deskEvents, type Catalogue, type Field } from '#kernel';
import { categoryOf, everyEvent, idOf } from './index.js';

const all: Catalogue = everyEvent;
const parts: readonly Catalogue[] = [ticketEvents, queueEvents, personEvents, policyEvents, deskEvents];

function* fieldsOf(field: Field): Generator<Field> {
  yield field;
  if (field.of !== undefined) yield* fieldsOf(field.of);
  for (const inner of Object.values(field.fields ?? {})) yield* fieldsOf(inner);
}

describe('The catalogue', () => {
  it('holds one declaration of each stored name, whichever room it comes from', () => {
    const twice = parts.flatMap((part) => Object.keys(part).filter((type) => all[type] !== part[type]));
    expect(twice).toEqual([]);
  });

  it('names events in kebab-case with their version, and streams without a hyphen', () => {
    for (const [type, { streams }] of Object.entries(all)) {
      expect(type).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*\.v[1-9]\d*$/);
      for (const category of streams) expect(category).toMatch(/^(\*|[a-z]+)$/);
    }
  });

  it('knows the unit of every integer and the values of every code', () => {
    for (const [type, { fields }] of Object.entries(all))
      for (const [name, field] of Object.entries(fields as Record<string, Field>))
        for (const { kind, unit, values } of fieldsOf(field)) {
          if (kind === 'integer')
            expect({ type, name, unit }).toEqual({ type, name, unit: expect.stringMatching(/\S/) });
          if (kind === 'code')
            expect({ type, name, values: values?.length }).not.toEqual({ type, name, values: 0 });
        }
  });

  it('has nothing that persons typed below the top level of an event, where it would not be sealed', () => {
    for (const [type, { fields }] of Object.entries(all))
      for (const [name, field] of Object.entries(fields as Record<string, Field>))
        for (const inner of fieldsOf(field))
          if (inner !== field)
            expect({ type, name, kind: inner.kind }).not.toEqual({
              type,
              name,
              kind: expect.stringMatching(/^(text|term)$/),
            });
  });

  it('splits the name of a stream at its first hyphen', () => {
    expect(categoryOf('ticket-a-b')).toBe('ticket');
    expect(idOf('ticket-a-b')).toBe('a-b');
  });
});
