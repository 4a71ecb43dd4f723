import type { ConsumerStore } from '#engine/feed';
import { START, type Position } from '#kernel';
import type { Premises } from '../house/premises.js';
import { badInput, Problem } from '../problem/problem.js';
import { pause } from '#adapters/timers';

/** Milliseconds that a read waits for its consumer. */
const PATIENCE = 5_000;
/** Milliseconds between looks at the position, for everybody who waits. */
const LOOK = 40;
/** Reads that wait at once (ruling 12). */
const MOST_WAITING = 256;

/**
 * Read your own writes on a consumer's tables: possible where messages come from the log itself, whose
 * positions the tables then have. Over Kafka nobody knows how far the relay is, so there `?after=` is refused.
 */
export class ConsumerReading {
  private waiting = 0;
  private look: { readonly at: number; readonly position: Promise<Position> } | null = null;

  constructor(
    private readonly premises: Pick<Premises, 'feed'>,
    private readonly store: Pick<ConsumerStore, 'positions'>,
  ) {}

  /**
   * Waits, bounded, until the tables hold everything up to `after`.
   *
   * @returns a position that whatever is read from now on holds; null over Kafka
   * @throws Problem `bad-input` over Kafka, `unknown-position`, `view-lag`, `too-many-waiting`
   */
  async upTo(after: Position | undefined): Promise<Position | null> {
    const { log } = this.premises.feed;
    if (!log) {
      if (after === undefined) return null;
      const problem = 'cannot be waited for here: what this shows comes over Kafka; ask again a moment later';
      throw badInput([{ field: 'after', problem }]);
    }
    let at = await this.position();
    if (after === undefined || at >= after) return at;
    if (this.waiting >= MOST_WAITING)
      throw Problem.of('too-many-waiting', 'Too many reads wait for this consumer; ask again.');
    this.waiting++;
    try {
      if (after > (await log.head()))
        throw Problem.of('unknown-position', 'The log has not come to this position.');
      const late = AbortSignal.timeout(PATIENCE);
      while (!late.aborted) {
        await pause(LOOK, late);
        at = await this.position();
        if (at >= after) return at;
      }
    } finally {
      this.waiting--;
    }
    throw Problem.of('view-lag', 'This consumer has not passed this position yet; ask again.');
  }

  /** The lowest of all topics; looked at once for everybody who asks at about the same time. */
  private position(): Promise<Position> {
    const now = performance.now();
    if (this.look === null || now - this.look.at >= LOOK / 2)
      this.look = { at: now, position: this.readPosition() };
    return this.look.position;
  }

  private async readPosition(): Promise<Position> {
    const { kind, log } = this.premises.feed;
    const standing = (await this.store.positions())
      .filter(({ feed }) => feed === kind)
      .map(({ next }) => log!.standing(next));
    return standing.length === 0 ? START : standing.reduce((a, b) => (a < b ? a : b));
  }
}
