import { START, toOrdinal, type Position } from '#kernel';
import type { StoredEvent } from '#engine/store';

/** Events kept for those who come behind the first; some megabytes. */
const KEPT = 4_096;

type Read = (after: Position, limit: number) => Promise<readonly StoredEvent[]>;

/**
 * The end of the log as the subscriptions of one process read it: the first to come past what is known asks
 * the server, the others are given the same events. Whoever is further back asks for himself.
 */
export class Tail {
  /** Without a gap, since positions of this log are ordinals. */
  private events: StoredEvent[] = [];
  private from: Position = START;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly read: Read,
    private readonly kept = KEPT,
  ) {}

  async after(position: Position, limit: number): Promise<readonly StoredEvent[]> {
    for (;;) {
      const at = toOrdinal(position) - toOrdinal(this.from);
      if (at < 0) return this.read(position, limit);
      if (at < this.events.length) return this.events.slice(at, at + limit);
      if (this.reading) {
        await this.reading;
        continue;
      }
      let read: readonly StoredEvent[] = [];
      this.reading = this.read(position, limit).then((events) => {
        read = events;
        if (at === this.events.length) this.events.push(...events);
        else [this.events, this.from] = [[...events], position];
        const dropped = this.events.length - this.kept;
        if (dropped > 0) this.from = this.events.splice(0, dropped).at(-1)!.position;
      });
      try {
        await this.reading;
      } finally {
        this.reading = undefined;
      }
      return read;
    }
  }
}
