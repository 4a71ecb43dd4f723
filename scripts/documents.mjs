/**
 * Documents that are made from the code, or that must name all of something. `npm run docs:events` writes
 * docs/events.md; with `--check` a difference fails and names the command. Needs a build.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { everyEvent, markdown } from '#engine/catalogue';
import { filesUnder } from './files.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const EVENTS = 'docs/events.md';
const DEPENDENCIES = 'docs/decisions/0003-dependencies.md';

const read = (path) => (existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : '');
const page = markdown(everyEvent);
const problems = [];

if (process.argv[2] === '--check') {
  if (read(EVENTS) !== page) {
    problems.push(
      `${EVENTS} is not what the catalogue declares${firstDifference(read(EVENTS), page)}; \`npm run docs:events\` makes it`,
    );
  }
  problems.push(...undecidedDependencies(), ...deadLinks());
} else {
  mkdirSync(join(ROOT, dirname(EVENTS)), { recursive: true });
  writeFileSync(join(ROOT, EVENTS), page);
}
for (const problem of problems) console.error(problem);
console.log(`${Object.keys(everyEvent).length} events in ${EVENTS}; ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;

/** Each dependency has its reason in a row of the decision's tables, and no row is left of one that is gone. */
function undecidedDependencies() {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  const installed = Object.keys({ ...dependencies, ...devDependencies });
  const reasoned = [...read(DEPENDENCIES).matchAll(/^\| `([^`]+)` \| .*\S.* \|$/gm)].map(([, name]) => name);
  return [
    ...installed
      .filter((name) => !reasoned.includes(name))
      .map((name) => `${DEPENDENCIES} gives no reason for ${name}`),
    ...reasoned
      .filter((name) => !installed.includes(name))
      .map((name) => `${DEPENDENCIES} names ${name}, which is not installed`),
  ];
}

/** Links of the pages to files of the project. */
function deadLinks() {
  const pages = [
    'README.md',
    'docker/README.md',
    ...[...filesUnder(join(ROOT, 'docs'))].map((path) => relative(ROOT, path)),
  ];
  return pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
        .map(([, target]) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(ROOT, dirname(page), target)))
        .map((target) => `${page} links to ${target}, which is not there`),
    );
}

function firstDifference(one, other) {
  const [a, b] = [one.split('\n'), other.split('\n')];
  const line = b.findIndex((text, i) => text !== a[i]);
  return line < 0 ? '' : ` (from line ${line + 1} on)`;
}
