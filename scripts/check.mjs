/**
 * What `npm test` runs: cheap steps first, each with its duration, up to the first that fails. The last line
 * counts tests, `N passed, N failed`; a failed step without tests of its own counts as one failed.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './child.mjs';
import { jest } from './jest.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const script =
  (name, ...args) =>
  async () => ({
    code: await run(process.execPath, [join(ROOT, 'scripts', name), ...args], {
      cwd: ROOT,
      stdio: ['ignore', 2, 2],
    }),
  });

const STEPS = [
  ['types', script('types.mjs')],
  ['lint', script('lint.mjs')],
  ['layout', script('layout.mjs')],
  ['imports', script('imports.mjs')],
  ['unit tests', () => jest(['--selectProjects', 'unit'])],
  ['build', script('ensure.mjs', 'build')],
  ['documents', script('documents.mjs', '--check')],
  ['end-to-end tests', () => jest(['--selectProjects', 'e2e'])],
];

const total = { passed: 0, failed: 0 };
const started = performance.now();
for (const [name, step] of STEPS) {
  const from = performance.now();
  const { code, passed = 0, failed = code === 0 ? 0 : 1 } = await step();
  total.passed += passed;
  total.failed += failed;
  const counts = passed + failed > 0 ? ` (${passed} passed, ${failed} failed)` : '';
  console.log(`${code === 0 && failed === 0 ? 'ok    ' : 'FAILED'} ${seconds(from)}  ${name}${counts}`);
  if (code !== 0 || failed > 0) {
    process.exitCode = code > 128 ? code : 1;
    break;
  }
}
console.log(`${seconds(started)} in all`);
console.log(`${total.passed} passed, ${total.failed} failed`);

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1).padStart(6)} s`;
}
