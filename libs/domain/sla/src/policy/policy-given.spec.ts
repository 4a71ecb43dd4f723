import { describe, expect, test } from '@jest/globals';
import { builtIn, definitionOf, termsOf } from './definition.js';
import { asPolicyGiven, policyGiven } from './policy-given.js';

const good = () => structuredClone(asPolicyGiven(builtIn('Europe/Berlin'))) as any;
const fields = (given: unknown): string[] => {
  const read = policyGiven(given);
  return 'problems' in read ? read.problems.map(({ field, problem }) => `${field} ${problem}`) : [];
};

describe('A policy as people send it', () => {
  test('is read back as it was written', () => {
    expect(policyGiven(good())).toEqual({
      definition: { ...builtIn('Europe/Berlin'), calendar: good().calendar },
    });
  });

  test('says at which shares it warns', () => {
    const given = { ...good(), warnAt: [{ clock: 'resolution', shares: ['3/4', '1/2'] }] };
    const read = policyGiven(given);
    expect('definition' in read && read.definition.warnAt).toEqual({
      resolution: [
        [3, 4],
        [1, 2],
      ],
    });
    expect('definition' in read && asPolicyGiven(definitionOf(termsOf(read.definition))).warnAt).toEqual([
      { clock: 'resolution', shares: ['1/2', '3/4'] },
    ]);
    given.warnAt[0]!.shares = ['half'];
    expect(fields(given)).toEqual(['warnAt[0].shares[0] must be a share such as 3/4']);
    given.warnAt[0]!.shares = ['4/3'];
    expect(fields(given)).toEqual([expect.stringMatching(/^warnAt\.resolution\.0 is no share/)]);
  });

  test('says its targets in units of open time', () => {
    const given = good();
    given.targets[0] = { priority: 1, clock: 'first-response', target: 2, unit: 'business-hours' };
    const read = policyGiven(given);
    expect('definition' in read && read.definition.targets[1]['first-response']).toBe(7200);
    given.targets[0].unit = 'days';
    expect(fields(given)).toEqual([
      'targets[0].unit must be one of business-seconds, business-minutes, business-hours',
    ]);
  });

  test('is refused for everything that cannot be read, at once', () => {
    const given = good();
    given.calendar.zone = 7;
    given.calendar.weekly[0].days = ['Monday'];
    given.calendar.lunch = true;
    given.targets[3] = { ...given.targets[2] };
    given.targets[1].clock = 'lunch';
    given.pausedBy[0].reasons = ['rain'];
    given.reopenWithinDays = 1.5;
    expect(fields(given)).toEqual([
      'calendar has a member that is not known here',
      'calendar.zone must be a text',
      'calendar.weekly[0].days[0] must be a whole number',
      expect.stringMatching(/^targets\[1\]\.clock must be one of/),
      'targets[3] says again what another one says',
      'pausedBy[0].reasons[0] must be one of requester, vendor, other-team, problem, evidence',
      'reopenWithinDays must be a whole number',
    ]);
  });

  test('that leaves a promised target undefined is refused', () => {
    const given = good();
    given.targets = given.targets.filter((row: any) => row.priority !== 2 || row.clock !== 'resolution');
    expect(fields(given)).toEqual(['targets.2.resolution leaves a promised target undefined']);
  });

  test('is refused for everything a policy may not say, at once, where it was said', () => {
    const given = good();
    given.calendar = { zone: 'Mars/Base' };
    given.targets.find((row: any) => row.priority === 3 && row.clock === 'resolution').target = 0;
    given.reopenWithinDays = 0;
    const row = given.targets.findIndex((each: any) => each.target === 0);
    expect(fields(given)).toEqual([
      expect.stringMatching(/^calendar\.zone/),
      `targets[${row}].target is no whole number of seconds above 0`,
      'reopenWithinDays is no whole number of days above 0',
    ]);
  });

  test.each([null, 'policy', 7, []])('that is no object is refused: %j', (given) => {
    expect(fields(given)[0]).toBe(' must be an object');
  });
});
