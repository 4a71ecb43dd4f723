/**
 * Runs Jest as this project needs it: ES modules, one seed for every property test of the run, printed. What
 * follows on the command line goes to Jest. The last line is `N passed, N failed`; a suite that could not be
 * loaded counts as one failed test, a test that was skipped likewise.
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './child.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** `{ code, passed, failed }`; the code is not 0 where anything failed. */
export async function jest(args) {
  const seed = process.env.COVENANT_SEED ?? String(randomInt(2 ** 31));
  console.log(`seed of the property tests: ${seed} (COVENANT_SEED=${seed} repeats this run)`);
  const folder = mkdtempSync(join(tmpdir(), 'covenant-jest-'));
  const results = join(folder, 'results.json');
  try {
    const code = await run(
      process.execPath,
      [
        join(ROOT, 'node_modules/jest/bin/jest.js'),
        '--ci',
        '--passWithNoTests',
        '--json',
        `--outputFile=${results}`,
        ...args,
      ],
      {
        cwd: ROOT,
        stdio: ['ignore', 2, 2],
        env: {
          ...process.env,
          COVENANT_SEED: seed,
          NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`,
        },
      },
    );
    return { code, ...counted(results, code) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function counted(results, code) {
  let told;
  try {
    told = JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    // Jest ended before it could say anything.
    return { passed: 0, failed: 1 };
  }
  const skipped = told.numPendingTests + told.numTodoTests;
  if (skipped > 0) console.error(`${skipped} tests were skipped: a test runs or is removed`);
  const failed = told.numFailedTests + told.numRuntimeErrorTestSuites + skipped;
  return { passed: told.numPassedTests, failed: code !== 0 ? Math.max(failed, 1) : failed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { code, passed, failed } = await jest(process.argv.slice(2));
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = code !== 0 ? code : failed > 0 ? 1 : 0;
}
