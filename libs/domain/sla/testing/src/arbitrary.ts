import type { CalendarDefinition } from '#domain/sla';
import fc from 'fast-check';

/** Zones with and without daylight saving, with odd offsets, with rules in the middle of the day and of the night. */
export const TWENTY_ZONES = [
  'UTC',
  'Africa/Cairo',
  'Africa/Casablanca',
  'America/Havana',
  'America/New_York',
  'America/Santiago',
  'America/Sao_Paulo',
  'America/St_Johns',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Shanghai',
  'Asia/Tehran',
  'Antarctica/Troll',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Europe/Dublin',
  'Pacific/Apia',
  'Pacific/Auckland',
  'Pacific/Chatham',
] as const;

const minutes = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 23 * 60 + 59 }) },
  // Around midnight and the small hours, where clocks change.
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 4 * 60 }) },
  { weight: 1, arbitrary: fc.constant(0) },
);
const text = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
const times = fc.record({ from: minutes.map(text), to: fc.oneof(minutes.map(text), fc.constant('24:00')) });
const days = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 });

/** Calendars as people write them, good ones and some whose intervals share time; most open every day. */
export function definitions(zone: string, dates: readonly string[]): fc.Arbitrary<CalendarDefinition> {
  const someDates = fc.uniqueArray(fc.constantFrom(...dates), { maxLength: 3 });
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        zone: fc.constant(zone),
        weekly: fc.array(
          fc.record({ days, times }).map(({ days, times }) => ({ days, ...times })),
          { minLength: 1, maxLength: 3 },
        ),
        closed: someDates,
        open: fc.array(
          fc
            .record({ date: fc.constantFrom(...dates), times })
            .map(({ date, times }) => ({ date, ...times })),
          { maxLength: 2 },
        ),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ zone, always: true as const }) },
  );
}
