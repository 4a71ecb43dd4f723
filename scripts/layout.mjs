/** Prettier over everything; `--write` lays it out, without it a difference fails and names the command. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './child.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const write = process.argv[2] === '--write';
const code = await run(
  process.execPath,
  [
    join(ROOT, 'node_modules/prettier/bin/prettier.cjs'),
    ...['.', write ? '--write' : '--check', '--log-level', 'warn', '--cache'],
  ],
  { cwd: ROOT },
);
if (code !== 0 && !write) console.error('`npm run format` lays them out');
process.exitCode = code;
