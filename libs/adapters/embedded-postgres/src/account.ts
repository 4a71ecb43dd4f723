import { stat } from 'node:fs/promises';
import { run, type Account } from './run.js';
import { EmbeddedRefused } from './refused.js';

const NAME = 'postgres';

/** True where this process must lend its programs another user: PostgreSQL refuses to run as root. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The account for a data folder: as root, the folder's owner where it exists and is not root, else the
 * system user `postgres`, made if absent.
 */
export async function accountFor(folder: string | null): Promise<Account> {
  if (!isRoot()) return null;
  const owner = folder === null ? null : await stat(folder).catch(() => null);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return (await lookUp()) ?? (await make());
}

async function lookUp(): Promise<Account> {
  const uid = await run('id', ['-u', NAME], null);
  const gid = await run('id', ['-g', NAME], null);
  if (uid.code !== 0 || gid.code !== 0) return null;
  return { uid: Number(uid.output), gid: Number(gid.output) };
}

async function make(): Promise<Account> {
  // Two processes may make it at once; whoever comes second finds it made.
  const tries = [
    await run(
      'useradd',
      ['--system', '--user-group', '--shell', '/bin/false', '--no-create-home', NAME],
      null,
    ),
    // BusyBox, as in Alpine.
    await run('adduser', ['-S', '-D', '-H', NAME], null),
  ];
  const made = await lookUp();
  if (made) return made;
  throw new EmbeddedRefused(
    'permission',
    `PostgreSQL does not run as root, and a system user ${NAME} could not be made (${tries.map((t) => t.output.trim()).join('; ')}); make one, or start the desk as another user.`,
  );
}

/**
 * True where the account can enter the folder. Asked of the system itself, by entering it with the account's
 * rights: modes alone do not tell (access lists, mount options).
 */
export async function reaches(account: Account, folder: string): Promise<boolean> {
  if (account === null) return true;
  return (await run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], account)).code === 0;
}
