import { describe, expect, test } from '@jest/globals';
import { factOf, scenario } from '#kernel/testing';
import { instant, type Actor, type Uuid } from '#kernel';
import { builtIn, definitionOf, policyProblems, termsOf, type PolicyDefinition } from './definition.js';
import { policyEvents } from './policy-events.js';
import { policyVersions, type PolicyCommand } from './policy-versions.js';

const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const SAM: Actor = { id: id(1), role: 'supervisor' };
const UMA: Actor = { id: id(2), role: 'supervisor' };
const P = id(10);
const Q = id(11);
const NOW = instant('2026-11-02T09:00:00Z');
const LATER = instant('2026-12-01T00:00:00Z');

const DEFINITION: PolicyDefinition = { ...builtIn('Europe/Berlin'), reopenWithinDays: 3 };

const proposed = (proposal = P, definition = DEFINITION): PolicyCommand => ({
  type: 'propose-policy',
  occurredAt: NOW,
  by: SAM,
  proposal,
  definition,
  comment: 'Fewer days to come back.',
});
const withdrawn = (proposal = P, by = UMA): PolicyCommand => ({
  type: 'withdraw-proposal',
  occurredAt: NOW,
  by,
  proposal,
});
const activated = (
  more: Partial<Extract<PolicyCommand, { type: 'activate-policy' }>> = {},
): PolicyCommand => ({
  type: 'activate-policy',
  occurredAt: NOW,
  by: UMA,
  name: 'default',
  proposal: P,
  approvals: 'two',
  openTickets: 'keep',
  ...more,
});

const { given } = scenario(policyVersions, policyEvents);
const refusal = (came: object): string => ('refused' in came ? (came.refused as { code: string }).code : '');

describe('A policy', () => {
  test('is proposed with all it says, and its comment in the author’s file', () => {
    const { data } = factOf(given().when(proposed()), 'sla.policy-proposed.v1');
    expect(data).toMatchObject({
      proposal: P,
      zone: 'Europe/Berlin',
      reopenWithinDays: 3,
      comment: { of: SAM.id, text: 'Fewer days to come back.' },
    });
    expect(definitionOf(termsOf(DEFINITION))).toMatchObject({
      targets: DEFINITION.targets,
      pausedBy: DEFINITION.pausedBy,
      reopenWithinDays: 3,
    });
    expect(policyProblems(definitionOf(termsOf(DEFINITION)))).toEqual([]);
  });

  test('that may not be is refused at once, with everything that is wrong', () => {
    const bad: PolicyDefinition = {
      ...DEFINITION,
      calendar: { zone: 'Mars/Base' },
      reopenWithinDays: 0,
    };
    const came = given().when(proposed(P, bad));
    expect(came).toEqual({
      refused: {
        code: 'bad-policy',
        detail: expect.stringMatching(/^calendar\.zone: .*; reopenWithinDays: /),
      },
    });
  });

  test('whose calendar is not open long enough any more is refused', () => {
    const calendar = {
      zone: 'UTC',
      open: [{ date: '2026-11-20', from: '00:00', to: '24:00' }],
    };
    const short = { 'first-response': 60, resolution: 3600 };
    const definition = { ...DEFINITION, calendar, targets: { 1: short, 2: short, 3: short, 4: short } };
    const past = given(proposed(P, definition));
    expect(refusal(past.when(activated({ effective: instant('2026-11-20T22:59:00Z') })))).toBe('');
    expect(refusal(past.when(activated({ effective: instant('2026-11-20T23:01:00Z') })))).toBe('bad-policy');
    const late = { ...proposed(P, definition), occurredAt: LATER } as PolicyCommand;
    expect(given().when(late)).toEqual({
      refused: {
        code: 'bad-policy',
        detail: expect.stringMatching(/^calendar: is not open for 3600 seconds/),
      },
    });
  });

  test('is activated by a second person, as the next version, saying what was proposed', () => {
    const past = given(proposed(), activated(), proposed(Q));
    const { data } = factOf(
      past.when(activated({ proposal: Q, effective: LATER, openTickets: 'retarget' })),
      'sla.policy-activated.v1',
    );
    expect(data).toMatchObject({
      ...termsOf(DEFINITION),
      name: 'default',
      version: 2,
      source: 'desk',
      effective: LATER,
      proposal: Q,
      approval: 'two',
      openTickets: 'retarget',
    });
    expect(data).not.toHaveProperty('comment');
    expect(past.past[1]).toMatchObject({ data: { version: 1, effective: NOW } });
  });

  test('is not activated by its author, unless one person is enough; then that is recorded', () => {
    const past = given(proposed());
    expect(refusal(past.when(activated({ by: SAM })))).toBe('activation-by-author');
    expect(refusal(past.when(activated({ by: { ...SAM, role: 'administrator' } })))).toBe(
      'activation-by-author',
    );
    const alone = factOf(past.when(activated({ by: SAM, approvals: 'one' })), 'sla.policy-activated.v1');
    expect(alone.data.approval).toBe('one');
    const both = factOf(past.when(activated({ approvals: 'one' })), 'sla.policy-activated.v1');
    expect(both.data.approval).toBe('two');
  });

  test('is never in force from a past instant', () => {
    const past = given(proposed());
    expect(refusal(past.when(activated({ effective: instant('2026-11-02T08:59:59Z') })))).toBe(
      'effective-in-past',
    );
    expect(refusal(past.when(activated({ effective: NOW })))).toBe('');
  });

  test('proposal is decided once', () => {
    expect(refusal(given(proposed()).when(proposed()))).toBe('proposal-exists');
    expect(refusal(given().when(activated()))).toBe('unknown-proposal');
    expect(refusal(given().when(withdrawn()))).toBe('unknown-proposal');
    const gone = given(proposed(), withdrawn());
    expect(refusal(gone.when(activated()))).toBe('proposal-withdrawn');
    expect(refusal(gone.when(withdrawn()))).toBe('proposal-withdrawn');
    const done = given(proposed(), activated());
    expect(refusal(done.when(activated()))).toBe('proposal-activated');
    expect(refusal(done.when(withdrawn()))).toBe('proposal-activated');
  });

  test('gets the number after the house’s own versions', () => {
    const house = policyVersions.evolve(policyVersions.initial, {
      type: 'sla.policy-activated.v1',
      data: { name: 'default', version: 4, source: 'built-in', effective: NOW, ...termsOf(DEFINITION) },
      occurredAt: NOW,
      actor: { id: id(3), role: 'system' },
    });
    expect(house).toEqual({ proposals: new Map(), versions: 4 });
  });
});
