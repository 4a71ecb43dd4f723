import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { chown } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { run, type Account } from './run.js';

/** What `postmaster.pid` says (PostgreSQL 18, src/include/utils/pidfile.h): one item a line. */
export interface Postmaster {
  readonly pid: number;
  /** Null while it is still being written. */
  readonly port: number | null;
  readonly status: 'starting' | 'ready' | 'stopping';
}

export type Look =
  /** Nothing runs on this folder; what an earlier server left lying about, PostgreSQL clears away itself. */
  | { readonly server: 'none' }
  | ({ readonly server: 'running' } & Postmaster)
  /** The file of a server that is gone, and its process id now belongs to another program. */
  | { readonly server: 'stale'; readonly pid: number; readonly content: string };

export function parsePidFile(content: string): Postmaster | null {
  const lines = content.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const port = Number(lines[3]);
  const status = lines[7];
  return {
    pid,
    port: Number.isInteger(port) && port > 0 ? port : null,
    status: status === 'ready' ? 'ready' : status === 'stopping' ? 'stopping' : 'starting',
  };
}

/** Whether a PostgreSQL serves this folder. */
export async function look(folder: string): Promise<Look> {
  const content = await pidFile(folder);
  if (content === null) return { server: 'none' };
  const parsed = parsePidFile(content);
  // Created and not yet written; or cut off by a crash of the machine, which PostgreSQL's own start reports.
  if (parsed === null) return { server: 'none' };
  if (!alive(parsed.pid)) return { server: 'none' };
  const command = await commandOf(parsed.pid);
  if (command !== null && !servesFolder(command, folder))
    return { server: 'stale', pid: parsed.pid, content };
  return { server: 'running', ...parsed };
}

/**
 * Lets PostgreSQL start over a stale file. It refuses while a process of that id exists, whatever it is
 * (CreateLockFile), as after a crash of the machine or in a container, where ids come round soon. The file
 * is not removed but gets an id that no process can have: so PostgreSQL still checks the shared memory that the
 * file names, which guards the data against backends that outlived their postmaster.
 */
export async function disown(folder: string, stale: { content: string }, account: Account): Promise<void> {
  const path = pidPath(folder);
  const aside = `${path}.${randomBytes(6).toString('hex')}.stale`;
  const edited = `${aside}.edited`;
  try {
    await rename(path, aside);
    const taken = await readFile(aside, 'utf8');
    if (taken === stale.content) {
      await writeFile(edited, taken.replace(/^\d+/, String(NO_PROCESS)), { mode: 0o600 });
      if (account) await chown(edited, account.uid, account.gid);
      await link(edited, path);
      // A server that started between the look and now gets its own file back.
    } else await link(aside, path);
  } catch (error) {
    // Somebody else was quicker: ENOENT, it had taken the file away; EEXIST, a server has written a new one.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
    await rm(edited, { force: true });
  }
}

/** Above any system's limit of process ids. */
const NO_PROCESS = 2_147_483_647;

const pidPath = (folder: string): string => join(folder, 'postmaster.pid');

async function pidFile(folder: string): Promise<string | null> {
  try {
    return await readFile(pidPath(folder), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** The postmaster keeps the command line it was started with, `postgres -D FOLDER …`; its children write theirs anew. */
export function servesFolder(command: readonly string[], folder: string): boolean {
  return /(^|[/\\])postgres(\.exe)?$/.test(command[0] ?? '') && command.includes(folder);
}

/** Null where the system does not tell. */
async function commandOf(pid: number): Promise<readonly string[] | null> {
  if (process.platform === 'linux') {
    try {
      return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    } catch {
      return null;
    }
  }
  const asked = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)], null);
  if (asked.code !== 0) return null;
  // One text, and the folder may hold spaces: cut at the options that pg_ctl always gives.
  const [, program, folder] = /^(.*?) -D (.*?)(?: -[a-z] .*)?$/.exec(asked.output.trim()) ?? [];
  return program === undefined ? [asked.output.trim()] : [program, '-D', folder!];
}
