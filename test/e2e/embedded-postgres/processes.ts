import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.js';

interface Said {
  readonly opened?: string;
  readonly folder?: string;
  readonly refused?: string;
  readonly message?: string;
  readonly closed?: true;
  readonly failed?: string;
  readonly logged?: string;
}

/** A desk or a command in a process of its own (user.ts), so that it can be killed. */
export class User {
  readonly said: Said[] = [];
  readonly ended: Promise<unknown>;

  private constructor(readonly child: ChildProcess) {
    child.on('message', (message) => this.said.push(message as Said));
    this.ended = once(child, 'exit');
  }

  static start(as: 'desk' | 'command', dataDir: string): User {
    return new User(
      fork(new URL('./user.ts', import.meta.url), [as, dataDir], {
        execArgv: [
          '--no-warnings',
          '--conditions=source',
          '--import',
          new URL('../../support/typescript.mjs', import.meta.url).href,
        ],
      }),
    );
  }

  /** How opening went. */
  outcome(): Promise<Said> {
    return eventually(
      () => {
        if (this.child.exitCode !== null && this.said.length === 0)
          return { refused: 'exit', message: `it ended with ${this.child.exitCode}` };
        return this.said.find((s) => s.opened ?? s.refused);
      },
      { within: 60_000, what: 'a user of the data folder opened it or was refused' },
    );
  }

  async url(): Promise<string> {
    const { opened, message } = await this.outcome();
    if (opened === undefined) throw new Error(`not opened: ${message}`);
    return opened;
  }

  async leave(): Promise<void> {
    this.child.send('leave');
    await this.ended;
    const failed = this.said.find((s) => s.failed);
    if (failed) throw new Error(failed.failed);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  has(logged: string): boolean {
    return this.said.some((s) => s.logged === logged);
  }
}

/** The process id of the server on this folder; null where there is none. */
export async function postmasterOf(folder: string): Promise<number | null> {
  const content = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => null);
  return content === null ? null : Number(content.split('\n')[0]);
}
