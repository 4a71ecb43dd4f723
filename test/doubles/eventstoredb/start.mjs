#!/usr/bin/env node
/**
 * Starts the double in a process of its own that outlives this one, waits until it listens, and prints its pid:
 * what recordings/faults.mjs asks of a server. The arguments are main.ts's.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const child = spawn(
  process.execPath,
  [
    ...['--no-warnings', '--conditions=source', '--import', here('../../support/typescript.mjs')],
    ...[here('main.ts'), ...process.argv.slice(2)],
  ],
  { detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
);
child.on('exit', (code) => process.exit(code === 0 ? 1 : (code ?? 1)));
let said = '';
for await (const chunk of child.stdout) {
  said += chunk;
  if (!said.includes('\n')) continue;
  console.log(child.pid);
  process.exit(0);
}
