import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { writeDurably, writeOnce } from '#adapters/files';
import { accountFor, isRoot, reaches } from './account.js';
import { EmbeddedRefused, fromFileSystem } from './refused.js';
import type { Account } from './run.js';

/** Where files go that the database's user could not reach inside DATA_DIR (ruling 34). */
export const ELSEWHERE = '/var/lib/covenant';

/** Where a desk's database files are; kept in `DATA_DIR/postgres.json`. */
export interface Place {
  readonly dataDir: string;
  /** PostgreSQL's data folder, absolute, without symbolic links above it. */
  readonly folder: string;
  readonly account: Account;
  /** The port it last served on; null before the first start. */
  readonly port: number | null;
}

interface Kept {
  /** Relative to DATA_DIR where it lies inside. */
  readonly folder: string;
  readonly port: number | null;
}

/** PostgreSQL's `pg_ctl` hands the path to a shell, in double quotes. */
const NOT_IN_A_PATH = /["$`\\\n]/;

/** Finds out where the database files of this DATA_DIR are, or shall be. The first to ask decides, for good. */
export async function placeOf(givenDataDir: string): Promise<Place> {
  const dataDir = await madeDataDir(resolve(givenDataDir));
  try {
    let kept = await readKept(dataDir);
    if (kept === null) {
      await writeOnce(keptPath(dataDir), json({ folder: await chooseFolder(dataDir), port: null }));
      kept = (await readKept(dataDir))!;
      await shareWithOwner(dataDir);
    }
    const named = isAbsolute(kept.folder) ? kept.folder : join(dataDir, kept.folder);
    const folder = await realpath(named).catch(() => named);
    const account = await accountFor(folder);
    if (isAbsolute(kept.folder) && kept.port === null) {
      await makePassable(dirname(folder));
      // For people: whose it is, where the DATA_DIR that names it was thrown away.
      await writeOnce(join(dirname(folder), 'data-dir'), `${dataDir}\n`, 0o644);
    }
    if (!(await reaches(account, dirname(folder))))
      throw new EmbeddedRefused(
        'permission',
        `the user who runs PostgreSQL (${account?.uid}) cannot reach ${folder} any more; undo what closed the folders above it, for their modes are not the desk's to change.`,
      );
    return { dataDir, folder, account, port: kept.port };
  } catch (error) {
    throw fromFileSystem(error, dataDir);
  }
}

/** Notes the port so that the next start takes it again, and so that people find it. */
export async function keepPort(place: Place, port: number): Promise<void> {
  const kept = await readKept(place.dataDir);
  if (kept === null || kept.port === port) return;
  await writeDurably(keptPath(place.dataDir), json({ ...kept, port }));
  await shareWithOwner(place.dataDir);
}

/** Everybody may pass through, nobody but root may write. */
export async function makeElsewhere(): Promise<void> {
  await makePassable(ELSEWHERE);
}

async function makePassable(path: string): Promise<void> {
  try {
    await mkdir(path);
    await chmod(path, 0o755);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function madeDataDir(path: string): Promise<string> {
  if (NOT_IN_A_PATH.test(path))
    throw new EmbeddedRefused(
      'path',
      `DATA_DIR ${JSON.stringify(path)} has a character that PostgreSQL's programs cannot take (" $ \` \\ or a line break); choose another.`,
    );
  try {
    // One made here may be passed through by the database's user; what was there keeps its mode.
    if (await makeFolder(path)) await chmod(path, isRoot() ? 0o711 : 0o700);
    const real = await realpath(path);
    if (!(await stat(real)).isDirectory())
      throw new EmbeddedRefused('path', `DATA_DIR ${path} is not a folder.`);
    return real;
  } catch (error) {
    throw fromFileSystem(error, path);
  }
}

/**
 * Makes a folder and those above it; true where it was absent. Not `recursive`: on a file system that takes
 * no folders and says ENOENT (/proc) Node tries for ever.
 */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
  }
  await makeFolder(dirname(path));
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return true;
}

async function chooseFolder(dataDir: string): Promise<string> {
  if (await reaches(await accountFor(null), dataDir)) return 'postgres';
  await makeElsewhere();
  return join(ELSEWHERE, randomBytes(8).toString('hex'), 'postgres');
}

const keptPath = (dataDir: string): string => join(dataDir, 'postgres.json');
const json = (kept: Kept): string => `${JSON.stringify(kept)}\n`;

async function readKept(dataDir: string): Promise<Kept | null> {
  const path = keptPath(dataDir);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const kept = parsed(text);
  if (kept === null)
    throw new EmbeddedRefused(
      'path',
      `${path} is damaged; it names the database's folder: {"folder": "postgres", "port": null} where that is ${join(dataDir, 'postgres')}.`,
    );
  return kept;
}

function parsed(text: string): Kept | null {
  try {
    const { folder, port } = JSON.parse(text) as Partial<Kept>;
    return typeof folder === 'string' && folder !== '' && (port === null || Number.isInteger(port))
      ? { folder, port: port as number | null }
      : null;
  } catch {
    return null;
  }
}

/** A file that root wrote into another's DATA_DIR must not lock that one out. */
async function shareWithOwner(dataDir: string): Promise<void> {
  if (!isRoot()) return;
  const { uid, gid } = await stat(dataDir);
  await chown(keptPath(dataDir), uid, gid);
}
