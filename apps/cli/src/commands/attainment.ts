import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { TIERS } from '#domain/desk';
import { CLOCKS, PRIORITIES } from '#domain/sla';
import { attained, isMonth, type AttainmentAsked } from '#engine/views';
import { besideAsMarkdown, besideLog } from '../attainment/beside.js';
import { attainedAsText } from '../attainment/table.js';
import { shippedMapping } from '../import/mapping-file.js';
import { Refused, UsageError, writeLine, type CommandBody } from '../program.js';
import { withHouse } from '../with-house.js';

export const attainmentCommand: CommandBody = async (args, around) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      month: { type: 'string' },
      policy: { type: 'string' },
      tier: { type: 'string' },
      priority: { type: 'string' },
      clock: { type: 'string' },
      json: { type: 'boolean' },
      beside: { type: 'string' },
      into: { type: 'string' },
    },
  });
  const { beside, into, json, month, policy, ...rest } = values;
  if (into !== undefined && beside === undefined) throw new UsageError('--into needs --beside');
  if (beside !== undefined) {
    if (json === true || month !== undefined || policy !== undefined || Object.keys(rest).length > 0)
      throw new UsageError('--beside is about all of a log, by priority');
    const write = into === undefined ? null : await placeIn(into);
    const mapping = await shippedMapping('servicenow');
    const lines = await withHouse(around, async (house) => [
      ...besideAsMarkdown(await besideLog(house, mapping, beside)),
    ]);
    for (const line of lines) await writeLine(around.stdout, line);
    await write?.(lines);
    return 0;
  }
  if (month !== undefined && !isMonth(month)) throw new UsageError('--month is a month, such as 2026-11');
  const asked: AttainmentAsked = {
    month,
    policy,
    tier: oneOf('tier', rest.tier, TIERS),
    priority: oneOf('priority', rest.priority, PRIORITIES),
    clock: oneOf('clock', rest.clock, CLOCKS),
  };
  return withHouse(around, async (house) => {
    const policies = await house.refreshPolicies();
    const { at, lines } = await house.views.attainment((source) => attained(source, asked, policies));
    const text = json === true ? [JSON.stringify({ at, items: lines })] : [...attainedAsText(lines)];
    for (const line of text) await writeLine(around.stdout, line);
    return 0;
  });
};

function oneOf<const V extends string | number>(
  name: string,
  given: string | undefined,
  values: readonly V[],
): V | undefined {
  const value = values.find((each) => String(each) === given);
  if (given !== undefined && value === undefined)
    throw new UsageError(`--${name} is one of ${values.join(', ')}`);
  return value;
}

const [OPENING, CLOSING] = ['<!-- beside made_sla -->', '<!-- end of beside made_sla -->'];

/**
 * Makes ready to replace what stands between the two marks of a page; all else of it stays as it is.
 * @throws Refused where it has no such marks
 */
async function placeIn(page: string): Promise<(lines: readonly string[]) => Promise<void>> {
  const before = await readFile(page, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const [from, to] = [before.indexOf(OPENING), before.indexOf(CLOSING)];
  if (from < 0 || to < from) throw new Refused(`${page} has no place for the table: ${OPENING} … ${CLOSING}`);
  return (lines) =>
    writeFile(page, `${before.slice(0, from)}${[OPENING, '', ...lines, ''].join('\n')}\n${before.slice(to)}`);
}
