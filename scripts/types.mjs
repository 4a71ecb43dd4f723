/**
 * Type-checks the project, then what must not compile: each file of test/rules/types says in its first line
 * which error it is, `// breaks TS2345: <part of the message>`, and gives that one and no other.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { run } from './child.mjs';
import { filesUnder } from './files.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FIXTURES = join(ROOT, 'test', 'rules', 'types');

const code = await run(
  process.execPath,
  [join(ROOT, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', '.'],
  {
    cwd: ROOT,
  },
);

const { options } = ts.getParsedCommandLineOfConfigFile(
  join(ROOT, 'tsconfig.json'),
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
);
const fixtures = [...filesUnder(FIXTURES)];
const program = ts.createProgram(fixtures, {
  ...options,
  noEmit: true,
  incremental: false,
  tsBuildInfoFile: undefined,
});
const problems = [];
for (const path of fixtures) {
  const source = program.getSourceFile(path);
  const [, wanted, text] =
    /^\/\/ breaks (TS\d+): (.*)$/m.exec(readFileSync(path, 'utf8').split('\n', 1)[0]) ?? [];
  const found = ts
    .getPreEmitDiagnostics(program, source)
    .map((d) => ({ number: `TS${d.code}`, message: ts.flattenDiagnosticMessageText(d.messageText, '\n') }));
  if (found.length !== 1 || found[0].number !== wanted || !found[0].message.includes(text)) {
    const list = found.map(({ number, message }) => `\n    ${number}: ${message}`).join('');
    problems.push(
      `${relative(ROOT, path)} should give ${wanted} with "${text}", and gives:${list || ' nothing'}`,
    );
  }
}
for (const problem of problems) console.error(problem);
console.log(`${fixtures.length} fixtures do not compile; ${problems.length} problems`);
process.exitCode = code !== 0 ? code : problems.length > 0 ? 1 : 0;

function fail(diagnostic) {
  throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
}
