import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../../support/eventually.js';
import { APPS_APART } from '../edge/desk-process.js';

const run = promisify(execFile);
const folders: string[] = [];

async function dataDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'covenant-npm-'));
  // Started by root, the database's user passes through; else the files would go elsewhere (ruling 34) and stay.
  await chmod(folder, 0o711);
  folders.push(folder);
  return join(folder, 'data');
}

beforeAll(async () => {
  await run('npm', ['run', 'build']);
}, 120_000);

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

describe('A built checkout', () => {
  it('is left as it is, without a word', async () => {
    const before = await readFile('dist/.built', 'utf8');
    expect(await run(process.execPath, ['scripts/ensure.mjs', 'build'])).toEqual({ stdout: '', stderr: '' });
    expect(await readFile('dist/.built', 'utf8')).toBe(before);
  });

  it('gives standard output to the program alone', async () => {
    const { stdout } = await run(
      'npm',
      ['run', '-s', 'covenant', '--', 'token', '--role', 'agent', '--name', 'alice'],
      {
        env: {
          ...process.env,
          AUTH_SECRET: 'an auth secret for tests, and tests only',
          DATA_DIR: await dataDir(),
        },
      },
    );
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });
});

describe('Every app', () => {
  it('is started by a command of its own, as built', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const app of APPS_APART) {
      expect(scripts[`start:${app}`]).toMatch(
        new RegExp(`^node scripts/ensure.mjs build && exec node .*dist/apps/${app}/src/main.js$`),
      );
      await access(`dist/apps/${app}/src/main.js`);
    }
  });

  it('says what it lacks where it is started so without it', async () => {
    const started = run('npm', ['run', '-s', 'start:projector'], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: await dataDir() },
    });
    await expect(started).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^covenant projector: DATABASE_URL must be given: [^\n]+\n$/),
    });
  });
});

describe('A signal to npm start', () => {
  it('reaches the desk, which stops cleanly and leaves no process behind', async () => {
    const desk = spawn('npm', ['start'], {
      env: { ...process.env, PORT: '0', SEED: 'off', DATA_DIR: await dataDir() },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    desk.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await eventually(() => out.includes('the desk is open'), { within: 60_000, what: 'the desk opened' });
    desk.kill('SIGTERM');
    // Closed once no process holds its output any more.
    await once(desk, 'close');
    expect(out).toContain('the desk has stopped');
  }, 120_000);
});
