import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectFolder } from '../project-folder.js';

export interface LogServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The test double of EventStoreDB in a process of its own, durable: its log in a file, each group flushed. */
export async function doubleIn(folder: string): Promise<LogServer> {
  const test = join(await projectFolder(), 'test');
  const child = spawn(
    process.execPath,
    [
      ...['--no-warnings', '--conditions=source', '--import', join(test, 'support/typescript.mjs')],
      ...[join(test, 'doubles/eventstoredb/main.ts'), '--data', join(folder, 'eventstoredb'), '--leash'],
    ],
    { cwd: join(test, '..'), stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('\n')) resolve((JSON.parse(said) as LogServer).url);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the double ended with ${code}`)));
  });
  return {
    url,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
