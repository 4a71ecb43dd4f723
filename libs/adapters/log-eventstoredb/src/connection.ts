import type { Logger } from '#kernel';
import type { LogClient, Reading, WireRecord } from './client.js';
import { Silence, told, troubleOf, type Trouble } from './trouble.js';

/** A call of the client failed; what that means stands in `trouble`. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  constructor(readonly trouble: Trouble) {
    super(told(trouble));
  }
}

/** Equal failures in a row after which the client is made anew. */
const EQUAL_FAILURES = 3;
/** Milliseconds between two new clients at least. */
const RENEWAL_PAUSE_MS = 1_000;

/** Troubles that say something of the client or its connection, not of what was asked. */
const OF_THE_CONNECTION: ReadonlySet<Trouble['is']> = new Set(['unable', 'untrusted', 'lost', 'silent']);

/**
 * The one client of this process, with our own timer around every call. The library keeps a failed question for
 * the server's features for ever, and may wait for ever; so after failures that repeat it is made anew. Its
 * pending appends are one map for the whole process, so the old client ends before the new one begins.
 */
export class Connection {
  private client: LogClient;
  private renewing: Promise<void> | undefined;
  private renewed = -Infinity;
  private failures = { is: '', count: 0 };
  private closed = false;

  constructor(
    private readonly open: () => LogClient,
    private readonly logger: Logger,
  ) {
    this.client = open();
  }

  /** @throws CallFailed */
  async call<T>(milliseconds: number, ask: (client: LogClient) => Promise<T>): Promise<T> {
    if (this.renewing) await this.renewing;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Silence(`no answer within ${milliseconds} ms`)), milliseconds);
    });
    try {
      const answer = await Promise.race([ask(this.client), silence]);
      this.failures.count = 0;
      return answer;
    } catch (error) {
      throw this.failed(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** All that a read brings; the time is that from one event to the next. @throws CallFailed */
  async read(milliseconds: number, ask: (client: LogClient) => Reading): Promise<WireRecord[]> {
    if (this.renewing) await this.renewing;
    const { client } = this;
    const reading = ask(client);
    const records: WireRecord[] = [];
    const expire = (): void => {
      reading.cancel();
      stop(new Silence(`nothing more within ${milliseconds} ms`));
    };
    let timer = setTimeout(expire, milliseconds);
    let since = performance.now();
    let stop = (_: Error): void => {};
    const silence = new Promise<never>((_, reject) => (stop = reject));
    const take = (record: WireRecord): void => {
      records.push(record);
      // A timer for each event would cost more than the event.
      if (records.length % 64 === 0 && performance.now() - since > milliseconds / 4) {
        since = performance.now();
        clearTimeout(timer);
        timer = setTimeout(expire, milliseconds);
      }
    };
    try {
      await Promise.race([reading.each(take), silence]);
      // What is cancelled with its client ends as if nothing more had been stored.
      if (this.renewing || this.client !== client || this.closed) throw new Error('the client was made anew');
      this.failures.count = 0;
      return records;
    } catch (error) {
      throw this.failed(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The reader cancels it, and tells `failed` what ended it. */
  async follow(ask: (client: LogClient) => Reading): Promise<Reading> {
    if (this.renewing) await this.renewing;
    return ask(this.client);
  }

  /** To be told of every failure; answers what it means. */
  failed(error: unknown): CallFailed {
    const failure = error instanceof CallFailed ? error : new CallFailed(troubleOf(error));
    const { trouble } = failure;
    if (!OF_THE_CONNECTION.has(trouble.is)) {
      // The server has answered; but that it does not know the user, the client may remember for ever.
      this.failures.count = 0;
      if (trouble.is === 'credentials-wrong') this.renew(trouble);
      return failure;
    }
    this.failures = {
      is: trouble.is,
      count: this.failures.is === trouble.is ? this.failures.count + 1 : 1,
    };
    if (trouble.is === 'unable' || this.failures.count >= EQUAL_FAILURES) this.renew(trouble);
    return failure;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.renewing;
    await this.client.dispose();
  }

  private renew(trouble: Trouble): void {
    if (this.renewing || this.closed || performance.now() - this.renewed < RENEWAL_PAUSE_MS) return;
    this.logger.warn({ problem: told(trouble) }, 'the client of the log is made anew');
    const old = this.client;
    this.renewing = old
      .dispose()
      .catch((error: unknown) =>
        this.logger.warn({ problem: told(troubleOf(error)) }, 'the old client of the log did not end well'),
      )
      .then(() => {
        this.client = this.open();
        this.renewed = performance.now();
        this.failures.count = 0;
        this.renewing = undefined;
      });
  }
}

/** Who shares the client, by address. */
const shared = new Map<string, { readonly connection: Connection; users: number }>();

/**
 * All logs of this process at one address share one client.
 *
 * @throws Error where another address is in use already, or the address cannot be used
 */
export function share(
  address: string,
  open: () => LogClient,
  logger: Logger,
): { readonly connection: Connection; release(): Promise<void> } {
  for (const other of shared.keys())
    if (other !== address) throw new Error('one process talks to one EventStoreDB: another is in use');
  const entry = shared.get(address) ?? { connection: new Connection(open, logger), users: 0 };
  entry.users++;
  shared.set(address, entry);
  let released = false;
  return {
    connection: entry.connection,
    release: async () => {
      if (released) return;
      released = true;
      if (--entry.users > 0) return;
      shared.delete(address);
      await entry.connection.close();
    },
  };
}
