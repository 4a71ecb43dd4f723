import { describe, expect, it } from '@jest/globals';
import { publicHolidays, UnknownCountry } from './index.js';

const dates = (country: string, region: string | null = null, from = '2026-01-01', to = '2026-12-31') =>
  publicHolidays(country, region, from, to).days.map(({ date }) => date);

describe('The public holidays of a country', () => {
  it('are those of the whole country, and with a region also its own', () => {
    // Germany has nine; Bavaria adds Epiphany, Corpus Christi and All Saints.
    const germany = ['01-01', '04-03', '04-06', '05-01', '05-14', '05-25', '10-03', '12-25', '12-26'];
    expect(dates('DE')).toEqual(germany.map((day) => `2026-${day}`));
    const own = ['01-06', '06-04', '11-01'];
    expect(dates('DE', 'BY')).toEqual([...germany, ...own].sort().map((day) => `2026-${day}`));
  });

  it('count the day that stands in for one on a weekend', () => {
    // Boxing Day of 2026 is a Saturday; Monday stands in.
    expect(publicHolidays('GB', 'ENG', '2026-12-26', '2026-12-31').days).toEqual([
      { date: '2026-12-26', called: ['Boxing Day'] },
      { date: '2026-12-28', called: ['Boxing Day (substitute day)'] },
    ]);
  });

  it('close each of several days, and dates of the calendar that is meant whatever the machine’s zone', () => {
    expect(dates('SA', null, '2026-03-01', '2026-04-30')).toEqual([
      '2026-03-19',
      '2026-03-20',
      '2026-03-21',
      '2026-03-22',
    ]);
    expect(dates('IL', null, '2026-09-01', '2026-09-30')).toEqual([
      '2026-09-12',
      '2026-09-13',
      '2026-09-21',
      '2026-09-26',
    ]);
  });

  it('go over years, and begin and end where they are asked for', () => {
    expect(dates('JP', null, '2026-12-31', '2028-01-01').slice(0, 1)).toEqual(['2027-01-01']);
    expect(dates('JP', null, '2026-12-31', '2028-01-01').at(-1)).toBe('2028-01-01');
  });

  it('are not half days, and those are told', () => {
    const { days, leftOut } = publicHolidays('CN', null, '2026-01-01', '2026-12-31');
    expect(days.map(({ date }) => date)).toContain('2026-10-01');
    expect(days.map(({ date }) => date)).not.toContain('2026-03-08');
    expect(leftOut).toContainEqual({ called: '国际妇女节', because: 'not-all-day' });
  });

  it.each([
    ['XX', null],
    ['Germany', null],
    ['de', null],
    ['constructor', null],
    ['DE', 'ZZ'],
    ['SA', 'BY'],
  ])('of %s %s are not known, and that is said', (country, region) => {
    expect(() => dates(country, region)).toThrow(UnknownCountry);
  });
});
