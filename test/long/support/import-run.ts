import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { openEmbedded } from '#adapters/embedded-postgres';
import { openPostgresLog, openPostgresVault } from '#adapters/log-postgres';
import { opener, type Sealed } from '#engine/store';
import { everyView } from '#engine/views';
import { silent, toOrdinal, type PersonId } from '#kernel';
import { eventually } from '../../support/eventually.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = join(ROOT, 'dist/apps/cli/src/main.js');

/** The same in every store, so that two of them hold the same ids. */
const SECRETS = {
  MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
  AUTH_SECRET: 'an auth secret for tests, and tests only',
  IDENTITY_SECRET: 'an identity secret for tests, and tests only',
} as const;

/** What differs between two imports of one log by its nature, and what is sealed with a nonce of its own. */
const OF_THE_STORE: ReadonlySet<string> = new Set([
  'number',
  'position',
  'opened',
  'recorded_at',
  'recordedAt',
]);

/** An embedded store that logs are imported into by the built command line, to be killed and run again. */
export class ImportStore {
  private constructor(private readonly home: string) {}

  static async prepare(): Promise<ImportStore> {
    const home = await mkdtemp(join(tmpdir(), 'covenant-long-import-'));
    await chmod(home, 0o755);
    return new ImportStore(home);
  }

  private get dataDir(): string {
    return join(this.home, 'data');
  }

  private spawn(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], {
      cwd: this.home,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: this.dataDir, ...SECRETS },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** To its end; answers what it printed. */
  async covenant(...args: readonly string[]): Promise<string> {
    const child = this.spawn(args);
    let out = '';
    let err = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (err += text));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`covenant ${args.join(' ')} ended with ${code}: ${err}`);
    return out;
  }

  /** Starts an import, and kills it with SIGKILL once the log holds so many events. Answers how many it then held. */
  async killedAt(events: number, log: string): Promise<number> {
    const child = this.spawn(['import', 'servicenow', log]);
    let err = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.stdout!.resume();
    const gone = once(child, 'exit');
    try {
      return await this.inside(async (url) => {
        const store = await openPostgresLog({ url, logger: silent });
        try {
          const held = await eventually(
            async () => {
              const ordinal = toOrdinal((await store.head()).position);
              if (child.exitCode !== null) throw new Error(`it ended before it was killed: ${err}`);
              return ordinal >= events ? ordinal : null;
            },
            { within: 300_000, every: 5, what: `the log holds ${events} events` },
          );
          child.kill('SIGKILL');
          await gone;
          return held;
        } finally {
          await store.close();
        }
      }, child);
    } finally {
      child.kill('SIGKILL');
    }
  }

  /** Attaches to the database of the store, as a command does. */
  async inside<T>(look: (url: string) => Promise<T>, starting?: ChildProcess): Promise<T> {
    if (starting)
      await eventually(() => readFile(join(this.dataDir, 'postgres.json'), 'utf8'), {
        within: 60_000,
        what: 'the import has made its database',
      });
    const embedded = await openEmbedded({ dataDir: this.dataDir, as: 'command' });
    try {
      return await look(embedded.url);
    } finally {
      await embedded.close();
    }
  }

  /** A digest of each event that follows from the log, in order of the digests. */
  async events(): Promise<readonly string[]> {
    const digests: string[] = [];
    for (const category of ['ticket', 'person']) {
      const child = this.spawn(['log', '--canonical', '--category', category]);
      child.stderr!.resume();
      const closed = once(child, 'close');
      for await (const line of createInterface({ input: child.stdout! })) digests.push(digest(line));
      const [code] = (await closed) as [number | null];
      if (code !== 0) throw new Error(`covenant log ended with ${code}`);
    }
    return digests.sort();
  }

  /** By view a digest of each row, its texts opened, without what is the store's own; in order. */
  async rows(): Promise<Readonly<Record<string, readonly string[]>>> {
    return this.inside(async (url) => {
      const pool = new pg.Pool({ connectionString: url, max: 2 });
      const vault = await openPostgresVault({
        pool,
        masterKey: Buffer.from(SECRETS.MASTER_KEY, 'base64'),
        logger: silent,
      });
      const open = opener(vault);
      try {
        const tables = [...everyView.map(({ name }) => name), 'tallies'];
        const all: Record<string, readonly string[]> = {};
        for (const name of tables) {
          const digests: string[] = [];
          // A count that came and went within one batch leaves no row, one over two batches leaves a zero.
          const but = name === 'tallies' ? ' WHERE count <> 0' : '';
          const { rows } = await pool.query<Record<string, unknown>>(`SELECT * FROM views.${name}${but}`);
          for (let i = 0; i < rows.length; i += 2_000)
            digests.push(...(await opened(rows.slice(i, i + 2_000), open)).map(digest));
          all[name] = digests.sort();
        }
        return all;
      } finally {
        await vault.close();
        await pool.end();
      }
    });
  }

  async remove(): Promise<void> {
    const kept = await readFile(join(this.dataDir, 'postgres.json'), 'utf8').catch(() => null);
    if (kept !== null) {
      await openEmbedded({ dataDir: this.dataDir, as: 'command' }).then((embedded) => embedded.close());
      const { folder } = JSON.parse(kept) as { folder: string };
      if (folder.startsWith('/')) await rm(dirname(folder), { recursive: true, force: true });
    }
    await rm(this.home, { recursive: true, force: true });
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);

/** Rows as canonical JSON, every sealed blob replaced by what it holds. */
async function opened(
  rows: readonly Record<string, unknown>[],
  open: ReturnType<typeof opener>,
): Promise<readonly string[]> {
  const blobs: Sealed[] = [];
  const find = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('blob' in value && 'of' in value) blobs.push(value as Sealed);
    else Object.values(value).forEach(find);
  };
  for (const row of rows) {
    find(row);
    for (const [of, blob] of Object.entries((row.sealed as Record<string, string> | null) ?? {}))
      blobs.push({ of: of as PersonId, blob });
  }
  const texts = await open(blobs);
  const byBlob = new Map(blobs.map(({ blob }, i) => [blob, texts[i]]));
  const plain = (value: unknown): unknown => {
    if (typeof value === 'string') return byBlob.get(value) ?? value;
    if (typeof value !== 'object' || value === null || value instanceof Date) return value;
    if (Array.isArray(value)) return value.map(plain);
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !OF_THE_STORE.has(name))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, member]) => [name, plain(member)]),
    );
  };
  return rows.map((row) => JSON.stringify(plain(row)));
}
