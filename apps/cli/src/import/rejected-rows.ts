import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Rejected } from '#engine/import';
import { Refused, writeLine } from '../program.js';

/** Rejected rows as they are met: the first are kept for the summary, all go to a file where one is named. */
export interface RejectedRows {
  readonly count: number;
  readonly first: readonly { readonly file: string; readonly line: number; readonly reason: string }[];
  readonly path: string | undefined;
  add(row: Rejected): Promise<void>;
  close(): Promise<void>;
}

const FIRST = 20;

/** @throws Refused where the file cannot be written */
export async function rejectedRows(
  files: readonly string[],
  path: string | undefined,
): Promise<RejectedRows> {
  const stream = path === undefined ? undefined : createWriteStream(path, { mode: 0o600 });
  if (stream)
    await once(stream, 'open').catch((error: Error) => {
      throw new Refused(`${path!} cannot be written: ${error.message}`);
    });
  const first: { file: string; line: number; reason: string }[] = [];
  let count = 0;
  return {
    get count() {
      return count;
    },
    first,
    path,
    add: async ({ source, line, reason }) => {
      const row = { file: files[source]!, line, reason };
      count += 1;
      if (first.length < FIRST) first.push(row);
      if (stream) await writeLine(stream, JSON.stringify(row));
    },
    close: async () => {
      if (stream) await new Promise<void>((resolve) => stream.end(resolve));
    },
  };
}
