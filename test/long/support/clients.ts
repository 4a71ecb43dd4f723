import type { Instant } from '#kernel';
import type { LongDesk } from './desk.js';

/** A command as a client remembers it: it repeats it under its key until somebody answers. */
export interface Command {
  readonly path: string;
  readonly key: string;
  readonly body: object;
}

export interface Answer {
  readonly status: number;
  readonly body: {
    readonly id: string;
    readonly number: string;
    readonly revision: number;
    readonly position: string;
    readonly promises?: readonly { readonly clock: string; readonly due: Instant }[];
  };
}

/** A command with the answer it got at last, and how often it was asked. */
export interface Done extends Command {
  readonly answer: Answer;
  readonly asked: number;
}

const PATIENCE_MS = 120_000;

/**
 * A client in a bad network: no answer, or one of 503, leaves the outcome unknown, and the same command is sent
 * again under the same key.
 */
export class Client {
  /** Answers that say the desk itself is broken; there are to be none. */
  static readonly broken: string[] = [];

  constructor(
    private readonly desk: LongDesk,
    private readonly token: string,
  ) {}

  async patiently(command: Command): Promise<Done> {
    const until = performance.now() + PATIENCE_MS;
    for (let asked = 1; ; asked++) {
      const answer = await this.once(command);
      if (answer !== null && answer.status < 500) return { ...command, answer, asked };
      if (answer !== null && answer.status !== 503)
        Client.broken.push(`${command.path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      if (performance.now() > until)
        throw new Error(`${command.path} was not answered: ${this.desk.lastWords}`);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  private async once({ path, key, body }: Command): Promise<Answer | null> {
    try {
      const response = await fetch(this.desk.address + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${this.token}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      });
      return { status: response.status, body: (await response.json()) as Answer['body'] };
    } catch {
      return null;
    }
  }
}
