import { describe, expect, it } from '@jest/globals';
import { zoneOf } from '#domain/sla';
import fc from 'fast-check';
import { placed, timeFormat } from './times.js';

const says = (format: string, cell: string, zone = 'UTC') => {
  const time = timeFormat(format)(cell);
  return time && placed(time, zoneOf(zone));
};

describe('A time in a cell', () => {
  it.each([
    ['d/M/yyyy HH:mm', '29/2/2016 01:16', '2016-02-29T01:16:00Z'],
    ['dd.MM.yyyy', '29.02.2016', '2016-02-29T00:00:00Z'],
    ['yyyy-MM-dd HH:mm:ss', '2016-02-29 23:59:58', '2016-02-29T23:59:58Z'],
    ['iso-8601', '2016-02-29T01:16:00+02:00', '2016-02-28T23:16:00Z'],
    ['iso-8601', '2016-02-29T01:16:00.999-0330', '2016-02-29T04:46:00Z'],
    ['iso-8601', '2016-02-29 01:16', '2016-02-29T01:16:00Z'],
  ])('of the form %s, %s, is an instant', (format, cell, at) => {
    expect(says(format, cell)).toEqual({ at });
  });

  it.each([
    '30/2/2016 10:00',
    '1/13/2016 10:00',
    '1/1/2016 24:00',
    '1/1/2016 10:60',
    '1/1/16 10:00',
    '?',
    '',
  ])('that is none (%s) is told from one', (cell) => expect(says('d/M/yyyy HH:mm', cell)).toBeNull());

  it.each(['d/M/yy', 'd/M HH:mm', 'hh:mm d/M/yyyy', 'd/d/M/yyyy', ''])(
    'a format that says too little or too much (%s) is refused',
    (format) => expect(() => timeFormat(format)).toThrow(RangeError),
  );

  it('that a change of the clock skipped is the instant of the change, and doubtful', () => {
    expect(says('iso-8601', '2016-03-27T02:30', 'Europe/Berlin')).toEqual({
      at: '2016-03-27T01:00:00Z',
      doubt: 'skipped',
    });
    expect(says('iso-8601', '2016-03-27T03:00', 'Europe/Berlin')).toEqual({ at: '2016-03-27T01:00:00Z' });
  });

  it('that the clock showed twice is the first, and doubtful', () => {
    const at = (time: string) => says('iso-8601', `2016-10-30T${time}`, 'Europe/Berlin');
    expect(at('01:59:59')).toEqual({ at: '2016-10-29T23:59:59Z' });
    expect(at('02:00:00')).toEqual({ at: '2016-10-30T00:00:00Z', doubt: 'repeated' });
    expect(at('02:59:59')).toEqual({ at: '2016-10-30T00:59:59Z', doubt: 'repeated' });
    expect(at('03:00:00')).toEqual({ at: '2016-10-30T02:00:00Z' });
  });

  it('that is not doubtful is what the clock of the zone showed then', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 946_684_800, max: 2_000_000_000 }),
        (zone, local) => {
          const { at, doubt } = placed({ local }, zoneOf(zone));
          const seconds = Date.parse(at) / 1000;
          const shown = seconds + zoneOf(zone).offsetAt(seconds);
          if (doubt === 'skipped') expect(shown).toBeGreaterThan(local);
          else expect(shown).toBe(local);
        },
      ),
    );
  });
});
