import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a whole file so that after a crash at any moment either the old content or the new one is there,
 * never a part; the new one is on the disk before this answers. `mode` holds from the first byte on.
 */
export async function writeDurably(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  await throughDraft(path, content, mode, (draft) => rename(draft, path));
}

/**
 * Like `writeDurably`, but never over a file that is there: of several processes that write the same path at
 * once exactly one gets true, and all find that one's content.
 */
export async function writeOnce(path: string, content: string | Uint8Array, mode = 0o600): Promise<boolean> {
  let written = true;
  await throughDraft(path, content, mode, (draft) =>
    link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      written = false;
    }),
  );
  return written;
}

async function throughDraft(
  path: string,
  content: string | Uint8Array,
  mode: number,
  publish: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await using(await open(draft, 'wx', mode), async (file) => {
      await file.writeFile(content);
      await file.sync();
    });
    await publish(draft);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(path));
}

/** Makes a folder, and those above it, if absent; the mode of what exists already stays as it is. */
export async function privateFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** A rename is durable once its folder is; some systems refuse to open or to sync a folder, and need not. */
export async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle;
  try {
    folder = await open(path, 'r');
  } catch {
    return;
  }
  await using(folder, (file) => file.sync().catch(() => undefined));
}

async function using(file: FileHandle, work: (file: FileHandle) => Promise<unknown>): Promise<void> {
  try {
    await work(file);
  } finally {
    await file.close();
  }
}
