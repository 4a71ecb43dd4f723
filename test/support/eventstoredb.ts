import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Faults } from '../doubles/eventstoredb/faults.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface DoubleOptions {
  /** It starts wrong in these ways. */
  readonly faults?: Partial<Faults>;
  readonly tls?: boolean;
  /** Keeps nothing on disk. */
  readonly forgetful?: boolean;
}

/** The test double of EventStoreDB in a process of its own, on one port for its life, with its log in a file. */
export class EventStoreDouble {
  private process: ChildProcess | undefined;
  private control = '';

  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly options: DoubleOptions,
  ) {}

  static async start(options: DoubleOptions = {}): Promise<EventStoreDouble> {
    const folder = await mkdtemp(join(tmpdir(), 'covenant-double-'));
    const double = new EventStoreDouble(folder, await freePort(), options);
    await double.up(options.faults);
    return double;
  }

  /** `esdb://`; with TLS it names the certificate of the authority. */
  get url(): string {
    return this.options.tls
      ? `esdb://covenant:secret@localhost:${this.port}?tls=true&tlsCAFile=${EventStoreDouble.authority}`
      : `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  static readonly authority = here('../doubles/eventstoredb/tls/ca.crt');

  /** The file that the log is kept in. */
  get file(): string {
    return join(this.folder, 'log');
  }

  async up(faults: Partial<Faults> = {}): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        ...['--no-warnings', '--conditions=source', '--import', here('./typescript.mjs')],
        ...[here('../doubles/eventstoredb/main.ts'), '--port', String(this.port), '--leash'],
        ...(this.options.forgetful ? [] : ['--data', this.file]),
        ...(this.options.tls ? ['--tls'] : []),
        ...Object.entries(faults).flatMap(([name, value]) => ['--fault', `${name}=${value}`]),
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    this.process = child;
    let problems = '';
    child.stderr.on('data', (chunk: Buffer) => (problems += chunk.toString()));
    const line = new Promise<string>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('\n')) resolve(said.split('\n')[0]!);
      });
      child.once('exit', (code) => reject(new Error(`the double ended with ${code}: ${problems}`)));
    });
    this.control = (JSON.parse(await line) as { control: string }).control;
  }

  /** From now on it is wrong in these ways; `{ silent: 'no' }` takes one back. */
  async order(faults: Partial<Faults>): Promise<void> {
    await this.ask('/faults', faults);
  }

  /** Breaks every connection. */
  async drop(): Promise<void> {
    await this.ask('/drop', {});
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** An orderly stop. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** SIGSTOP: not even pings are answered. */
  freeze(): void {
    this.process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.process?.kill('SIGCONT');
  }

  /** Killed, and its file gone. */
  async remove(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  private async ask(path: string, body: object): Promise<void> {
    const answer = await fetch(this.control + path, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  }
}

/** On loopback; somebody else may take it before it is used. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
