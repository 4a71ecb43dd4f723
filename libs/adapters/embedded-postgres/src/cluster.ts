import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { keptSecret, syncFolder } from '#adapters/files';
import type { Binaries } from './binaries.js';
import type { Place } from './place.js';
import { look } from './postmaster.js';
import { EmbeddedRefused, fromFileSystem } from './refused.js';
import { run, type Account } from './run.js';

export const ROLE = 'covenant';
export const DATABASE = 'covenant';
const PASSWORD_FILE = 'postgres-password';

/** Initialised already? Then by which major. */
async function writtenBy(folder: string): Promise<string | null> {
  try {
    return (await readFile(join(folder, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw fromFileSystem(error, folder);
  }
}

/**
 * Makes the database files where there are none, and answers the password of ROLE. Whoever dies on the way
 * leaves a draft beside the folder and nothing else; of several who do it at once, one's draft becomes the
 * folder.
 */
export async function initialised(place: Place, binaries: Binaries): Promise<string> {
  const { folder, dataDir } = place;
  const by = await writtenBy(folder);
  if (by !== null && by !== binaries.major)
    throw new EmbeddedRefused(
      'other-major',
      `${folder} was written by PostgreSQL ${by}, and this release brings PostgreSQL ${binaries.major}: run it with the release that brings PostgreSQL ${by}, or choose another DATA_DIR.`,
    );
  if (by === null && place.port !== null)
    throw new EmbeddedRefused(
      'path',
      `the database files of this desk, ${folder}, are gone; put them back, or remove ${join(dataDir, 'postgres.json')} to begin with an empty database.`,
    );
  try {
    const password = await keptSecret({ dataDir, file: PASSWORD_FILE, make: by === null });
    if (password === null)
      throw new EmbeddedRefused(
        'password',
        `${join(dataDir, 'secrets', PASSWORD_FILE)} is gone; put it back from the backup of the secrets.`,
      );
    if (by === null) await initialise(place, binaries, password);
    return password;
  } catch (error) {
    throw fromFileSystem(error, folder);
  }
}

async function initialise({ folder, account }: Place, binaries: Binaries, password: string): Promise<void> {
  await clearOldDrafts(folder);
  const draft = `${folder}.${randomBytes(6).toString('hex')}.new`;
  const passwordFile = `${draft}.password`;
  try {
    await mkdir(draft, { mode: 0o700 });
    // The superuser's password is kept nowhere: nobody works as it.
    await writeFile(passwordFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
    for (const path of [draft, passwordFile]) if (account) await chown(path, account.uid, account.gid);
    succeeded(
      await run(
        binaries.initdb,
        [
          `--pgdata=${draft}`,
          '--auth=scram-sha-256',
          `--pwfile=${passwordFile}`,
          '--username=postgres',
          '--encoding=UTF8',
          // Sorted by code point: the same on every system and after every update of one.
          '--locale-provider=builtin',
          '--builtin-locale=C.UTF-8',
          '--locale=C',
          ...Object.entries(KEPT_SETTINGS).map(([name, value]) => `--set=${name}=${value}`),
        ],
        account,
      ),
      folder,
    );
    succeeded(
      await run(
        binaries.postgres,
        [
          '--single',
          '-D',
          draft,
          '-c',
          'log_min_error_statement=panic',
          '-c',
          'exit_on_error=on',
          'postgres',
        ],
        account,
        [
          `CREATE ROLE ${ROLE} LOGIN CREATEDB PASSWORD '${password}'`,
          // What a client's statement did wrong the client is told; the server's log would quote its values.
          `ALTER ROLE ${ROLE} SET log_min_messages = log`,
          `GRANT pg_monitor, pg_checkpoint, pg_signal_backend TO ${ROLE}`,
          `CREATE DATABASE ${DATABASE} OWNER ${ROLE}`,
          '',
        ].join('\n'),
      ),
      folder,
    );
    await mkdir(join(draft, 'log'), { mode: 0o700 });
    if (account) await chown(join(draft, 'log'), account.uid, account.gid);
    await rename(draft, folder).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was quicker.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    await syncFolder(dirname(folder));
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

/** What initialisers that were killed left behind; younger ones may be at work. */
async function clearOldDrafts(folder: string): Promise<void> {
  const above = dirname(folder);
  for (const name of await readdir(above)) {
    if (!name.startsWith(`${basename(folder)}.`) || !/\.[0-9a-f]{12}\.new(\.password)?$/.test(name)) continue;
    const path = join(above, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}

/** What must hold whoever starts the server, by hand too; written into postgresql.conf. */
const KEPT_SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Values stand in DETAIL and CONTEXT, which terse leaves out, and statements are never logged (ruling 31).
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_statement: 'none',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
} as const;

/** What may change from release to release; given at each start. */
function settings(): Readonly<Record<string, string>> {
  const limit = process.constrainedMemory();
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const quarter = Math.floor(memory / 4 / 1_048_576);
  return {
    ...KEPT_SETTINGS,
    // The machine, or the container, is the desk's as well: a quarter of it, 512 MiB at most.
    shared_buffers: `${Math.max(32, Math.min(512, quarter))}MB`,
    max_connections: '100',
    max_wal_size: '2GB',
    // Readers that scan and hash in parallel would take the cores from those who wait.
    max_parallel_workers_per_gather: String(Math.min(2, Math.max(0, availableParallelism() - 1))),
    jit: 'off',
    // A program that vanished without a word must not hold its locks for two hours.
    tcp_keepalives_idle: '30',
    tcp_keepalives_interval: '10',
    tcp_keepalives_count: '3',
    logging_collector: 'on',
    log_directory: 'log',
    // A week of logs, then the same names again.
    log_filename: 'postgresql-%a.log',
    log_truncate_on_rotation: 'on',
    log_rotation_age: '1d',
    log_rotation_size: '0',
    log_file_mode: '0600',
    log_checkpoints: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
}

export type Started =
  | { readonly started: true }
  /** The port went to somebody else meanwhile. */
  | { readonly started: false; readonly because: 'port-taken' }
  /** Another process starts it now, it still recovers, or the last server's processes have not all ended. */
  | { readonly started: false; readonly because: 'not-alone'; readonly detail: string };

/** Starts the server, in a session of its own, so that Ctrl-C at the desk's terminal does not reach it. */
export async function start(place: Place, binaries: Binaries, port: number): Promise<Started> {
  const { folder, account } = place;
  const log = join(folder, 'log', 'start.log');
  try {
    await makeLog(log, account);
    const before = (await stat(log)).size;
    const began = Date.now();
    const options = Object.entries({ port: String(port), ...settings() })
      .map(([name, value]) => `-c ${name}=${value === '' ? "''" : value}`)
      .join(' ');
    const ran = await run(
      binaries.pgCtl,
      ['start', '--wait', '--timeout=60', '--pgdata', folder, '--log', log, '--options', options],
      account,
    );
    if (ran.code === 0) return { started: true };
    if (/server did not start in time/.test(ran.output))
      return {
        started: false,
        because: 'not-alone',
        detail: 'it recovers from a crash, which takes its time',
      };
    const said = await tail(log, before);
    const why = `${said}\n${await newestLog(folder, began)}`;
    if (/could not bind .*Address already in use|could not create any TCP\/IP sockets/.test(why))
      return { started: false, because: 'port-taken' };
    if (
      /lock file "postmaster\.pid" already exists|pre-existing shared memory block|another server might be running/.test(
        `${why}\n${ran.output}`,
      )
    )
      return { started: false, because: 'not-alone', detail: lastWord(why) };
    throw startRefused(folder, why.trim() === '' ? ran.output : why);
  } catch (error) {
    throw fromFileSystem(error, folder);
  }
}

/**
 * Stops it at once but cleanly: sessions are ended, the data is checkpointed. Answers once it is down, also
 * where it was killed meanwhile, or where the next comer has started another already (for which `pg_ctl stop
 * --wait` would wait in vain).
 */
export async function stop({ folder, account }: Place, binaries: Binaries): Promise<void> {
  const before = await look(folder);
  if (before.server !== 'running') return;
  const ran = await run(binaries.pgCtl, ['stop', '--no-wait', '--mode=fast', '--pgdata', folder], account);
  const until = performance.now() + STOPS_WITHIN_MS;
  for (;;) {
    const now = await look(folder);
    if (now.server !== 'running' || now.pid !== before.pid) return;
    if (ran.code !== 0 || performance.now() > until)
      throw new EmbeddedRefused(
        'not-starting',
        `PostgreSQL (process ${before.pid}) on ${folder} does not stop: ${ran.output.trim()}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Writing back what is in memory takes its time on a slow disk. */
const STOPS_WITHIN_MS = 60_000;

/** The wanted port if it is free on loopback, else one that is. */
export async function freePort(wanted: number | null): Promise<number> {
  return (wanted !== null && (await bound(wanted))) || (await bound(0))!;
}

function bound(port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(null) : reject(error),
    );
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}

async function makeLog(path: string, account: Account): Promise<void> {
  const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a', 0o600);
  await file.close();
  await chmod(path, 0o600);
  if (account) {
    if (made !== undefined) await chown(made, account.uid, account.gid);
    await chown(path, account.uid, account.gid);
  }
}

async function tail(path: string, from: number): Promise<string> {
  const content = await readFile(path).catch(() => Buffer.alloc(0));
  return content.subarray(from).toString('utf8');
}

/** What the collector's file of today got since; the start's own file ends where the collector begins. */
async function newestLog(folder: string, since: number): Promise<string> {
  const texts: string[] = [];
  for (const name of await readdir(join(folder, 'log'))) {
    const path = join(folder, 'log', name);
    if (!name.startsWith('postgresql-') || (await stat(path)).mtimeMs < since - 1000) continue;
    texts.push((await tail(path, 0)).split('\n').slice(-20).join('\n'));
  }
  return texts.join('\n');
}

function lastWord(said: string): string {
  const lines = said.split('\n').filter((line) => /(FATAL|PANIC|ERROR|HINT|initdb: error):?/.test(line));
  return (lines.length > 0 ? lines.slice(-2) : said.trim().split('\n').slice(-3)).join(' ').trim();
}

function succeeded(ran: { readonly code: number | null; readonly output: string }, folder: string): void {
  if (ran.code !== 0 || /^.*(FATAL|ERROR): /m.test(ran.output)) throw startRefused(folder, ran.output);
}

/** PostgreSQL's own words, under the right heading. */
export function startRefused(folder: string, said: string): EmbeddedRefused {
  if (/No space left on device|Disk quota exceeded|wrote only \d+ of \d+ bytes/.test(said))
    return new EmbeddedRefused('disk-full', `${folder}: the disk is full; make room and start again.`);
  if (/Permission denied|Read-only file system|wrong ownership|invalid permissions/.test(said))
    return new EmbeddedRefused(
      'permission',
      `PostgreSQL may not use ${folder}: ${lastWord(said)}; give the folder back to its owner (mode 0700).`,
    );
  return new EmbeddedRefused('not-starting', `PostgreSQL does not start on ${folder}: ${lastWord(said)}`);
}
