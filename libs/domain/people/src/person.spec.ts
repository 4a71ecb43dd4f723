import { describe, expect, it } from '@jest/globals';
import { factOf, scenario } from '#kernel/testing';
import { instant, type Actor, type Uuid } from '#kernel';
import { personEvents } from './person-events.js';
import { person, type PersonCommand } from './person.js';

const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const SELF = id(1);
const BY: Actor = { id: SELF, role: 'agent' };
const named = (name: string, digest: number, email?: string): PersonCommand => ({
  type: 'name-person',
  occurredAt: instant('2026-11-02T09:00:00Z'),
  by: BY,
  person: SELF,
  name,
  digest: id(digest),
  ...(email !== undefined && { email }),
});

const { given } = scenario(person, personEvents);

describe('A person', () => {
  it('is named under a key of their own', () => {
    const { data } = factOf(given().when(named('Alice', 2, 'a@example.org')), 'people.person-named.v1');
    expect(data).toEqual({
      digest: id(2),
      name: { of: SELF, text: 'Alice' },
      email: { of: SELF, text: 'a@example.org' },
    });
  });

  it('is named once, however often they are met, and again under another name', () => {
    expect(given(named('Alice', 2)).when(named('Alice', 2))).toMatchObject({ facts: [] });
    expect(
      factOf(given(named('Alice', 2)).when(named('Alicia', 3)), 'people.person-named.v1').data.digest,
    ).toBe(id(3));
  });
});
