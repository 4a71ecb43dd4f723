import { parseArgs } from 'node:util';
import { BENCH_LOGS } from '../bench/bench.js';
import { benches } from '../bench/benches.js';
import { runBench } from '../bench/harness.js';
import { UsageError, type CommandBody } from '../program.js';

export const benchCommand: CommandBody = async (args, { env }) => {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean' }, log: { type: 'string' } },
  });
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0 || !Object.hasOwn(benches, name))
    throw new UsageError(`name one bench: ${Object.keys(benches).join(', ')}`);
  const log = BENCH_LOGS.find((known) => known === values.log);
  if (values.log !== undefined && log === undefined)
    throw new UsageError(`--log is one of ${BENCH_LOGS.join(', ')}`);
  const eventStoreUrl = env.EVENTSTORE_URL?.trim() || undefined;
  const done = await runBench(name, {
    json: values.json === true,
    ...(log && { log }),
    ...(eventStoreUrl !== undefined && { eventStoreUrl }),
  });
  return done ? 0 : 1;
};
