import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ROLES, type PersonId } from '#kernel';
import {
  access,
  grant,
  inScope,
  narrowing,
  notItsToGive,
  OPERATIONS,
  SCOPES,
  shown,
  type Narrowing,
  type Owned,
  type Reach,
} from './index.js';

const id = (n: number) => `00000000-0000-8000-8000-00000000010${n}` as PersonId;
const ids = fc.integer({ min: 0, max: 3 }).map(id);
const maybe = fc.option(ids, { nil: null });
const reach: fc.Arbitrary<Reach> = fc.record({
  persons: fc.array(ids, { maxLength: 2 }),
  customer: maybe,
  vendor: maybe,
  groups: fc.array(ids, { maxLength: 2 }),
});
const owned: fc.Arbitrary<Owned> = fc.record({
  requester: ids,
  customer: maybe,
  group: maybe,
  vendor: maybe,
});

const passes = (filter: Narrowing | null, thing: Owned): boolean =>
  filter === null ||
  (filter.requesters?.includes(thing.requester) ?? false) ||
  (filter.customer !== undefined && filter.customer === thing.customer) ||
  (filter.groups?.some((group) => group === thing.group) ?? false) ||
  (filter.vendor !== undefined && filter.vendor === thing.vendor);

describe('the access table', () => {
  it('a role without a row may not do it', () => {
    expect(grant('tickets.assign', 'auditor')).toBeNull();
    for (const operation of OPERATIONS) {
      expect(grant(operation, 'monitor')).toBeNull();
      expect(grant(operation, 'vendor')).toBeNull();
      expect(grant(operation, 'system')).toBeNull();
    }
  });

  it('auditors change nothing', () => {
    const allowed = OPERATIONS.filter((operation) => grant(operation, 'auditor'));
    expect(allowed).toEqual([
      'tickets.list',
      'tickets.read',
      'tickets.timeline',
      'tickets.clocks',
      'queues.list',
      'queues.items',
      'live.follow',
      'live.pass',
      'policies.list',
      'policies.read',
      'policies.version',
      'policies.proposal',
      'policies.preview',
      'attainment.read',
      'analytics.tickets',
    ]);
  });

  it('a customer never reaches beyond the account and never sees past the public mask', () => {
    for (const operation of OPERATIONS) {
      const row = grant(operation, 'customer');
      if (row) expect(row).toEqual({ scope: 'own-customer', mask: 'public' });
    }
    expect(Object.keys(access)).toHaveLength(OPERATIONS.length);
  });

  it('a list holds exactly what may be read one by one', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SCOPES), reach, owned, (scope, who, thing) => {
        expect(passes(narrowing(scope, who), thing)).toBe(inScope(scope, who, thing));
      }),
    );
  });

  it('only integration gives the past and a tier', () => {
    for (const role of ROLES) {
      const own = role === 'integration';
      expect(notItsToGive(role, { occurredAt: '2026-01-01T00:00:00Z' })).toBe(own ? null : 'occurredAt');
      expect(notItsToGive(role, { tier: 'vip' })).toBe(own ? null : 'tier');
    }
    expect(notItsToGive('customer', { subject: 'a', text: 'b', channel: 'web' })).toBeNull();
    expect(notItsToGive('customer', { requester: {} })).toBe('requester');
  });

  it('the public mask shows what is listed and nothing else', () => {
    const ticket = { id: 'x', number: 'T-1', agent: 'alice', tier: 'vip', brandNew: 1 };
    expect(shown('public', 'ticket', ticket)).toEqual({ id: 'x', number: 'T-1' });
    expect(shown('all', 'ticket', ticket)).toBe(ticket);
  });
});
