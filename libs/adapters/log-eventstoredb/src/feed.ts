import type { Reading, WireRecord } from './client.js';
import type { CallFailed, Connection } from './connection.js';
import { Silence } from './trouble.js';

export interface FeedOptions {
  readonly connection: Connection;
  readonly prefixes: readonly string[];
  /** Of the last record that counts as seen. */
  readonly after: number | 'start';
  /** Records kept ready at most; behind them the server waits. */
  readonly room: number;
  /** Milliseconds until the server has to have said something at all. */
  readonly answerMs: number;
}

/**
 * One subscription of the client, from its beginning to its first error: records come into a queue, the reader
 * takes them when it likes. A checkpoint of the server's arrives before the events before it are worked on, so it
 * counts only when the reader waits with nothing left, and then only once the server has gone on past it.
 */
export class Feed {
  private readonly queue: WireRecord[] = [];
  private reading: Reading | undefined;
  private failure: CallFailed | undefined;
  private silent: NodeJS.Timeout | undefined;
  private closed = false;
  private wake = (): void => {};
  private room = (): void => {};
  private candidate: number | null = null;
  private waiting = false;
  /** The server has told that it knows no more. */
  live = false;
  /** Position of the last sign of life, a foreign event's too. */
  heard = -1;
  /** From here a new subscription may begin, nothing of ours lies between it and what the reader has seen. */
  movedTo: number | null = null;

  constructor(private readonly options: FeedOptions) {
    void this.run();
  }

  /** Records ready, and whether the server had no more when they were taken; throws what ended the subscription. */
  take(most: number): { readonly records: readonly WireRecord[]; readonly empty: boolean } {
    if (this.queue.length === 0 && this.failure) throw this.failure;
    const records = this.queue.splice(0, most);
    this.room();
    return { records, empty: this.queue.length === 0 };
  }

  get ready(): number {
    return this.queue.length;
  }

  get ended(): boolean {
    return this.failure !== undefined;
  }

  /** Resolves when something has changed, after so many milliseconds, or when the signal aborts. */
  async change(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.failure || signal.aborted) return;
    this.waiting = this.queue.length === 0;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener('abort', done);
      this.wake = done;
    });
    this.waiting = false;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.silent);
    this.reading?.cancel();
    this.room();
  }

  private async run(): Promise<void> {
    const { connection, prefixes, after, room, answerMs } = this.options;
    this.silent = setTimeout(
      () => this.end(new Silence(`the subscription was not answered within ${answerMs} ms`)),
      answerMs,
    );
    const alive = (): void => clearTimeout(this.silent);
    try {
      this.reading = await connection.follow((client) =>
        client.follow(after, prefixes, {
          checkpoint: (position) => {
            alive();
            this.checkpoint(position);
          },
          caughtUp: () => {
            alive();
            this.live = true;
            this.wake();
          },
        }),
      );
      if (this.closed) this.reading.cancel();
      for await (const record of this.reading.records()) {
        alive();
        if (this.closed) break;
        this.queue.push(record);
        this.heard = record.position;
        if (this.candidate !== null && record.position <= this.candidate) this.candidate = null;
        this.wake();
        while (this.queue.length >= room && !this.closed)
          await new Promise<void>((resolve) => (this.room = resolve));
      }
      this.end(new Error('the subscription ended'));
    } catch (error) {
      this.end(error);
    } finally {
      alive();
    }
  }

  private checkpoint(position: number): void {
    this.heard = Math.max(this.heard, position);
    if (this.waiting && this.queue.length === 0 && this.candidate !== null) this.movedTo = this.candidate;
    this.candidate = position;
    this.wake();
  }

  /** The first cause wins. */
  private end(error: unknown): void {
    if (this.failure || this.closed) return;
    this.failure = this.options.connection.failed(error);
    this.reading?.cancel();
    this.wake();
  }
}
