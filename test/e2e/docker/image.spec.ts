import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { readDockerfile, variablesOf, type Instruction } from '../../support/dockerfile.js';
import { freePort } from '../../support/eventstoredb.js';
import { eventually } from '../../support/eventually.js';

jest.setTimeout(120_000);

const stages = readDockerfile(readFileSync('docker/Dockerfile', 'utf8'));
const image = stages.at(-1)!;
const last = (name: string): Instruction => image.instructions.findLast((one) => one.name === name)!;
const copies = (stage: string, from?: string): readonly Instruction[] =>
  stages
    .find(({ name }) => name === stage)!
    .instructions.filter(({ name, flags }) => name === 'COPY' && flags.from === from);

/** What `COPY` takes from the project into a folder, as the build would lay it out. */
function copyInto(folder: string, { words }: Instruction): void {
  const [to, ...sources] = [words.at(-1)!, ...words.slice(0, -1)];
  for (const source of sources) {
    const target = to.endsWith('/') ? join(folder, to, basename(source)) : join(folder, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(source, target, { recursive: true, filter: (path) => !path.endsWith('.spec.ts') });
  }
}

/** Packages that `npm ci --omit=dev` installs, as links: with --preserve-symlinks they see each other alone. */
function linkPackages(folder: string): void {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [path, { dev }] of Object.entries(packages)) {
    if (dev === true || !/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || !existsSync(path)) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(process.cwd(), path), join(folder, path));
  }
}

describe('The Dockerfile', () => {
  it('builds in stages on one pinned slim Node, of a version that the project supports', () => {
    expect(stages.length).toBeGreaterThan(1);
    expect(new Set(stages.map(({ image: base }) => base)).size).toBe(1);
    const version = /^node:(\d+)\.\d+\.\d+-bookworm-slim$/.exec(image.image)?.[1];
    expect(['20', '22', '24']).toContain(version);
  });

  it('takes in files that there are, and that its .dockerignore lets through', () => {
    const lets = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => new RegExp(`^${line.slice(1).replaceAll('.', '\\.').replaceAll('*', '[^/]*')}(/|$)`));
    const sources = stages.flatMap(({ name }) => copies(name).flatMap(({ words }) => words.slice(0, -1)));
    expect(sources.length).toBeGreaterThan(10);
    for (const source of sources) {
      expect([source, existsSync(source)]).toEqual([source, true]);
      expect([source, lets.some((pattern) => pattern.test(source))]).toEqual([source, true]);
    }
  });

  it('runs as a user without rights, who owns the folder of the data and nothing else', () => {
    expect(last('USER').words).toEqual(['node']);
    const { DATA_DIR } = variablesOf(image);
    expect(last('VOLUME').words).toEqual([DATA_DIR]);
    const runs = image.instructions.filter(({ name }) => name === 'RUN').map(({ text }) => text);
    expect(runs).toEqual([`mkdir ${DATA_DIR} && chown node:node ${DATA_DIR}`]);
  });
});

describe('What the image holds, laid out here without a container engine', () => {
  let folder: string;
  let app: string;
  const environment = (more: Record<string, string> = {}): NodeJS.ProcessEnv => {
    const { NODE_OPTIONS, ...others } = variablesOf(image);
    return {
      PATH: process.env.PATH,
      ...others,
      NODE_OPTIONS: `${NODE_OPTIONS} --preserve-symlinks`,
      HOST: '127.0.0.1',
      DATA_DIR: join(folder, 'data'),
      ...more,
    };
  };
  const [program, ...entry] = last('ENTRYPOINT').words;
  const runs = (...args: string[]) =>
    promisify(execFile)(program!, [...entry, ...args], { cwd: app, env: environment() }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );

  beforeAll(() => {
    // Where the postgres user can pass, if the test is run by root.
    folder = mkdtempSync(join(tmpdir(), 'covenant-image-'));
    chmodSync(folder, 0o755);
    const build = join(folder, 'build');
    for (const instruction of copies('build')) copyInto(build, instruction);
    symlinkSync(join(process.cwd(), 'node_modules'), join(build, 'node_modules'));
    execFileSync('npm', ['run', 'build'], { cwd: build, stdio: 'pipe' });

    app = join(folder, 'app');
    for (const instruction of copies('desk')) copyInto(app, instruction);
    expect(copies('desk', 'packages').map(({ words }) => words)).toEqual([
      ['/app/node_modules', 'node_modules'],
    ]);
    linkPackages(app);
    expect(copies('desk', 'build').map(({ words }) => words)).toEqual([['/app/dist', 'dist']]);
    cpSync(join(build, 'dist'), join(app, 'dist'), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is without what is for development alone', () => {
    const there = readdirSync(join(app, 'node_modules'));
    for (const name of ['jest', 'eslint', 'prettier', '@swc', '@jest']) expect(there).not.toContain(name);
  });

  it('starts the app that it is told, and names those there are where it is told none', async () => {
    const apps = readdirSync('apps').filter((name) => existsSync(`apps/${name}/src/main.ts`));
    const none = await runs();
    expect(none).toMatchObject({ code: 2, stderr: `covenant: name an app: ${apps.sort().join(', ')}\n` });
    const apart = apps.filter((name) => !['cli', 'standalone'].includes(name));
    for (const name of apart)
      expect(await runs(name)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(new RegExp(`^covenant ${name}: DATABASE_URL must be given`)),
      });
    expect(await runs('cli', 'help')).toMatchObject({ code: 0, stdout: expect.stringContaining('import') });
  });

  it('is a desk that becomes healthy, and ends when it is told to', async () => {
    const port = String(await freePort());
    const health = async (): Promise<number> => {
      const [command, ...args] = last('HEALTHCHECK').words;
      const asking = spawn(command!, args, { cwd: app, env: environment({ PORT: port }), stdio: 'inherit' });
      return ((await once(asking, 'exit')) as [number])[0];
    };
    expect(await health()).toBe(1);
    const desk = spawn(program!, [...entry, ...last('CMD').words], {
      cwd: app,
      env: environment({ PORT: port, SEED: 'off', LOG_LEVEL: 'warn' }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(desk, 'exit');
    try {
      await eventually(async () => (await health()) === 0, {
        within: 60_000,
        every: 300,
        what: 'the desk was healthy',
      });
    } finally {
      desk.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
  });
});
