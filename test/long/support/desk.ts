import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEmbedded } from '#adapters/embedded-postgres';
import { openPostgresLog, type PostgresLog } from '#adapters/log-postgres';
import { openViews, type ViewsDatabase } from '#adapters/views-postgres';
import { mintToken, type TokenClaims } from '#edge';
import { everyEvent } from '#engine/catalogue';
import { codec, memoryVault, type Codec } from '#engine/store';
import type { Noted } from '#engine/views';
import { silent, START, type Position } from '#kernel';
import { eventually } from '../../support/eventually.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = join(ROOT, 'dist/apps/standalone/src/main.js');
const AUTH_SECRET = 'an auth secret for tests, and tests only';

/** What lies in a desk's database, while no desk runs. */
export interface Inside {
  readonly url: string;
  readonly log: PostgresLog;
  readonly views: ViewsDatabase;
  readonly decode: Codec['decode'];
}

/** The built standalone desk on an embedded PostgreSQL of its own, to be killed and started again. */
export class LongDesk {
  private child: ChildProcess | null = null;
  private said = '';

  private constructor(
    private readonly home: string,
    readonly port: number,
  ) {}

  static async prepare(): Promise<LongDesk> {
    const home = await mkdtemp(join(tmpdir(), 'covenant-long-'));
    await chmod(home, 0o755);
    return new LongDesk(home, await freePort());
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private get dataDir(): string {
    return join(this.home, 'data');
  }

  token(claims: TokenClaims): Promise<string> {
    return mintToken(Buffer.from(AUTH_SECRET), claims);
  }

  start(): void {
    const child = spawn(process.execPath, ['--enable-source-maps', MAIN], {
      cwd: this.home,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        DATA_DIR: this.dataDir,
        PORT: String(this.port),
        AUTH_SECRET,
        SEED: 'off',
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const note = (chunk: Buffer): void => void (this.said = (this.said + chunk.toString()).slice(-20_000));
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    this.child = child;
  }

  /** What it logged last, for a failing test. */
  get lastWords(): string {
    return this.said;
  }

  async ready(): Promise<void> {
    const { child } = this;
    await eventually(
      async () => {
        if (child!.exitCode !== null) return 'ended';
        const response = await fetch(`${this.address}/health/ready`).catch(() => null);
        return response?.status === 200 ? 'ready' : null;
      },
      { within: 60_000, every: 30, what: 'the desk is ready' },
    ).then((state) => {
      if (state === 'ended') throw new Error(`the desk ended by itself: ${this.lastWords}`);
    });
  }

  async kill(): Promise<void> {
    const child = this.child!;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the desk ended before it was killed: ${this.lastWords}`);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async killPostgres(): Promise<void> {
    process.kill(await this.postmaster(), 'SIGKILL');
  }

  private async postmaster(): Promise<number> {
    const kept = JSON.parse(await readFile(join(this.dataDir, 'postgres.json'), 'utf8')) as {
      folder: string;
    };
    const folder = kept.folder.startsWith('/') ? kept.folder : join(this.dataDir, kept.folder);
    return Number((await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = (await gone) as [number | null];
    if (code !== 0) throw new Error(`the desk stopped with ${code}: ${this.lastWords}`);
  }

  /** Looks at, or prepares, what lies in the database. */
  async inside<T>(look: (inside: Inside) => Promise<T>): Promise<T> {
    const embedded = await openEmbedded({ dataDir: this.dataDir, as: 'command' });
    try {
      const log = await openPostgresLog({ url: embedded.url });
      const views = await openViews({ url: embedded.url, logger: silent });
      const chance = { bytes: (count: number) => Buffer.alloc(count) };
      const { decode } = codec({ catalogue: everyEvent, vault: memoryVault(chance), chance });
      try {
        return await look({ url: embedded.url, log, views, decode });
      } finally {
        await views.close();
        await log.close();
      }
    } finally {
      await embedded.close();
    }
  }

  async remove(): Promise<void> {
    this.child?.kill('SIGKILL');
    const kept = await readFile(join(this.dataDir, 'postgres.json'), 'utf8').catch(() => null);
    if (kept !== null) {
      // What a killed desk left running is stopped as the next comer would stop it.
      await openEmbedded({ dataDir: this.dataDir, as: 'command' }).then((embedded) => embedded.close());
      const { folder } = JSON.parse(kept) as { folder: string };
      if (folder.startsWith('/')) await rm(dirname(folder), { recursive: true, force: true });
    }
    await rm(this.home, { recursive: true, force: true });
  }
}

/** A free port of the desk's own, so that clients find it again after a kill. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The whole log, from its beginning. */
export async function everything({ log, decode }: Inside): Promise<Noted[]> {
  const all: Noted[] = [];
  for (let after: Position = START; ;) {
    const page = await log.readAll(after, 5_000);
    if (page.length === 0) return all;
    all.push(...page.map((event) => decode(event) as Noted));
    after = page.at(-1)!.position;
  }
}
