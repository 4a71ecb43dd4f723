import { START, type Logger, type Micros, type Position } from '#kernel';
import { StoreError, type Seal, type Step } from '#engine/store';
import type { WireRecord } from './client.js';
import { microsOf, positionOf } from './wire.js';

/** Milliseconds after which known steps are looked up again. */
const STEPS_MS = 1_000;
/** Places of the log whose greatest time is remembered. */
const PLACES = 64;

/**
 * `recordedAt` of what is read: the server's `created`, never below what was recorded before (ruling 13). Whoever
 * reads the log in order carries the greatest time along, and is exact. Whoever reads a stream knows where the
 * server's clock fell from the steps beside the seal; until a fall is known there, at most some seconds, such an
 * event tells its bare `created`.
 */
export class Times {
  private steps: readonly Step[] = [];
  private looked = -Infinity;
  private looking = false;
  private readonly places = new Map<Position, Micros>();

  constructor(
    private readonly seal: Pick<Seal, 'steps' | 'step' | 'upTo'>,
    private readonly logger: Logger,
  ) {}

  /** For an event of a stream that was read. */
  of(record: WireRecord): Micros {
    this.refresh();
    return Math.max(microsOf(record), this.floor(positionOf(record)));
  }

  /**
   * The greatest time recorded up to a position. What is not sealed yet is read, by `between`,
   * which ends there.
   */
  async upTo(position: Position, between: (after: Position) => AsyncIterable<WireRecord>): Promise<Micros> {
    if (position === START) return 0;
    const known = this.places.get(position);
    if (known !== undefined) return known;
    const sealed = await this.seal.upTo(position);
    let greatest = sealed.recordedAt;
    if (sealed.position !== position)
      for await (const record of between(sealed.position)) greatest = await this.carried(greatest, record);
    this.remember(position, greatest);
    return greatest;
  }

  /** The greatest time up to the next event, which is this one's `recordedAt`. */
  carried(greatest: Micros, record: WireRecord): Micros | Promise<Micros> {
    const created = microsOf(record);
    if (created >= greatest) return created;
    const position = positionOf(record);
    return this.floor(position) >= greatest ? greatest : this.fell(position, greatest);
  }

  /** For the next page. */
  remember(position: Position, greatest: Micros): void {
    this.places.delete(position);
    this.places.set(position, greatest);
    if (this.places.size > PLACES) this.places.delete(this.places.keys().next().value!);
  }

  private async fell(position: Position, recordedAt: Micros): Promise<Micros> {
    this.logger.warn({ position }, 'the clock of the log’s server fell');
    const step = { position, recordedAt };
    this.steps = [...this.steps, step].sort((a, b) => (a.position < b.position ? -1 : 1));
    await this.seal.step(step);
    return recordedAt;
  }

  private floor(position: Position): Micros {
    return this.steps.findLast((step) => step.position <= position)?.recordedAt ?? 0;
  }

  private refresh(): void {
    if (this.looking || performance.now() - this.looked < STEPS_MS) return;
    this.looking = true;
    void this.look().finally(() => (this.looking = false));
  }

  /** Errors: none; without the database the steps known before hold. */
  async look(): Promise<void> {
    try {
      const steps = await this.seal.steps();
      const known = new Set(steps.map(({ position }) => position));
      this.steps = [...steps, ...this.steps.filter(({ position }) => !known.has(position))].sort((a, b) =>
        a.position < b.position ? -1 : 1,
      );
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.logger.warn({ problem: error.message }, 'the falls of the server’s clock could not be looked up');
    }
    this.looked = performance.now();
  }
}
