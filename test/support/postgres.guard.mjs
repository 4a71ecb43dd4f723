/** Stops the tests' PostgreSQL and removes its folder once standard input closes; see postgres.global.mjs. */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [pgCtl, home, owner] = process.argv.slice(2);
for await (const chunk of process.stdin) void chunk;
const dataDir = join(home, 'data');
try {
  if (existsSync(join(dataDir, 'postmaster.pid'))) {
    execFileSync(pgCtl, ['-w', '-s', '-D', dataDir, '-m', 'immediate', 'stop'], {
      ...JSON.parse(owner),
      cwd: home,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
} finally {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
