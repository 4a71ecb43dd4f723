import pg from 'pg';
import type { Logger, Position } from '#kernel';
import { problemOf, sessionConfig } from '#adapters/postgres';
import { LIVE } from './entities.js';

export const CHANNEL = 'covenant_views';

/** Reads that wait at once (ruling 12). */
const MOST_WAITING = 256;
/** Looks at the checkpoints while somebody waits, should a notice be lost. */
const LOOK_MS = 200;

export type Waited =
  | 'passed'
  /** The time was over. */
  | 'late'
  /** Too many wait already. */
  | 'crowded'
  /** The log has no such position yet. */
  | 'beyond-head';

export interface Wait {
  readonly timeoutMs: number;
  /** Views that must have passed it; all unless given. */
  readonly views?: readonly string[];
  /** The log's head, asked only where the views have not passed the position yet. */
  readonly head: () => Promise<Position>;
}

interface Waiter {
  readonly position: Position;
  readonly views: readonly string[] | undefined;
  readonly settle: (waited: Waited) => void;
}

/**
 * Reads that wait for the views to pass a position. News come from this process's own projector at once, from
 * others by NOTIFY; the checkpoints are looked at in one query for everybody while anyone waits.
 */
export class Waiting {
  private readonly positions = new Map<string, Position>();
  private readonly waiters = new Set<Waiter>();
  private listener: Promise<void> | null = null;
  private client: pg.Client | null = null;
  private timer: NodeJS.Timeout | null = null;
  private looking = false;
  private closed = false;

  constructor(
    private readonly options: { readonly url: string; readonly pool: pg.Pool; readonly logger: Logger },
  ) {}

  /** From this process's projector. */
  moved(positions: ReadonlyMap<string, Position>): void {
    for (const [view, position] of positions) this.positions.set(view, position);
    this.settlePassed();
  }

  async waitFor(position: Position, { timeoutMs, views, head }: Wait): Promise<Waited> {
    if (this.hasPassed(position, views)) return 'passed';
    if (this.waiters.size >= MOST_WAITING) return 'crowded';
    return new Promise<Waited>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(late);
        this.waiters.delete(waiter);
        if (this.waiters.size === 0) this.rest();
      };
      const settle = (waited: Waited): void => {
        leave();
        resolve(waited);
      };
      const waiter: Waiter = { position, views, settle };
      const late = setTimeout(() => settle('late'), timeoutMs);
      this.waiters.add(waiter);
      head().then(
        (at) => {
          if (position > at) settle('beyond-head');
          else if (this.waiters.has(waiter)) this.attend();
        },
        (error: unknown) => {
          leave();
          reject(error as Error);
        },
      );
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { settle } of [...this.waiters]) settle('late');
    await this.listener;
    await this.client?.end();
  }

  private hasPassed(position: Position, views: readonly string[] | undefined): boolean {
    if (this.positions.size === 0) return false;
    const asked = views ?? [...this.positions.keys()];
    return asked.every((view) => (this.positions.get(view) ?? '') >= position);
  }

  private settlePassed(): void {
    for (const { position, views, settle } of [...this.waiters])
      if (this.hasPassed(position, views)) settle('passed');
  }

  private attend(): void {
    this.listener ??= this.listen();
    this.timer ??= setInterval(() => void this.look(), LOOK_MS);
    void this.look();
  }

  private rest(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private async look(): Promise<void> {
    if (this.looking || this.waiters.size === 0) return;
    this.looking = true;
    try {
      const { rows } = await this.options.pool.query<{ view: string; position: string }>(
        `SELECT view, lpad(position::text, 16, '0') AS position FROM ${LIVE}.checkpoints`,
      );
      this.moved(new Map(rows.map(({ view, position }) => [view, position as Position])));
    } catch (error) {
      this.options.logger.warn({ problem: problemOf(error) }, 'the checkpoints of the views cannot be read');
    } finally {
      this.looking = false;
    }
  }

  private async listen(): Promise<void> {
    const client = new pg.Client(sessionConfig(this.options.url, 'covenant views news'));
    const lost = (): void => {
      if (this.client === client) this.client = null;
      this.listener = null;
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', () => void this.look());
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.client = client;
      if (this.closed) await client.end();
    } catch (error) {
      this.listener = null;
      this.options.logger.warn(
        { problem: problemOf(error) },
        'no notices of the views: they are looked at instead',
      );
    }
  }
}
