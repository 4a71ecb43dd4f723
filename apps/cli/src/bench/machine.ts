import { open, rm } from 'node:fs/promises';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** What a figure depends on. */
export interface Machine {
  readonly processor: string;
  readonly memory: string;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  /** What one durable write of 8 KiB takes here, median. */
  readonly flush: string;
}

export async function machine(url: string, folder: string): Promise<Machine> {
  const processors = cpus();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ version: string; fsync: string; commit: string }>(
    `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
            current_setting('synchronous_commit') AS commit`,
  );
  await client.end();
  const { version, fsync, commit } = rows[0]!;
  return {
    processor: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    system: `${type()} ${release()}`,
    node: process.version,
    postgres: `${version}, fsync ${fsync}, synchronous_commit ${commit}`,
    flush: `${await flushMicros(folder)} µs`,
  };
}

async function flushMicros(folder: string): Promise<number> {
  const path = join(folder, 'flush');
  const file = await open(path, 'w');
  const page = Buffer.alloc(8192, 1);
  const times: number[] = [];
  for (let i = 0; i < 101; i++) {
    const began = performance.now();
    await file.write(page, 0, page.length, (i % 16) * page.length);
    await file.datasync();
    times.push(performance.now() - began);
  }
  await file.close();
  await rm(path);
  return Math.round(times.sort((a, b) => a - b)[50]! * 1000);
}
