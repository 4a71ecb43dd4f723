/**
 * `node scripts/ensure.mjs install`: what package-lock.json names is in node_modules, else `npm ci`.
 * `node scripts/ensure.mjs build`: that, and dist is what the sources give, else `nest build`.
 *
 * Both cost little when all is well, say nothing on standard output, may run in several processes at once,
 * and may be broken off at any moment: the next run starts over. They need Node and npm alone, and so import
 * no package.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './child.mjs';
import { inTurn } from './turn.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TURN = join(ROOT, '.ensure.lock');
const BUILT = join(ROOT, 'dist', '.built');
/** Whatever of the root decides what a build gives. */
const BUILD_FILES = ['package.json', 'package-lock.json', 'tsconfig.json', 'nest-cli.json', '.swcrc'];
const SOURCE_ROOTS = ['libs', 'apps'];

/** npm keeps in node_modules a list of what it put there, written last; an installation broken off has none. */
function installed() {
  const wanted = packagesOf(join(ROOT, 'package-lock.json'));
  const present = packagesOf(join(ROOT, 'node_modules', '.package-lock.json'));
  if (present === undefined) return false;
  return Object.entries(wanted).every(([place, wish]) => {
    const there = present[place];
    if (place === '') return true;
    if (there === undefined) return mayBeAbsent(wish);
    return there.version === wish.version && there.integrity === wish.integrity;
  });
}

/** Binaries for other systems are; of an optional package that names no system, or a libc, only npm can tell. */
function mayBeAbsent({ optional, os, cpu, libc }) {
  if (!optional) return false;
  if (libc !== undefined || (os === undefined && cpu === undefined)) return true;
  return !meant(os, process.platform) || !meant(cpu, process.arch);
}

function packagesOf(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined;
}

/** npm's `os` and `cpu` fields: a list of names, `!name` excludes. */
function meant(names, here) {
  if (names === undefined) return true;
  return names.every((name) => name.startsWith('!')) ? !names.includes(`!${here}`) : names.includes(here);
}

/** One hash over names, sizes and times of everything a build reads. */
function sources() {
  const hash = createHash('sha256');
  const add = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(ROOT, path)}\0${size}\0${mtimeMs}\n`);
  };
  for (const file of BUILD_FILES) add(join(ROOT, file));
  for (const file of filesUnder(SOURCE_ROOTS)) add(file);
  return hash.digest('hex');
}

function* filesUnder(folders) {
  for (const folder of folders) {
    const path = join(ROOT, folder);
    if (!existsSync(path)) continue;
    const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (entry.isDirectory()) yield* filesUnder([join(folder, entry.name)]);
      else if (!entry.name.endsWith('.spec.ts')) yield join(path, entry.name);
    }
  }
}

const built = () => existsSync(BUILT) && readFileSync(BUILT, 'utf8') === sources();

/** swc never removes: what a source that is gone once gave would still be imported. */
function removeOrphans() {
  for (const output of filesUnder(SOURCE_ROOTS.map((folder) => join('dist', folder)))) {
    const source = join(ROOT, relative(join(ROOT, 'dist'), output));
    const origins = [source, source.replace(/\.js(\.map)?$/, '.ts')];
    if (!origins.some((origin) => existsSync(origin))) rmSync(output);
  }
}

async function orExit(program, args, env = process.env) {
  // Standard output belongs to the program that runs after this.
  const code = await run(program, args, { cwd: ROOT, stdio: ['ignore', 2, 2], env });
  if (code !== 0)
    throw Object.assign(new Error(`${[program, ...args].join(' ')} ended with ${code}`), { code });
}

async function install() {
  if (installed()) return;
  await inTurn(TURN, async () => {
    if (installed()) return;
    console.error('installing the packages that package-lock.json names …');
    const npm = process.env.npm_execpath;
    // The machine's own settings may leave out what the build needs.
    const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
    if (npm?.endsWith('.js')) await orExit(process.execPath, [npm, ...args]);
    else await orExit('npm', args);
    if (!installed())
      throw new Error('npm ci succeeded, yet node_modules is not what package-lock.json names');
  });
}

async function build() {
  await install();
  if (built()) return;
  await inTurn(TURN, async () => {
    if (built()) return;
    const before = sources();
    rmSync(BUILT, { force: true });
    await orExit(process.execPath, [
      join(ROOT, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js'),
      'build',
      'standalone',
    ]);
    removeOrphans();
    writeFileSync(BUILT, before);
  });
}

const TASKS = { install, build };
const task = TASKS[process.argv[2]];
if (task === undefined) {
  console.error(`usage: node scripts/ensure.mjs ${Object.keys(TASKS).join('|')}`);
  process.exit(2);
}
try {
  await task();
} catch (error) {
  console.error(error.message);
  process.exitCode = typeof error.code === 'number' ? error.code : 1;
}
