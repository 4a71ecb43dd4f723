import { runVectors } from '../vectors/run-vectors.js';
import { parseArgs } from 'node:util';
import { UsageError, type CommandBody } from '../program.js';

export const vectorsCommand: CommandBody = async (args, { stdout }) => {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true });
  if (positionals.length === 0) throw new UsageError('name the files');
  const { failed } = await runVectors(positionals, (line) => stdout.write(`${line}\n`));
  return failed === 0 ? 0 : 1;
};
