import { describe, expect, test } from '@jest/globals';
import { instant, toSeconds } from '#kernel';
import { activation, builtIn, policyProblems, type PolicyDefinition } from './definition.js';
import { policies } from './policies.js';
import { UnknownPolicy } from './policy.js';
import type { PolicyEvent } from './policy-events.js';

const HOUR = 3600;
const EVER = instant('1970-01-01T00:00:00Z');

function version(number: number, effective: string, change: Partial<PolicyDefinition> = {}): PolicyEvent {
  return activation(
    { ...builtIn('Europe/Berlin'), ...change },
    { name: 'default', version: number, source: 'desk', effective: instant(effective) },
  );
}

describe('a built-in policy', () => {
  const [event] = [
    activation(builtIn('Europe/Berlin'), {
      name: 'default',
      version: 1,
      source: 'built-in' as const,
      effective: EVER,
    }),
  ];
  const policy = policies([event]).version('default@1');

  test('promises what ruling 46 says', () => {
    expect(policy.targets).toEqual({
      1: { 'first-response': HOUR / 2, resolution: 4 * HOUR },
      2: { 'first-response': HOUR, resolution: 9 * HOUR },
      3: { 'first-response': 4 * HOUR, resolution: 27 * HOUR },
      4: { 'first-response': 9 * HOUR, resolution: 45 * HOUR },
    });
    expect(policy.pausedBy).toMatchObject({ 'first-response': [], resolution: ['requester'] });
    expect(policy.reopenWithinDays).toBe(5);
    expect(policyProblems(builtIn('Europe/Berlin'))).toEqual([]);
  });

  test('is open Monday to Friday from nine to six in its zone', () => {
    const week = toSeconds(instant('2026-06-08T00:00:00Z'));
    expect(policy.calendar.openSeconds(week, week + 7 * 24 * HOUR)).toBe(45 * HOUR);
    expect(policy.calendar.reach(week, 1)).toBe(week + 7 * HOUR + 1);
    expect(policy.calendar.ref).toBe('default@1');
  });
});

describe('policies', () => {
  const known = policies([
    version(1, '1970-01-01T00:00:00Z'),
    version(2, '2026-07-01T00:00:00Z', { reopenWithinDays: 2 }),
    version(3, '2026-05-01T00:00:00Z', { reopenWithinDays: 3 }),
    version(4, '2026-07-01T00:00:00Z', { reopenWithinDays: 4 }),
  ]);
  const inForce = (at: string): string => known.inForce('default', instant(at)).ref;

  test('are in force from their effective date on, whenever they were activated', () => {
    expect(inForce('2026-04-30T23:59:59Z')).toBe('default@1');
    expect(inForce('2026-05-01T00:00:00Z')).toBe('default@3');
    expect(inForce('2026-06-30T23:59:59Z')).toBe('default@3');
  });

  test('of two in force from one instant, the later recorded one counts', () => {
    expect(inForce('2026-07-01T00:00:00Z')).toBe('default@4');
  });

  test('are found by the version that a fact names, in force or not', () => {
    expect(known.version('default@2').reopenWithinDays).toBe(2);
    expect(known.inForce('default@2', EVER).ref).toBe('default@2');
  });

  test('that nobody activated are unknown, and so is one that is not yet in force', () => {
    expect(() => known.version('default@9')).toThrow(UnknownPolicy);
    expect(() => known.inForce('gold', EVER)).toThrow(UnknownPolicy);
    expect(() => policies([version(1, '2026-07-01T00:00:00Z')]).inForce('default', EVER)).toThrow(
      /no policy default in force at 1970/,
    );
  });

  test('pass over a noted command', () => {
    const noted: PolicyEvent = { type: 'house.command-noted.v1', data: {} };
    expect(() => policies([noted]).version('default@1')).toThrow(UnknownPolicy);
  });
});

describe('a policy is judged before it is activated', () => {
  const good = builtIn('UTC');
  const targets = (seconds: number): PolicyDefinition['targets'] => ({
    ...good.targets,
    2: { 'first-response': seconds, resolution: 9 * HOUR },
  });

  test.each<[string, Partial<PolicyDefinition>, string]>([
    ['a target of 0', { targets: targets(0) }, 'bad-target targets.2.first-response'],
    ['a negative target', { targets: targets(-1) }, 'bad-target targets.2.first-response'],
    ['a fraction of a second', { targets: targets(0.5) }, 'bad-target targets.2.first-response'],
    ['a target beyond reach', { targets: targets(1e9) }, 'target-beyond-horizon targets.2.first-response'],
    [
      'a share to warn at that is none',
      {
        warnAt: {
          resolution: [
            [1, 2],
            [3, 2],
          ],
        },
      },
      'bad-warning warnAt.resolution.1',
    ],
    [
      'a share to warn at twice',
      {
        warnAt: {
          resolution: [
            [1, 2],
            [2, 4],
          ],
        },
      },
      'bad-warning warnAt.resolution',
    ],
    [
      'a promise that every policy makes, left out for one priority',
      { targets: { ...good.targets, 4: { resolution: HOUR } as (typeof good.targets)[4] } },
      'promise-undefined targets.4.first-response',
    ],
    [
      'a promise made for some priorities alone',
      { targets: { ...good.targets, 1: { ...good.targets[1], 'next-response': HOUR } } },
      [2, 3, 4].map((priority) => `promise-undefined targets.${priority}.next-response`).join(),
    ],
    [
      'a pause of what is not promised',
      { pausedBy: { ...good.pausedBy, 'next-response': ['vendor'] } },
      'not-promised pausedBy.next-response',
    ],
    [
      'a pause of what nothing pauses',
      {
        targets: {
          1: { ...good.targets[1], 'hand-over-acceptance': HOUR },
          2: { ...good.targets[2], 'hand-over-acceptance': HOUR },
          3: { ...good.targets[3], 'hand-over-acceptance': HOUR },
          4: { ...good.targets[4], 'hand-over-acceptance': HOUR },
        },
        pausedBy: { ...good.pausedBy, 'hand-over-acceptance': ['vendor'] },
      },
      'not-pausable pausedBy.hand-over-acceptance',
    ],
    ['no reopen window', { reopenWithinDays: 0 }, 'bad-reopen-window reopenWithinDays'],
    ['a calendar that never opens', { calendar: { zone: 'UTC' } }, 'bad-calendar calendar.weekly'],
    ['an unknown zone', { calendar: { zone: 'Mars', always: true } }, 'bad-calendar calendar.zone'],
  ])('%s is refused', (_, change, problem) => {
    const problems = policyProblems({ ...good, ...change });
    expect(problems.map(({ code, field }) => `${code} ${field}`).join()).toBe(problem);
  });
});

describe('shares at which a policy warns', () => {
  test('stand in its fact, the least first, and a policy that states none says nothing of them', () => {
    const warnAt = {
      resolution: [
        [3, 4],
        [1, 2],
      ],
    } as const;
    const event = version(2, '2026-07-01T00:00:00Z', { warnAt });
    expect(event.data).toMatchObject({
      warnings: [
        { clock: 'resolution', numerator: 1, denominator: 2 },
        { clock: 'resolution', numerator: 3, denominator: 4 },
      ],
    });
    expect(policies([event]).version('default@2').warnAt).toMatchObject({
      'first-response': [],
      resolution: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(version(1, '1970-01-01T00:00:00Z').data).not.toHaveProperty('warnings');
  });
});
