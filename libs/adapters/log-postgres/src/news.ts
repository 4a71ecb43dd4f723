import pg from 'pg';
import { problemOf, sessionConfig, type SessionOptions } from './session.js';

const CHANNEL = 'covenant_log';
/** A subscription looks by itself so often: news may get lost with the process or the connection that bore it. */
const LOOK_MS = 500;
/** At most one notification in this time from this process, the first at once. */
const QUIET_MS = 10;
const BACK_OFF_MS = { first: 100, most: 5_000 } as const;

/**
 * Word that something was committed, between processes by LISTEN/NOTIFY, within this one directly. It only
 * shortens the wait: what happened is always read from the log.
 */
export class News {
  private readonly waiting = new Set<() => void>();
  private listener: pg.Client | undefined;
  private listening = false;
  private retry: NodeJS.Timeout | undefined;
  private quiet: NodeJS.Timeout | undefined;
  private unsaid = false;
  private closed = false;
  private heard = 0;

  constructor(
    private readonly options: SessionOptions,
    private readonly pool: pg.Pool,
  ) {}

  /** To be called after each commit of this process. */
  committed(): void {
    this.wake();
    if (this.quiet) this.unsaid = true;
    else this.say();
  }

  /** Count of the news so far; to be taken before reading, and given to `past` after it. */
  soFar(): number {
    this.listen();
    return this.heard;
  }

  /** Resolves when there are more news than these, after a bounded time, or when a signal aborts. */
  past(count: number, signals: readonly AbortSignal[]): Promise<void> {
    if (this.heard !== count) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(look);
        this.waiting.delete(wake);
        for (const signal of signals) signal.removeEventListener('abort', wake);
        resolve();
      };
      const look = setTimeout(wake, LOOK_MS);
      this.waiting.add(wake);
      for (const signal of signals) signal.addEventListener('abort', wake);
      if (signals.some((signal) => signal.aborted)) wake();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    clearTimeout(this.quiet);
    this.wake();
    await this.listener?.end();
  }

  private wake(): void {
    this.heard++;
    for (const wake of [...this.waiting]) wake();
  }

  private say(): void {
    this.unsaid = false;
    this.quiet = setTimeout(() => {
      this.quiet = undefined;
      if (this.unsaid) this.say();
    }, QUIET_MS);
    // Lost news is made up for by looking; the pool has told of the lost connection already.
    this.pool.query(`NOTIFY ${CHANNEL}`).catch(() => {});
  }

  private listen(backOff: number = BACK_OFF_MS.first): void {
    if (this.listening || this.closed) return;
    this.listening = true;
    const client = new pg.Client({ ...sessionConfig(this.options), statement_timeout: 0 });
    const lost = (error: unknown): void => {
      if (this.listener === client) this.listener = undefined;
      client
        .removeAllListeners('end')
        .removeAllListeners('error')
        .on('error', () => {});
      if (this.closed) return;
      this.options.logger.warn(
        { problem: problemOf(error) },
        'the log’s news are not heard; looking instead',
      );
      this.retry = setTimeout(() => {
        this.listening = false;
        this.listen(Math.min(backOff * 2, BACK_OFF_MS.most));
      }, backOff);
    };
    client.on('notification', () => this.wake());
    client.once('error', lost);
    client.once('end', () => lost(new Error('the connection ended')));
    client
      .connect()
      .then(async () => {
        if (this.closed) return client.end();
        this.listener = client;
        await client.query(`LISTEN ${CHANNEL}`);
      })
      // News from before LISTEN took hold were not heard.
      .then(() => this.wake())
      .catch(lost);
  }
}
