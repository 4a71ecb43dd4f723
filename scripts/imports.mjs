/**
 * Checks the project's imports against .dependency-cruiser.cjs, then the rules themselves: each has a fixture
 * in test/rules/imports that breaks it, and it alone.
 */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FIXTURES = join(ROOT, 'test', 'rules', 'imports');
const { options, forbidden } = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs'));

/** Violations of the rules by what stands in a folder; paths are relative to it, and so are the rules'. */
async function violationsIn(folder) {
  process.chdir(folder);
  const roots = ['libs', 'apps', 'test'].filter((root) => existsSync(root));
  const { output } = await cruise(roots, {
    ...options,
    ruleSet: { forbidden },
    validate: true,
    baseDir: folder,
  });
  return { modules: output.summary.totalCruised, violations: output.summary.violations };
}

const problems = [];
const project = await violationsIn(ROOT);
for (const { rule, from, to, cycle } of project.violations) {
  const way = cycle ? [from, ...cycle.map((step) => step.name)] : [from, to];
  const { comment } = forbidden.find(({ name }) => name === rule.name);
  problems.push(`${rule.name}: ${way.join(' -> ')}${comment ? `\n    ${comment}` : ''}`);
}

const rules = forbidden.map(({ name }) => name);
const fixtures = readdirSync(FIXTURES);
for (const rule of rules.filter((name) => !fixtures.includes(name))) {
  problems.push(`the rule ${rule} has no fixture in test/rules/imports`);
}
for (const fixture of fixtures) {
  const { violations } = await violationsIn(join(FIXTURES, fixture));
  const broken = [...new Set(violations.map(({ rule }) => rule.name))];
  if (broken.length !== 1 || broken[0] !== fixture) {
    problems.push(
      `test/rules/imports/${fixture} should break its rule alone, and breaks: ${broken.join(', ') || 'none'}`,
    );
  }
}

for (const problem of problems) console.error(problem);
console.log(
  `${project.modules} modules hold ${rules.length} rules; ${fixtures.length} fixtures break one each; ${problems.length} problems`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
