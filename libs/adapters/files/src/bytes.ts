import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import xz from 'xz-decompress';

/** A source that cannot be read, or not to its end. The message names it and says what to do. */
export class SourceRefused extends Error {
  override readonly name = 'SourceRefused';
  constructor(
    readonly source: string,
    detail: string,
  ) {
    super(`${source}: ${detail}`);
  }
}

export interface Bytes {
  /** As a person would name it. */
  readonly name: string;
  /** Bytes of the file as it lies there; null for standard input. */
  readonly size: number | null;
  /** How many of them have been read. */
  read(): number;
  readonly compression: 'none' | 'gzip' | 'xz';
  /** Decompressed. Can be iterated once. @throws SourceRefused */
  readonly chunks: AsyncIterable<Uint8Array>;
}

const MAGIC = {
  gzip: Buffer.from([0x1f, 0x8b]),
  xz: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
} as const;

/**
 * A file, or standard input for `-`, decompressed by what its first bytes say and not by its name. The next
 * chunk is read only when the consumer asks for it.
 *
 * @throws SourceRefused
 */
export async function openBytes(path: string, stdin: Readable = process.stdin): Promise<Bytes> {
  const name = path === '-' ? 'standard input' : path;
  const size = path === '-' ? null : await sizeOf(path);
  let read = 0;
  const raw: Readable = path === '-' ? stdin : createReadStream(path, { highWaterMark: 64 * 1024 });
  const input = raw[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const next = async (): Promise<Uint8Array | null> => {
    const { done, value } = await input.next();
    if (done) return null;
    read += value.length;
    return value;
  };

  // Enough of a beginning to tell the compression by; a pipe may give it in pieces.
  let head = Buffer.alloc(0);
  while (head.length < MAGIC.xz.length) {
    const chunk = await next().catch((error: Error) => {
      throw new SourceRefused(name, `cannot be read (${error.message})`);
    });
    if (chunk === null) break;
    head = Buffer.concat([head, chunk]);
  }
  async function* source(): AsyncGenerator<Uint8Array> {
    if (head.length > 0) yield head;
    for (let chunk = await next(); chunk !== null; chunk = await next()) yield chunk;
  }
  const begins = (magic: Buffer): boolean => head.subarray(0, magic.length).equals(magic);
  const compression = begins(MAGIC.gzip) ? 'gzip' : begins(MAGIC.xz) ? 'xz' : 'none';
  return { name, size, read: () => read, compression, chunks: told(name, compression, source()) };
}

async function* told(
  name: string,
  compression: Bytes['compression'],
  source: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    switch (compression) {
      case 'none':
        yield* source;
        return;
      case 'gzip': {
        const gunzip = createGunzip();
        // An error of the source reaches the loop below through the destroyed gunzip.
        pipeline(Readable.from(source, { objectMode: false }), gunzip, () => {});
        yield* gunzip;
        return;
      }
      case 'xz':
        yield* new xz.XzReadableStream(ReadableStream.from(source)) as AsyncIterable<Uint8Array>;
        return;
    }
  } catch (error) {
    throw new SourceRefused(name, whatWentWrong(compression, error as NodeJS.ErrnoException));
  }
}

function whatWentWrong(compression: Bytes['compression'], error: NodeJS.ErrnoException): string {
  // xz-decompress names only the code of xz-embedded: 8 is XZ_BUF_ERROR, input that ends too early.
  const truncated =
    (compression === 'gzip' && error.code === 'Z_BUF_ERROR') ||
    (compression === 'xz' && /error code 8$/.test(error.message));
  if (truncated) return `the ${compression} stream ends in the middle; the file was cut off, get it again`;
  const damaged =
    (compression === 'gzip' && error.code?.startsWith('Z_')) ||
    (compression === 'xz' && /error code \d+$/.test(error.message));
  if (damaged) return `the ${compression} stream is damaged (${error.message}); get the file again`;
  return `cannot be read (${error.message})`;
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new SourceRefused(path, 'is a folder; name the files');
    return found.size;
  } catch (error) {
    if (error instanceof SourceRefused) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SourceRefused(path, code === 'ENOENT' ? 'there is no such file' : message);
  }
}
