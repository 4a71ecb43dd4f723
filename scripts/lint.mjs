/**
 * Lints the project, then the rules themselves: each file under test/rules/lint says in its first line which
 * rule it breaks, `// breaks <rule>: <part of the message>`, and breaks that one, once, and no other.
 *
 * Without ESLint's cache: it knows a file by its content alone, and so would not see that a fold misses a
 * branch once the union it folds has grown in another file.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import config from '../eslint.config.mjs';
import { filesUnder } from './files.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FIXTURES = join(ROOT, 'test', 'rules', 'lint');

const eslint = new ESLint({ cwd: ROOT });
const results = await eslint.lintFiles('.');
const broken = results.reduce((n, { errorCount, warningCount }) => n + errorCount + warningCount, 0);
if (broken > 0) console.error((await eslint.loadFormatter('stylish')).format(results));

// The project's ignores, which name the fixtures, stand in an object of their own.
const withoutIgnores = config.filter((part) => Object.keys(part).join() !== 'ignores');
const strict = new ESLint({ cwd: ROOT, overrideConfigFile: true, overrideConfig: withoutIgnores });
const fixtures = [...filesUnder(FIXTURES)];
const problems = [];
for (const { filePath, messages } of await strict.lintFiles(fixtures)) {
  const [, rule, text] =
    /^\/\/ breaks (\S+): (.*)$/m.exec(readFileSync(filePath, 'utf8').split('\n', 1)[0]) ?? [];
  const right =
    messages.length === 1 &&
    (messages[0].ruleId ?? 'directive') === rule &&
    messages[0].message.includes(text);
  if (!right) {
    const found = messages.map(({ ruleId, message }) => `\n    ${ruleId}: ${message}`).join('');
    problems.push(
      `${relative(ROOT, filePath)} should break ${rule} once, with "${text}", and breaks:${found || ' nothing'}`,
    );
  }
}
for (const problem of problems) console.error(problem);
console.log(
  `${results.length} files linted, ${fixtures.length} fixtures break one rule each; ${broken + problems.length} problems`,
);
process.exitCode = broken + problems.length > 0 ? 1 : 0;
