import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Where systems keep `id`, `useradd`, `ps`; PostgreSQL's own programs are named in full. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';

/** Whose rights PostgreSQL's programs run with: null where they are this process's own. */
export type Account = { readonly uid: number; readonly gid: number } | null;

export interface Ran {
  /** Exit code; null where it was ended by a signal or did not start. */
  readonly code: number | null;
  /** What it wrote on both streams; why it did not start, where it did not. */
  readonly output: string;
}

/**
 * Runs a program to its end with the account's rights. Nothing of PostgreSQL's own variables (PGPORT, PGDATA…)
 * reaches it, and its messages are English, for they are looked at.
 */
export async function run(
  program: string,
  args: readonly string[],
  account: Account,
  input = '',
): Promise<Ran> {
  const child = spawn(program, args, {
    // A folder that every account can enter.
    cwd: '/',
    env: { PATH, LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...account,
  });
  const ended = new Promise<{ code: number | null; error: string }>((resolve) => {
    child.once('error', (error) => resolve({ code: null, error: error.message }));
    child.once('close', (code) => resolve({ code, error: '' }));
  });
  child.stdin.on('error', () => {
    // It ended without reading; its exit code says so.
  });
  child.stdin.end(input);
  const [out, err, { code, error }] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output: out + err + error };
}
