import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../support/eventually.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ROOT = here('../../..');

/** Of three, as DATABASE_URL asks for; good for tests only. */
export const SECRETS = {
  MASTER_KEY: '11'.repeat(32),
  AUTH_SECRET: 'an auth secret for tests, and tests only',
  IDENTITY_SECRET: 'an identity secret for tests, and tests only',
} as const;

/** Apps that start by themselves, beside others on one database. */
export const APPS_APART = ['api', 'projector', 'timekeeper', 'relay', 'analytics', 'knowledge-base'] as const;

export interface DeskOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Modules loaded before the program. */
  readonly preload?: readonly string[];
  readonly app?: 'standalone' | (typeof APPS_APART)[number];
}

/** A desk in a process of its own, run from the sources. */
export class DeskProcess {
  out = '';
  err = '';
  readonly ended: Promise<number | null>;

  private constructor(readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    child.stderr!.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  static start({ env, preload = [], app = 'standalone' }: DeskOptions): DeskProcess {
    const imports = [here('../../support/typescript.mjs'), ...preload.map(here)].flatMap((path) => [
      '--import',
      path,
    ]);
    return new DeskProcess(
      spawn(
        process.execPath,
        ['--no-warnings', '--conditions=source', ...imports, here(`../../../apps/${app}/src/main.ts`)],
        {
          cwd: ROOT,
          env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      ),
    );
  }

  /** Its address, once it is open. @throws where it ended before */
  async address(): Promise<string> {
    return eventually(
      () => {
        if (this.child.exitCode !== null) return { failed: true as const };
        return this.line('the desk is open')?.address as string | undefined;
      },
      { within: 60_000, what: 'the desk opened' },
    ).then((opened) => {
      if (typeof opened !== 'string') throw new Error(`the desk ended: ${this.err || this.out}`);
      return opened;
    });
  }

  /** The first line of its log with this message. */
  line(message: string): Readonly<Record<string, unknown>> | undefined {
    return this.out
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find((line) => line.msg === message);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.signal('SIGTERM');
    return this.ended;
  }
}

/** A data folder of its own that the postgres user can pass through. */
export async function freshFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'covenant-desk-'));
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
