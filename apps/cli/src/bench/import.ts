import { spawn } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as after } from 'node:timers/promises';
import { projectFolder } from '../project-folder.js';
import type { BenchContext } from './bench.js';
import { peakOf } from './programs.js';

/** The real log lies beside the clone and is not part of it. */
const LOG = '../shared/data/servicenow-incidents.csv.xz';
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

interface Run {
  readonly seconds: number;
  /** VmHWM of the program; the database's processes are not of it. NaN where the system does not tell. */
  readonly megabytes: number;
  readonly appended: number;
}

/**
 * The whole command as a person runs it, on an empty data folder: with making and starting the embedded
 * database, reading, appending, projecting and stopping. Then once more, when nothing is new.
 */
export async function importBench(bench: BenchContext): Promise<void> {
  const log = join(await projectFolder(), LOG);
  if (
    !(await access(log).then(
      () => true,
      () => false,
    ))
  ) {
    const reason = `the real log is not there: ${log}`;
    bench.progress(`NOT MEASURED: ${reason}`);
    bench.bar('seconds to appended and projected', 0, reason);
    bench.bar('peak memory of the program', 0, reason);
    return;
  }
  const dataDir = join(bench.folder, 'import');
  await mkdir(dataDir, { mode: 0o755 });

  const first = await run(bench, log, dataDir);
  bench.bar('seconds to appended and projected', first.seconds);
  bench.bar(
    'peak memory of the program',
    Number.isNaN(first.megabytes) ? 0 : first.megabytes,
    Number.isNaN(first.megabytes) ? 'this system does not tell the peak of a process' : undefined,
  );
  bench.figure('appended and projected', first.seconds, 's');
  bench.figure('events', first.appended, 'events');
  bench.figure('rate', first.appended / first.seconds, 'events/s');
  bench.figure('peak memory', first.megabytes, 'MB');

  const second = await run(bench, log, dataDir);
  if (second.appended !== 0) throw new Error(`the second run appended ${second.appended} events`);
  bench.figure('second run, nothing new', second.seconds, 's');
}

async function run(bench: BenchContext, log: string, dataDir: string): Promise<Run> {
  const began = performance.now();
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN, 'import', 'servicenow', log], {
    env: { ...process.env, DATA_DIR: dataDir, DATABASE_URL: '', SEED: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: bench.signal,
    killSignal: 'SIGTERM',
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_000);
    for (const line of text.trimEnd().split('\n')) bench.progress(`  ${line}`);
  });
  let megabytes = NaN;
  let ended = false;
  const watching = (async () => {
    while (!ended) {
      megabytes = (await peakOf(child.pid!)) ?? megabytes;
      await after(100);
    }
  })();
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => {
    ended = true;
  });
  const seconds = (performance.now() - began) / 1000;
  await watching;
  if (code !== 0) throw new Error(`the import ended with ${code}: ${complaint}`);
  const appended = /^appended (\d+) events$/m.exec(out)?.[1];
  if (appended === undefined) throw new Error('the import did not say what it appended');
  return { seconds, megabytes, appended: Number(appended) };
}
