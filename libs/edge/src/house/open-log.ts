import { openEventStoreDbLog } from '#adapters/log-eventstoredb';
import { openPostgresLog, openPostgresSeal, type PostgresLog } from '#adapters/log-postgres';
import type { ViewsDatabase } from '#adapters/views-postgres';
import { categories } from '#engine/catalogue';
import { sealing, type EventStore, type Seal, type SealHead } from '#engine/store';
import { toOrdinal, type Position } from '#kernel';
import type { Metrics } from '../observe/metrics.js';
import type { ProcessLog } from '../observe/log.js';
import type { Readiness } from '../observe/readiness.js';
import { pause } from '#adapters/timers';
import type { WhatIsOpen } from './what-is-open.js';

export interface OpenLogOptions {
  /** Of the PostgreSQL that all else lies in. */
  readonly url: string;
  readonly eventStoreUrl?: string;
  readonly as: 'desk' | 'command';
  readonly logger: ProcessLog;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
}

export interface HouseLog {
  readonly store: EventStore;
  /** Of the PostgreSQL, for the vault and the numbers. */
  readonly pool: PostgresLog['pool'];
  /** Views whose lag counts events, also where positions do not. */
  counted(views: ViewsDatabase): ViewsDatabase;
  /** Events between two positions. */
  between(from: Position, to: Position): Promise<number>;
}

/**
 * The log in PostgreSQL or, where one is named, in EventStoreDB; then every desk stands ready to be its sealer.
 *
 * Errors: LogUnavailable, LogReplaced.
 */
export async function openLog(options: OpenLogOptions, open: WhatIsOpen): Promise<HouseLog> {
  const { url, eventStoreUrl, as, logger } = options;
  if (eventStoreUrl === undefined) {
    const store = await open.add(openPostgresLog({ url, application: `covenant ${as}`, logger }));
    return {
      store,
      pool: store.pool,
      counted: (views) => views,
      between: async (from, to) => toOrdinal(to) - toOrdinal(from),
    };
  }
  const seal = await open.add(openPostgresSeal({ url, poolSize: 4, logger }));
  const store = await open.add(openEventStoreDbLog({ url: eventStoreUrl, categories, seal, logger }));
  if (as === 'desk') keepSealed(options, store, seal, open);
  return {
    store,
    pool: seal.pool,
    counted: (views) => counted(views, seal),
    between: async (from, to) => {
      const [at, end] = await Promise.all([seal.upTo(from), seal.upTo(to)]);
      return end.ordinal - at.ordinal;
    },
  };
}

function keepSealed(
  { logger, metrics, readiness }: OpenLogOptions,
  store: EventStore,
  seal: Seal,
  open: WhatIsOpen,
): void {
  const stop = new AbortController();
  let replaced = false;
  let irregular = 0;
  const ended = sealing({ store, seal, logger, pause, alarm: () => void irregular++ }, stop.signal).catch(
    () => {
      // The sealer has said why: this is another log than the one it sealed.
      replaced = true;
    },
  );
  void open.add({
    close: async () => {
      stop.abort();
      await ended;
    },
  });
  readiness.add('seal', 'other-log', () => (replaced ? 'other-log' : null));
  metrics.gauge(
    'covenant_log_sealed_events',
    'Events that the sealer has numbered',
    null,
    async () => (await seal.head()).ordinal,
  );
  metrics.gauge(
    'covenant_log_irregularities',
    'Repeated ids and missing revisions that this process has noticed as the sealer',
    null,
    () => irregular,
  );
}

/** Positions in EventStoreDB are bytes: how many events a view is behind is told by the seal. */
function counted(views: ViewsDatabase, seal: Seal): ViewsDatabase {
  return {
    ...views,
    figures: async (head) => {
      const [figures, to] = await Promise.all([views.figures(head), seal.upTo(head.position)]);
      return Promise.all(
        figures.map(async (figure) => ({
          ...figure,
          behind: behind(await seal.upTo(figure.position), to, figure.behind > 0),
        })),
      );
    },
  };
}

/** At least one where the view is not at the head, though the sealer may be no further. */
const behind = (at: SealHead, to: SealHead, isBehind: boolean): number =>
  isBehind ? Math.max(1, to.ordinal - at.ordinal) : 0;
