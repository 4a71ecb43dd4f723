import { closeSync, fsyncSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';

/** Before each frame: its length and its CRC-32, both little-endian. */
const HEAD = 8;

/**
 * Commits in a file, appended in frames: one frame is one commit, whole or not there. What a kill left torn at
 * the end is cut off when the file is opened again.
 */
export class Journal<T> {
  private waiting: { readonly frame: Buffer | null; readonly done: () => void }[] = [];
  private flushing: Promise<void> | undefined;

  private constructor(private readonly file: FileHandle | null) {}

  /** Without a path nothing is kept. Throws if the file cannot be read or written. */
  static async open<T>(path: string | undefined, each: (commit: T) => void): Promise<Journal<T>> {
    if (path === undefined) return new Journal<T>(null);
    replay(path, each);
    return new Journal<T>(await open(path, 'a'));
  }

  /** `done` is told once the commit, and everything handed in before it, is on the disk. */
  add(commit: T, done: () => void): void {
    this.enqueue(this.file ? framed(serialize(commit)) : null, done);
  }

  /** `done` is told once everything handed in before it is on the disk. */
  after(done: () => void): void {
    this.enqueue(null, done);
  }

  async close(): Promise<void> {
    while (this.flushing) await this.flushing;
    await this.file?.close();
  }

  private enqueue(frame: Buffer | null, done: () => void): void {
    this.waiting.push({ frame, done });
    this.flushing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.flush());
  }

  private async flush(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      const frames = group.flatMap(({ frame }) => (frame ? [frame] : []));
      if (this.file && frames.length > 0) {
        await this.file.appendFile(Buffer.concat(frames));
        await this.file.datasync();
      }
      for (const { done } of group) done();
    }
    this.flushing = undefined;
  }
}

function framed(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEAD + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt32LE(crc32(payload), 4);
  payload.copy(frame, HEAD);
  return frame;
}

function replay<T>(path: string, each: (commit: T) => void): void {
  const file = openSync(path, 'a+');
  try {
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
    let at = 0;
    const head = Buffer.alloc(HEAD);
    while (readSync(file, head, 0, HEAD, at) === HEAD) {
      const payload = Buffer.alloc(head.readUInt32LE(0));
      if (readSync(file, payload, 0, payload.length, at + HEAD) < payload.length) break;
      if (crc32(payload) !== head.readUInt32LE(4)) break;
      each(deserialize(payload) as T);
      at += HEAD + payload.length;
    }
    ftruncateSync(file, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
