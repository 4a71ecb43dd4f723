import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '#kernel';
import { openEmbedded, type Embedded } from '#adapters/embedded-postgres';
import pg from 'pg';
import {
  decided,
  rounded,
  type Bar,
  type BenchContext,
  type BenchLog,
  type BenchResult,
  type Comparison,
  type Figure,
} from './bench.js';
import { benches, type BenchName } from './benches.js';
import { compared } from './compare.js';
import { machine, type Machine } from './machine.js';
import { resultLine, writeSection } from './report.js';

/** A bench ends within 8 minutes, set-up included (DESIGN section 9); the rest is for the tidying up. */
const LIMIT_MS = 7.5 * 60_000;

export interface BenchOptions {
  readonly json: boolean;
  readonly docs?: string;
  /** Of several logs only this one; the page of benchmarks then stays as it is. */
  readonly log?: BenchLog;
  readonly eventStoreUrl?: string;
}

/**
 * Runs one bench, prints figures and bars, and rewrites its section of docs/benchmarks.md. With `json` the
 * last line of standard output is the object of DESIGN section 9. Answers false where the bench itself failed;
 * a bar that does not hold is a result.
 */
export async function runBench(name: string, options: BenchOptions): Promise<boolean> {
  if (!isBench(name)) {
    process.stderr.write(`no bench ${JSON.stringify(name)}; there are ${Object.keys(benches).join(', ')}\n`);
    return false;
  }
  const began = performance.now();
  const run = new Run(name, began, options);
  const failure = await run.measure();
  const result = {
    figures: run.figures,
    bars: run.allBars(failure),
    seconds: (performance.now() - began) / 1000,
  };
  print(name, result, failure);
  if (!failure && run.machine && options.log === undefined)
    await writeSection(options.docs ?? 'docs/benchmarks.md', name, result, run.machine);
  if (options.json) process.stdout.write(`${resultLine(name, result)}\n`);
  return failure === undefined;
}

const isBench = (name: string): name is BenchName => Object.hasOwn(benches, name);

class Run implements BenchContext {
  readonly figures = new Map<string, Figure>();
  readonly bars = new Map<string, Bar>();
  machine: Machine | undefined;
  folder = '';
  private readonly end = new AbortController();
  private embedded: Embedded | undefined;
  private databases = 0;

  constructor(
    private readonly name: BenchName,
    private readonly began: number,
    private readonly options: Pick<BenchOptions, 'log' | 'eventStoreUrl'>,
  ) {}

  get log(): BenchLog | undefined {
    return this.options.log;
  }

  get eventStoreUrl(): string | undefined {
    return this.options.eventStoreUrl;
  }

  get signal(): AbortSignal {
    return this.end.signal;
  }

  async measure(): Promise<string | undefined> {
    let alarm: NodeJS.Timeout | undefined;
    try {
      this.folder = await mkdtemp(join(tmpdir(), `covenant-bench-${this.name}-`));
      // Started by root, the database's user passes through; else the files would go elsewhere (ruling 34) and stay.
      await chmod(this.folder, 0o711);
      this.embedded = await openEmbedded({
        dataDir: join(this.folder, 'data'),
        as: 'command',
        logger: silent,
      });
      this.machine = await machine(this.embedded.url, this.embedded.dataDir);
      const body = await benches[this.name].load();
      const late = new Promise<string>((resolve) => {
        alarm = setTimeout(() => {
          this.end.abort();
          resolve('the bench did not end within its time');
        }, this.left());
      });
      return await Promise.race([body(this).then(() => undefined), late]);
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    } finally {
      clearTimeout(alarm);
      await this.embedded?.close();
      if (this.folder) await rm(this.folder, { recursive: true, force: true });
    }
  }

  async database(): Promise<string> {
    const name = `bench_${++this.databases}`;
    const client = new pg.Client({ connectionString: this.embedded!.url });
    await client.connect();
    try {
      await client.query(`CREATE DATABASE ${name}`);
    } finally {
      await client.end();
    }
    const url = new URL(this.embedded!.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  left(): number {
    return LIMIT_MS - (performance.now() - this.began);
  }

  progress(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  figure(name: string, value: number, unit: string): void {
    this.figures.set(name, { value, unit });
    this.progress(`  ${name}: ${rounded(value)} ${unit}`);
  }

  bar(name: string, value: number, reason?: string): void {
    const definition = benches[this.name].bars.find((bar) => bar.name === name);
    if (!definition) throw new Error(`bench ${this.name} declares no bar ${JSON.stringify(name)}`);
    this.bars.set(name, decided(definition, value, reason));
  }

  async compare(comparison: Comparison): Promise<number> {
    const { name, unit, bar } = comparison;
    const { ratio, ours, reference, reason } = await compared(comparison, {
      left: () => this.left(),
      progress: (text) => this.progress(text),
    });
    this.figure(name, ours, unit);
    this.figure(`${name} reference`, reference, unit);
    this.figure(`${name} ratio`, ratio, '×');
    if (bar !== undefined) this.bar(bar, ratio, reason);
    return ratio;
  }

  /** Every declared bar of what was to be measured, measured or not. */
  allBars(failure: string | undefined): Bar[] {
    const { log } = this.options;
    return benches[this.name].bars
      .filter((bar) => log === undefined || bar.log === undefined || bar.log === log)
      .map(
        (bar) =>
          this.bars.get(bar.name) ?? {
            ...bar,
            value: 0,
            holds: false,
            reason: `not measured${failure === undefined ? '' : `: ${failure.split('\n')[0]}`}`,
          },
      );
  }
}

function print(name: BenchName, { figures, bars, seconds }: BenchResult, failure: string | undefined): void {
  const lines = [`bench ${name}, ${seconds.toFixed(0)} s`];
  for (const [figure, { value, unit }] of figures) lines.push(`  ${figure}: ${rounded(value)} ${unit}`);
  for (const bar of bars)
    lines.push(
      `  ${bar.holds ? 'holds' : 'MISSED'}  ${bar.name}: ${rounded(bar.value)} ${bar.unit}, bar ${bar.atMost ? 'at most' : 'at least'} ${bar.bar}${bar.reason === undefined ? '' : ` (${bar.reason})`}`,
    );
  if (failure !== undefined) lines.push(`  failed: ${failure}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
