import type { Readable, Writable } from 'node:stream';

/** What a command meets of the outside. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** Aborts at SIGINT or SIGTERM: what is begun is finished, nothing new is begun. */
  readonly signal: AbortSignal;
}

/** Answers the exit code. @throws UsageError, or an error whose message is for people (expected.ts) */
export type CommandBody = (args: readonly string[], around: Surroundings) => Promise<number>;

/** The command line asks for something that there is not: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What the command line asks for cannot be done; the message says why and what to do instead. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** One line on a stream: what is written faster than it is read waits; a stream that nobody reads any more takes nothing. */
export async function writeLine(to: Writable, line: string): Promise<void> {
  if (to.destroyed) return;
  if (!to.write(`${line}\n`) && !to.destroyed)
    await new Promise<void>((resolve) => {
      const go = (): void => {
        to.off('drain', go).off('close', go);
        resolve();
      };
      to.on('drain', go).on('close', go);
    });
}
