import { parseArgs } from 'node:util';
import { openPostgresCheckpoints, type PostgresCheckpoints } from '#adapters/log-postgres';
import { everyFlow } from '#engine/flows';
import { UsageError, writeLine, type CommandBody, type Surroundings } from '../program.js';
import { withHouse } from '../with-house.js';

export const flowsCommand: CommandBody = async (args, around) => {
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
      return withCheckpoints(around, (checkpoints) => status(checkpoints, around, values.json === true));
    case 'restart': {
      const names = chosen(name);
      return withCheckpoints(around, (checkpoints) => restart(checkpoints, around, names));
    }
    default:
      throw new UsageError('one of status, restart is needed');
  }
};

function withCheckpoints(
  around: Surroundings,
  work: (checkpoints: PostgresCheckpoints) => Promise<number>,
): Promise<number> {
  return withHouse(around, async ({ databaseUrl, logger }) => {
    const checkpoints = await openPostgresCheckpoints({ url: databaseUrl, logger });
    try {
      return await work(checkpoints);
    } finally {
      await checkpoints.close();
    }
  });
}

function chosen(name: string | undefined): readonly string[] {
  const names = everyFlow.map((flow) => flow.name);
  if (name === undefined) return names;
  if (!names.includes(name)) throw new UsageError(`there is no flow ${name}; there are ${names.join(', ')}`);
  return [name];
}

async function status(
  checkpoints: PostgresCheckpoints,
  { stdout }: Surroundings,
  json: boolean,
): Promise<number> {
  const flows = await checkpoints.stand();
  if (json) {
    await writeLine(stdout, JSON.stringify({ flows }));
    return 0;
  }
  for (const { flow, position, held } of flows) {
    await writeLine(stdout, `${flow.padEnd(14)} at ${position}`);
    for (const { position: at, stream, problem } of held)
      await writeLine(
        stdout,
        `${flow}: ${at} ${problem === null ? `waits for ${stream}` : `failed: ${problem}`}`,
      );
  }
  return 0;
}

async function restart(
  checkpoints: PostgresCheckpoints,
  { stdout }: Surroundings,
  names: readonly string[],
): Promise<number> {
  for (const name of names) {
    await checkpoints.forget(name);
    await writeLine(stdout, `${name} reads the log from its beginning`);
  }
  return 0;
}
