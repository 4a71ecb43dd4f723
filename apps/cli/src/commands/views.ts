import { parseArgs } from 'node:util';
import { everyView, rebuild, retryParked, type View } from '#engine/views';
import type { House } from '#edge';
import { projectingOf } from '../projecting.js';
import { UsageError, writeLine, type CommandBody, type Surroundings } from '../program.js';
import { withHouse } from '../with-house.js';

export const viewsCommand: CommandBody = async (args, around) => {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean' } },
  });
  const [verb, name, ...more] = positionals;
  if (more.length > 0 || (verb === 'status' && name !== undefined))
    throw new UsageError('too many arguments');
  switch (verb) {
    case 'status':
      return withHouse(around, (house) => status(house, around, values.json === true));
    case 'retry':
    case 'rebuild': {
      const views = chosen(name);
      return withHouse(around, (house) => (verb === 'retry' ? retry : build)(house, around, views));
    }
    default:
      throw new UsageError('one of status, retry, rebuild is needed');
  }
};

function chosen(name: string | undefined): readonly View[] {
  if (name === undefined) return everyView;
  const view = everyView.find((view) => view.name === name);
  if (!view)
    throw new UsageError(
      `there is no view ${name}; there are ${everyView.map(({ name }) => name).join(', ')}`,
    );
  return [view];
}

async function status(house: House, { stdout }: Surroundings, json: boolean): Promise<number> {
  const head = await house.store.head();
  const views = await house.views.figures(head);
  if (json) {
    await writeLine(stdout, JSON.stringify({ position: head.position, views }));
    return 0;
  }
  await writeLine(stdout, `log at ${head.position}`);
  for (const { view, position, behind, parkedStreams, parkedEvents } of views) {
    const parked = parkedStreams === 0 ? '' : `, ${parkedStreams} streams parked with ${parkedEvents} events`;
    await writeLine(stdout, `${view.padEnd(14)} at ${position}, ${behind} behind${parked}`);
  }
  for (const { name } of everyView)
    for (const { stream, from, upTo, reason } of await house.views.store.parked(name))
      await writeLine(stdout, `parked in ${name}: ${stream} from ${from} to ${upTo}: ${reason}`);
  return 0;
}

async function retry(house: House, around: Surroundings, views: readonly View[]): Promise<number> {
  let waiting = 0;
  for (const view of views) {
    const { streams, events, still } = await retryParked(projectingOf(house), view, around.signal);
    waiting += still.length;
    await writeLine(around.stdout, `${view.name}: ${streams} streams go on, ${events} events folded`);
    for (const { stream, from, reason } of still)
      await writeLine(around.stdout, `${view.name}: ${stream} still waits at ${from}: ${reason}`);
  }
  return waiting === 0 ? 0 : 1;
}

async function build(house: House, around: Surroundings, views: readonly View[]): Promise<number> {
  let different = 0;
  for (const view of views) {
    const { position, comparison } = await rebuild(projectingOf(house), view, around.signal);
    const compared =
      comparison === null
        ? 'there was nothing to compare it with'
        : comparison.equal
          ? `${comparison.rebuilt.rows} rows, equal to the ones before`
          : `${comparison.rebuilt.rows} rows, DIFFERENT from the ${comparison.live.rows} before`;
    await writeLine(around.stdout, `${view.name}: rebuilt up to ${position}: ${compared}`);
    if (comparison && !comparison.equal) {
      different += 1;
      for (const key of comparison.differing) await writeLine(around.stdout, `  ${key}`);
    }
  }
  return different === 0 ? 0 : 1;
}
