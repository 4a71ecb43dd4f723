import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a record lies in a spool. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

/**
 * A file of its own for what is too large for memory and needed once more: written in a row, read anywhere.
 * It is 0600 and has no name from its first moment on (where the system allows that), so that nothing of it
 * outlives the program, killed or not.
 */
export interface Spool {
  /** Bytes written so far: where the next write begins. */
  readonly length: number;
  /** Small writes are gathered; `flush` before reading. */
  write(record: Buffer): Promise<void>;
  flush(): Promise<void>;
  read(place: Place): Promise<Buffer>;
  close(): Promise<void>;
}

const GATHERED = 1024 * 1024;

export async function openSpool(folder: string): Promise<Spool> {
  const path = join(folder, `spool-${process.pid}-${randomBytes(6).toString('hex')}`);
  const file = await open(path, 'wx+', 0o600);
  const nameless = await rm(path).then(
    () => true,
    () => false,
  );
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let written = 0;
  const flush = async (): Promise<void> => {
    if (pendingBytes === 0) return;
    const bytes = Buffer.concat(pending, pendingBytes);
    pending = [];
    pendingBytes = 0;
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, written + done);
      done += bytesWritten;
    }
    written += bytes.length;
  };
  return {
    get length() {
      return written + pendingBytes;
    },
    write: async (record) => {
      pending.push(record);
      pendingBytes += record.length;
      if (pendingBytes >= GATHERED) await flush();
    },
    flush,
    read: async ({ at, length }) => {
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length;) {
        const { bytesRead } = await file.read(bytes, done, length - done, at + done);
        if (bytesRead === 0) throw new Error(`the spool ends at ${at + done}`);
        done += bytesRead;
      }
      return bytes;
    },
    close: async () => {
      await file.close();
      if (!nameless) await rm(path, { force: true });
    },
  };
}
