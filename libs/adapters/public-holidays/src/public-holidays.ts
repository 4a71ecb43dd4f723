import { formatDate, parseDate } from '#domain/sla';
import Calendars from 'date-holidays';

export interface Holiday {
  /** Local date, `YYYY-MM-DD`. */
  readonly date: string;
  /** In the country's own language; several where several fall on it. */
  readonly called: readonly string[];
}

export interface Holidays {
  /** In order, each date once; those that stand in for a holiday on a weekend included. */
  readonly days: readonly Holiday[];
  /** Holidays of less than a day: they close no date. */
  readonly leftOut: readonly { readonly called: string; readonly because: 'not-all-day' }[];
}

export class UnknownCountry extends Error {
  override readonly name = 'UnknownCountry';
}

/**
 * The public holidays of a country, or of one of its regions, as the data of `date-holidays` has them. Bank
 * holidays, school holidays and observances are not among them, nor are the workdays that make up for a
 * holiday (China): those are `open` exceptions, which no such data has.
 *
 * @param country ISO 3166 code, `DE`
 * @param region of the country, `BY`
 * @param from first date that counts, `YYYY-MM-DD`
 * @param to last date that counts
 * @throws UnknownCountry
 */
export function publicHolidays(country: string, region: string | null, from: string, to: string): Holidays {
  const calendars = region === null ? new Calendars(country) : new Calendars(country, region);
  if (!Object.hasOwn(calendars.getCountries(), country))
    throw new UnknownCountry(
      `the holidays of ${JSON.stringify(country)} are not known; it is a code such as DE`,
    );
  const regions = Object.keys((calendars.getStates(country) as Record<string, string> | null) ?? {});
  if (region !== null && !regions.includes(region))
    throw new UnknownCountry(
      `the holidays of ${country} are known for ${regions.length === 0 ? 'no region' : regions.join(', ')}, not for ${JSON.stringify(region)}`,
    );

  const names = new Map<string, Set<string>>();
  const leftOut = new Set<string>();
  // One that began the year before may reach into the first.
  for (let year = Number(from.slice(0, 4)) - 1; year <= Number(to.slice(0, 4)); year++)
    for (const { date, start, end, type, name } of calendars.getHolidays(year)) {
      if (type !== 'public') continue;
      const first = parseDate(date.slice(0, 10));
      // Where clocks change in between, a day has 23 or 25 hours.
      const days = Math.round((end.getTime() - start.getTime()) / 86_400_000);
      // Holidays that begin at sunset are dated `2026-09-21 00:00:00 -0600`: the day after that evening.
      const wholeDay = date.slice(11, 19) === '00:00:00' && end.getTime() - start.getTime() > 22 * 3_600_000;
      const inYears = formatDate(first) <= to && formatDate(first + Math.max(1, days) - 1) >= from;
      if (!wholeDay && inYears) leftOut.add(name);
      if (!wholeDay) continue;
      for (let day = first; day < first + days; day++) {
        const text = formatDate(day);
        if (text >= from && text <= to) names.set(text, (names.get(text) ?? new Set()).add(name));
      }
    }
  return {
    days: [...names]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([date, called]) => ({ date, called: [...called] })),
    leftOut: [...leftOut].map((called) => ({ called, because: 'not-all-day' })),
  };
}
