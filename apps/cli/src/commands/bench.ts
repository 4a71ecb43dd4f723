import { parseArgs } from 'node:util';
import { benches } from '../bench/benches.js';
import { runBench } from '../bench/harness.js';
import { UsageError, type CommandBody } from '../program.js';

export const benchCommand: CommandBody = async (args) => {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean' } },
  });
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0 || !Object.hasOwn(benches, name))
    throw new UsageError(`name one bench: ${Object.keys(benches).join(', ')}`);
  return (await runBench(name, { json: values.json === true })) ? 0 : 1;
};
