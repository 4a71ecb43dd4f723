import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freeBytes, openEmbedded, type Embedded } from '#adapters/embedded-postgres';
import { eventually } from '../../support/eventually.js';
import { postmasterOf, User } from './processes.js';

// Servers are made, killed and recovered here, on machines that do other things as well.
jest.setTimeout(120_000);

const root = process.getuid?.() === 0;

let above: string;
let dataDir: string;
let users: User[];
let opened: Embedded[];

beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'covenant-embedded-'));
  await chmod(above, 0o755);
  dataDir = join(above, 'data');
  users = [];
  opened = [];
});

afterEach(async () => {
  for (const embedded of opened) await embedded.close();
  for (const user of users) await user.kill();
  // Whatever a test left running is stopped as the next comer would stop it.
  const kept = await readFile(join(dataDir, 'postgres.json'), 'utf8').catch(() => null);
  const folder = kept === null ? null : (JSON.parse(kept) as { folder: string }).folder;
  const outside = folder?.startsWith('/') ? folder : null;
  const running = folder !== null && (await postmasterOf(outside ?? join(dataDir, folder)));
  if (running) await openEmbedded({ dataDir, as: 'command' }).then((e) => e.close());
  if (outside !== null) await rm(dirname(outside), { recursive: true, force: true });
  await rm(above, { recursive: true, force: true });
});

/** A data folder as an earlier desk left it; making one takes a second, copying one does not. */
let made: Promise<string> | undefined;

async function prepared(): Promise<void> {
  const template = await (made ??= (async () => {
    const home = await mkdtemp(join(tmpdir(), 'covenant-embedded-'));
    await chmod(home, 0o755);
    await openEmbedded({ dataDir: join(home, 'data'), as: 'desk' }).then((e) => e.close());
    return home;
  })());
  await promisify(execFile)('cp', ['-a', join(template, 'data'), dataDir]);
  await writeFile(join(dataDir, 'postgres.json'), '{"folder": "postgres", "port": null}', { mode: 0o600 });
}

afterAll(async () => {
  if (made) await rm(await made, { recursive: true, force: true });
});

async function open(as: 'desk' | 'command' = 'desk'): Promise<Embedded> {
  const embedded = await openEmbedded({ dataDir, as });
  opened.push(embedded);
  return embedded;
}

function user(as: 'desk' | 'command'): User {
  const started = User.start(as, dataDir);
  users.push(started);
  return started;
}

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {
    // A server killed under a test's own connection; the query fails as well.
  });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

/** Folders in which a database is just being made, where they hold `file`. */
async function drafts(file = '.'): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(dataDir).catch(() => []))
    if (name.endsWith('.new') && (await stat(join(dataDir, name, file)).catch(() => null)))
      found.push(join(dataDir, name));
  return found;
}

const withPassword = (url: string, password: string, name?: string): string => {
  const changed = new URL(url);
  changed.password = password;
  if (name !== undefined) changed.username = name;
  return changed.href;
};

describe('The embedded PostgreSQL', () => {
  it('keeps its data and its port from one start to the next, and stops with its last user', async () => {
    const first = await open();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.close();
    expect(await postmasterOf(first.folder)).toBeNull();
    const second = await open();
    expect(second.url).toBe(first.url);
    expect((await query(second.url, 'SELECT answer FROM kept')).rows).toEqual([{ answer: 42 }]);
  });

  it('takes nobody without the password, and listens on loopback only', async () => {
    const { url } = await open();
    const password = new URL(url).password;
    await expect(query(withPassword(url, ''), 'SELECT 1')).rejects.toThrow(/password/);
    await expect(query(withPassword(url, 'wrong'), 'SELECT 1')).rejects.toThrow(/password/);
    await expect(query(withPassword(url, password, 'postgres'), 'SELECT 1')).rejects.toThrow(/password/);
    const secret = await readFile(join(dataDir, 'secrets', 'postgres-password'), 'utf8');
    expect(secret.trim()).toBe(password);
    expect((await stat(join(dataDir, 'secrets', 'postgres-password'))).mode & 0o777).toBe(0o600);
    const settings = await query(
      url,
      `SELECT name, setting FROM pg_settings WHERE name IN
         ('listen_addresses', 'unix_socket_directories', 'fsync', 'synchronous_commit', 'full_page_writes',
          'log_error_verbosity') ORDER BY name`,
    );
    expect(Object.fromEntries(settings.rows.map((r) => [r.name, r.setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      log_error_verbosity: 'terse',
      synchronous_commit: 'on',
      unix_socket_directories: '',
    });
    const rules = await readFile(join(dirname(dataDir), 'data', 'postgres', 'pg_hba.conf'), 'utf8');
    const methods = rules.split('\n').filter((line) => /^(local|host)/.test(line));
    expect(methods.every((line) => line.endsWith('scram-sha-256'))).toBe(true);
    const { rows } = await query(url, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
    expect(rows).toEqual([{ rolsuper: false }]);
  });

  it('logs into its own folder, and never a value of a statement', async () => {
    await prepared();
    const { url, folder } = await open();
    await query(url, 'CREATE TABLE once (name text PRIMARY KEY)');
    const clumsy = [
      `INSERT INTO once VALUES ('sentinel'), ('sentinel')`,
      `SELECT 'sentinel'::integer`,
      `SELECT * FROM sentinel`,
      `DO $$ BEGIN RAISE EXCEPTION 'sentinel'; END $$`,
      `DO $$ BEGIN RAISE WARNING 'sentinel'; END $$`,
    ];
    for (const statement of clumsy) await query(url, statement).catch(() => undefined);
    const logs = await readdir(join(folder, 'log'));
    const texts = await Promise.all(logs.map((name) => readFile(join(folder, 'log', name), 'utf8')));
    expect(texts.join('')).toContain('database system is ready');
    expect(texts.join('')).not.toContain('sentinel');
  });

  it('tells how much room its disk has', async () => {
    await prepared();
    const { folder } = await open();
    expect(await freeBytes(folder)).toBeGreaterThan(1_000_000);
  });

  it('takes another port where the last one is taken', async () => {
    await prepared();
    const first = await open();
    await first.close();
    const port = Number(new URL(first.url).port);
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const second = await open();
      expect(new URL(second.url).port).not.toBe(String(port));
      expect(JSON.parse(await readFile(join(dataDir, 'postgres.json'), 'utf8')).port).toBe(
        Number(new URL(second.url).port),
      );
    } finally {
      squatter.close();
    }
  });
});

describe('One desk at a time', () => {
  it('refuses a second desk and names the first', async () => {
    await prepared();
    await open();
    const second = user('desk');
    const { refused, message } = await second.outcome();
    expect(refused).toBe('other-desk');
    expect(message).toContain(dataDir);
    expect(message).toContain(`process ${process.pid}`);
    await second.ended;
  });

  it('lets commands in beside it, and the last one out turns off the light', async () => {
    await prepared();
    const desk = await open();
    const command = user('command');
    expect(await command.url()).toBe(desk.url);
    await desk.close();
    expect((await query(await command.url(), 'SELECT 1 AS here')).rows).toEqual([{ here: 1 }]);
    await command.leave();
    expect(await postmasterOf(desk.folder)).toBeNull();
  });

  it('lets a command run alone, and a desk join it', async () => {
    await prepared();
    const command = await open('command');
    const desk = await open('desk');
    expect(desk.url).toBe(command.url);
  });

  it('takes over the server of a desk that was killed', async () => {
    await prepared();
    const first = user('desk');
    const url = await first.url();
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS one');
    const server = await postmasterOf(join(dataDir, 'postgres'));
    await first.kill();
    const second = await open('desk');
    expect(second.url).toBe(url);
    expect(await postmasterOf(second.folder)).toBe(server);
    expect((await query(url, 'SELECT one FROM kept')).rows).toEqual([{ one: 1 }]);
  });

  it('is made once however many come at the same time', async () => {
    const all = [user('command'), user('desk'), user('command'), user('desk')];
    const outcomes = await Promise.all(all.map((u) => u.outcome()));
    const urls = outcomes.flatMap((o) => o.opened ?? []);
    expect(new Set(urls).size).toBe(1);
    expect(outcomes.filter((o) => o.refused !== undefined).map((o) => o.refused)).toEqual(['other-desk']);
    expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres.json', 'secrets']);
  });

  it('lets a command come in whatever the moment at which the desk leaves', async () => {
    await prepared();
    await open().then((e) => e.close());
    for (let round = 0; round < 6; round++) {
      const desk = await open('desk');
      const leaving = desk.close();
      const moment = performance.now() + round * 15;
      await eventually(() => performance.now() >= moment, { every: 5 });
      const command = await open('command');
      expect((await query(command.url, 'SELECT 1 AS here')).rows).toEqual([{ here: 1 }]);
      await leaving;
      expect((await query(command.url, 'SELECT 1 AS here')).rows).toEqual([{ here: 1 }]);
      await command.close();
      expect(await postmasterOf(command.folder)).toBeNull();
    }
  });

  it('begins anew where whoever made the files was killed on the way', async () => {
    const moments = [
      async () => (await readdir(dataDir)).includes('postgres.json'),
      async () => (await drafts()).length > 0,
      async () => (await drafts('PG_VERSION')).length > 0,
      async () => (await drafts('log')).length > 0 || (await readdir(dataDir)).includes('postgres'),
    ];
    for (const moment of moments) {
      const hasty = user('desk');
      await eventually(moment, { every: 2, within: 30_000 });
      await hasty.kill();
      if (!(await readdir(dataDir)).includes('postgres'))
        // The initdb that it leaves behind still writes for a moment.
        for (const left of await drafts())
          await rm(left, { recursive: true, force: true, maxRetries: 50, retryDelay: 20 });
    }
    const { url } = await open();
    expect((await query(url, 'SELECT 1 AS here')).rows).toEqual([{ here: 1 }]);
  });
});

describe('A PostgreSQL that dies', () => {
  beforeEach(prepared);

  it('is started again on its port while the desk runs, and the desk stays the desk', async () => {
    const desk = user('desk');
    const url = await desk.url();
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS one');
    const folder = join(dataDir, 'postgres');
    for (let round = 0; round < 2; round++) {
      const killed = (await postmasterOf(folder))!;
      process.kill(killed, 'SIGKILL');
      await eventually(async () => (await query(url, 'SELECT one FROM kept')).rows.length === 1, {
        within: 30_000,
        what: 'the server answers again',
      });
      expect(await postmasterOf(folder)).not.toBe(killed);
    }
    await eventually(() => desk.has('have the embedded PostgreSQL again'), { within: 10_000 });
    expect((await user('desk').outcome()).refused).toBe('other-desk');
    await desk.leave();
    expect(await postmasterOf(folder)).toBeNull();
  });

  it('gets the desk back after one of its backends was killed', async () => {
    const desk = user('desk');
    const url = await desk.url();
    const { rows } = await query(
      url,
      `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'covenant desk%'`,
    );
    process.kill(rows[0].pid as number, 'SIGKILL');
    await eventually(() => desk.has('have the embedded PostgreSQL again'), { within: 30_000 });
    expect((await user('desk').outcome()).refused).toBe('other-desk');
  });

  it('is left stopped by a desk that was closed while it was down', async () => {
    const desk = await open();
    process.kill((await postmasterOf(desk.folder))!, 'SIGKILL');
    await desk.close();
    const again = await open();
    expect((await query(again.url, 'SELECT 1 AS here')).rows).toEqual([{ here: 1 }]);
  });

  it('starts over the file of one whose process id another program has now', async () => {
    const desk = user('desk');
    const url = await desk.url();
    const folder = join(dataDir, 'postgres');
    await desk.kill();
    const { uid, gid } = await stat(folder);
    const pidFile = join(folder, 'postmaster.pid');
    const content = await readFile(pidFile, 'utf8');
    process.kill((await postmasterOf(folder))!, 'SIGKILL');
    // Of the same user: PostgreSQL itself would take it for a postmaster.
    const program = spawn('sleep', ['600'], { ...(root && { uid, gid }), cwd: '/', stdio: 'ignore' });
    try {
      await writeFile(pidFile, content.replace(/^\d+/, String(program.pid)), { mode: 0o600 });
      const next = await open();
      expect(next.url).toBe(url);
      expect((await query(url, 'SELECT 1 AS here')).rows).toEqual([{ here: 1 }]);
      expect(program.exitCode).toBeNull();
    } finally {
      program.kill('SIGKILL');
    }
  });
});

describe('What the embedded PostgreSQL cannot use', () => {
  const refusal = async (as: 'desk' | 'command' = 'desk'): Promise<{ code: string; message: string }> => {
    try {
      await open(as);
    } catch (error) {
      return error as { code: string; message: string };
    }
    throw new Error('it was opened');
  };

  it('is a folder of another major: the error names both', async () => {
    await prepared();
    const { folder, close } = await open();
    await close();
    const version = (await readFile(join(folder, 'PG_VERSION'), 'utf8')).trim();
    await writeFile(join(folder, 'PG_VERSION'), '15\n');
    const { code, message } = await refusal();
    expect(code).toBe('other-major');
    expect(message).toContain('PostgreSQL 15');
    expect(message).toContain(`PostgreSQL ${version}`);
    await writeFile(join(folder, 'PG_VERSION'), `${version}\n`);
    await open();
  });

  it('is a file', async () => {
    await writeFile(dataDir, 'not a folder');
    expect((await refusal()).code).toBe('path');
    await rm(dataDir);
  });

  it.each(['/proc/covenant', '/dev/null/data'])('is a place where no folder can be: %s', async (path) => {
    dataDir = path;
    expect(['path', 'permission']).toContain((await refusal()).code);
  });

  it('is a path that its programs would misread', async () => {
    const strange = join(above, 'a $(touch here) b');
    await expect(openEmbedded({ dataDir: strange, as: 'desk' })).rejects.toMatchObject({ code: 'path' });
    dataDir = join(above, `it's a folder with spaces`);
    const { url } = await open();
    expect((await query(url, 'SELECT 1 AS here')).rows).toEqual([{ here: 1 }]);
  });

  it('is a database whose password was lost or changed', async () => {
    await prepared();
    await open().then((e) => e.close());
    const path = join(dataDir, 'secrets', 'postgres-password');
    const password = await readFile(path, 'utf8');
    await rm(path);
    expect((await refusal()).code).toBe('password');
    await writeFile(path, 'another\n', { mode: 0o600 });
    expect((await refusal()).code).toBe('password');
    await writeFile(path, password, { mode: 0o600 });
    await open();
  });

  it('is a data folder whose database files were taken away', async () => {
    await prepared();
    const { folder, close } = await open();
    await close();
    await rm(folder, { recursive: true });
    const { code, message } = await refusal();
    expect(code).toBe('path');
    expect(message).toContain(folder);
  });

  it('is a damaged note of where the files are', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'postgres.json'), '{"folder":');
    expect((await refusal()).code).toBe('path');
    await rm(dataDir, { recursive: true });
  });
});

describe('Files where PostgreSQL’s user cannot reach DATA_DIR', () => {
  it('go to a folder of their own, and no mode above is changed', async () => {
    await chmod(above, 0o700);
    const first = await open();
    expect((await stat(above)).mode & 0o777).toBe(0o700);
    // An ordinary user runs PostgreSQL as itself, and reaches what it owns.
    expect(first.folder.startsWith('/var/lib/covenant/')).toBe(root);
    const { mode, uid } = await stat(first.folder);
    expect(mode & 0o777).toBe(0o700);
    expect(uid === 0).toBe(false);
    await first.close();
    const second = await open();
    expect(second.url).toBe(first.url);
  });

  it('are refused, not made anew, once a folder above them was closed', async () => {
    await prepared();
    const { close, folder } = await open();
    await close();
    await chmod(above, root ? 0o700 : 0o000);
    try {
      await expect(open()).rejects.toMatchObject({ code: 'permission' });
    } finally {
      await chmod(above, 0o755);
    }
    expect((await stat(folder)).isDirectory()).toBe(true);
  });

  it('belong to the owner of an existing folder, also for a desk that root starts', async () => {
    if (root) {
      await mkdir(dataDir);
      await chown(dataDir, 65_534, 65_534);
    }
    const { folder, close } = await open();
    await close();
    if (root) await adopt(folder, 65_534);
    const { url } = await open();
    expect((await query(url, 'SELECT 1 AS here')).rows).toEqual([{ here: 1 }]);
    const { uid } = await stat(dataDir);
    expect((await stat(join(dataDir, 'postgres.json'))).uid).toBe(uid);
  });
});

async function adopt(folder: string, id: number): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) await chown(join(folder, name), id, id);
  await chown(folder, id, id);
}

describe('Binaries that PostgreSQL’s user cannot reach', () => {
  it('are copied to where it can, once', async () => {
    const { binariesFor } = await import('../../../libs/adapters/embedded-postgres/src/binaries.js');
    const { accountFor } = await import('../../../libs/adapters/embedded-postgres/src/account.js');
    const account = await accountFor(null);
    const shipped = await binariesFor(account);
    const home = join(above, 'home');
    await mkdir(home);
    await cp(dirname(dirname(dirname(shipped.postgres))), join(home, 'package'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    // A release of its own, so that it is not there from an earlier run.
    const version = `0.0.${Date.now()}-test`;
    await writeFile(join(home, 'package', 'package.json'), JSON.stringify({ version }));
    await chmod(home, 0o700);
    const native = join(home, 'package', 'native');
    const both = await Promise.all([binariesFor(account, native), binariesFor(account, native)]);
    const [first] = both;
    const folder = dirname(dirname(first.postgres));
    try {
      expect(both[1]).toEqual(first);
      expect(first.postgres.startsWith('/var/lib/covenant/postgresql-')).toBe(root);
      expect(first.major).toBe(shipped.major);
      const { ino } = await stat(first.postgres);
      expect(await binariesFor(account, native)).toEqual(first);
      expect((await stat(first.postgres)).ino).toBe(ino);
      expect((await stat(home)).mode & 0o777).toBe(0o700);
      if (root) {
        const left = (await readdir(dirname(folder))).filter((name) => name.includes(version));
        expect(left).toHaveLength(1);
      }
    } finally {
      if (root) await rm(folder, { recursive: true, force: true });
    }
  });
});
