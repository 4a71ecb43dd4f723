import type { Delivery } from '#engine/feed';
import { LogUnavailable } from '#engine/store';
import type { Logger, Position, Uuid } from '#kernel';
import { pause } from '#adapters/timers';
import { translated, type LogRead, type Place, type Stretch } from './translating.js';

const BATCH = 1_000;
/** Records kept for followers that are not quite as quick; who needs older ones reads the log itself. */
const KEPT_RECORDS = 4_096;
const KEPT_STRETCHES = 256;
/** So long the next live batch may gather: the more comes, the longer. */
const GATHER_MS = 10;
const LONGEST_GATHER_MS = 250;
const gathering = (events: number): number => Math.min(LONGEST_GATHER_MS, GATHER_MS + events / 2);

/** What a follower takes from the tail at once. */
export interface Taken {
  readonly to: Place;
  readonly events: number;
  readonly records: readonly Delivery[];
  /** Records that the tail holds behind these. */
  readonly behind: number;
  readonly failure: Error | null;
}

/**
 * The end of the log, read, decoded and translated once for everybody in the process who is near it. One
 * subscription, for as long as anybody follows.
 */
export class Tail {
  private readonly stretches: Stretch[] = [];
  private records = 0;
  private readonly waiting = new Set<() => void>();
  private readonly stop = new AbortController();
  private failure: Error | null = null;
  private begin: Position;
  readonly ended: Promise<void>;

  /** @param start the end of the log as it was met */
  constructor(
    private readonly log: LogRead,
    private readonly identity: Uuid,
    readonly start: Place,
    private readonly logger: Logger,
    private readonly alive: () => void,
  ) {
    this.begin = start.position;
    this.ended = this.read();
  }

  /** Whether everything after this position is here or will come here. */
  covers(position: Position): boolean {
    return position >= this.begin;
  }

  /**
   * What stands after a position that the tail covers, at most so many records but for the last stretch. Waits
   * for news until the deadline or the signal; null then.
   */
  async after(
    position: Position,
    limit: number,
    signal: AbortSignal,
    within: number | null,
  ): Promise<Taken | null> {
    for (;;) {
      const taken = this.take(position, limit);
      if (taken !== null) return taken;
      if (this.failure) throw this.failure;
      if (signal.aborted) return null;
      if (!(await this.news(signal, within))) return null;
    }
  }

  async close(): Promise<void> {
    this.stop.abort();
    this.wake();
    await this.ended;
  }

  private take(position: Position, limit: number): Taken | null {
    const first = this.stretches.findIndex(({ to, failure }) => to.position > position || failure !== null);
    if (first === -1) return null;
    const records: Delivery[] = [];
    let events = 0;
    let at = first;
    for (; at < this.stretches.length && (at === first || records.length < limit); at++) {
      const stretch = this.stretches[at]!;
      events += stretch.events;
      if (stretch.after >= position) records.push(...stretch.records);
      else records.push(...stretch.records.filter(({ message }) => message!.position > position));
    }
    const { to, failure } = this.stretches[at - 1]!;
    const behind = this.stretches.slice(at).reduce((sum, { records: { length } }) => sum + length, 0);
    return { to, events, records, behind, failure };
  }

  /** @returns false where the time is over */
  private news(signal: AbortSignal, within: number | null): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (came: boolean): void => {
        this.waiting.delete(wake);
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        resolve(came);
      };
      const wake = (): void => end(true);
      const timer = within === null ? undefined : setTimeout(() => end(false), within);
      this.waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  private wake(): void {
    for (const wake of [...this.waiting]) wake();
  }

  private async read(): Promise<void> {
    const { signal } = this.stop;
    try {
      let after = this.start.position;
      for await (const { events, caughtUp } of this.log.store.subscribe(after, { signal, limit: BATCH })) {
        this.alive();
        if (events.length === 0) continue;
        const stretch = translated(after, events, this.log.decode, this.identity);
        after = stretch.to.position;
        this.keep(stretch);
        if (stretch.failure) break;
        if (caughtUp) await pause(gathering(events.length), signal);
      }
      if (!signal.aborted)
        this.failure ??= this.stretches.at(-1)?.failure ?? new LogUnavailable('the log was closed');
    } catch (error) {
      this.logger.warn({ problem: (error as Error).name }, 'the end of the log can be followed no longer');
      this.failure = error as Error;
    }
    this.wake();
  }

  private keep(stretch: Stretch): void {
    this.stretches.push(stretch);
    this.records += stretch.records.length;
    while (
      this.stretches.length > 1 &&
      (this.records > KEPT_RECORDS || this.stretches.length > KEPT_STRETCHES)
    ) {
      const gone = this.stretches.shift()!;
      this.records -= gone.records.length;
      this.begin = gone.to.position;
    }
    this.wake();
  }
}
