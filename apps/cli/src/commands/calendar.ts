import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { closedDays, type ClosedDay } from '#adapters/icalendar';
import { publicHolidays } from '#adapters/public-holidays';
import { parseDate } from '#domain/sla';
import { Refused, UsageError, writeLine, type CommandBody, type Surroundings } from '../program.js';

/** A feed of holidays has some hundred kilobytes. */
const LARGEST_BYTES = 16 * 1024 * 1024;

/** Needs no database: what a calendar says is closed is the answer, and becomes a policy's with the policy. */
export const calendarCommand: CommandBody = async (args, { stdout, stderr }) => {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      country: { type: 'string' },
      region: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
    },
  });
  const [verb, path, ...more] = positionals;
  if (verb !== 'import') throw new UsageError('import is needed');
  const { country, region } = values;
  if (more.length > 0 || (path === undefined) === (country === undefined))
    throw new UsageError('name one file, or a country');
  if (region !== undefined && country === undefined) throw new UsageError('--region is one of a country');
  const days = await closedBy({ ...values, ...(path !== undefined && { path }) }, stderr);
  await writeLine(
    stdout,
    JSON.stringify(
      {
        closed: days.map(({ date }) => date),
        called: Object.fromEntries(days.map((day) => [day.date, day.called])),
      },
      null,
      2,
    ),
  );
  return 0;
};

/** Where closed days come from: a file or a country, and between which dates. */
export interface ClosedFrom {
  readonly path?: string;
  readonly country?: string;
  readonly region?: string;
  readonly from?: string;
  readonly to?: string;
}

/**
 * The closed days of a file or a country; what closes no day is named on the stream.
 * @throws UsageError; Refused, NotICalendar, UnknownCountry
 */
export async function closedBy(
  { path, country, region, ...between }: ClosedFrom,
  stderr: Surroundings['stderr'],
): Promise<readonly ClosedDay[]> {
  const year = new Date().getUTCFullYear();
  const { from = `${year}-01-01`, to = `${year + 2}-12-31` } = between;
  for (const [name, date] of Object.entries({ from, to }))
    if (Number.isNaN(parseDate(date))) throw new UsageError(`--${name} is a date, YYYY-MM-DD`);
  if (to < from) throw new UsageError('--to is before --from');

  const { days, leftOut } =
    path === undefined
      ? publicHolidays(country!, region ?? null, from, to)
      : closedDays(await textOf(path), from, to);
  if (days.length === 0)
    throw new Refused(`${path ?? country}: no day from ${from} to ${to} is closed by it`);
  for (const { called, because } of leftOut)
    await writeLine(stderr, `left out, ${because}: ${JSON.stringify(called)}`);
  return days;
}

async function textOf(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Refused(
      code === 'ENOENT' ? `${path}: there is no such file` : `${path}: it cannot be read (${code})`,
    );
  }
  if (bytes.length > LARGEST_BYTES) throw new Refused(`${path}: it is larger than 16 MiB`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refused(`${path}: it is no UTF-8, as iCalendar files are`);
  }
}
