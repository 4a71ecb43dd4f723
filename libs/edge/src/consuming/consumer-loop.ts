import { Counter } from 'prom-client';
import {
  consume,
  ForeignSource,
  TablesOutdated,
  type Consumer,
  type ConsumerStore,
  type ConsumingWatch,
} from '#engine/feed';
import { LogReplaced, OlderThanLog } from '#engine/store';
import type { Premises } from '../house/premises.js';
import type { Metrics } from '../observe/metrics.js';
import type { Unready } from '../observe/readiness.js';
import { pause } from '#adapters/timers';
import { schemaCheck } from './schema-check.js';

/** A consumer's tables as a loop needs them. */
export interface LoopTables<Row extends object> {
  readonly store: ConsumerStore<Row>;
  ready(): Promise<void>;
}

/** A consumer at work, for as long as its process lives: the loop, its part of readiness, its figures. */
export class ConsumerLoop<Row extends object> {
  private readonly stop = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private stopped: Unready | null = null;

  constructor(
    private readonly premises: Premises,
    private readonly consumer: Consumer<Row>,
    private readonly tables: LoopTables<Row>,
  ) {}

  begin(): void {
    const { name } = this.consumer;
    const { readiness } = this.premises;
    readiness.add(name, 'loop-stopped', () => this.stopped);
    readiness.add(`${name} tables`, 'tables-unavailable', async () => {
      await this.tables.ready();
      return null;
    });
    this.running = this.loop();
  }

  /** The batch at hand is digested first. */
  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { consumer, premises, tables } = this;
    const { feed, logger, metrics } = premises;
    try {
      await consume(
        {
          consumer,
          store: tables.store,
          feed,
          check: schemaCheck(),
          logger,
          pause,
          watch: figuresOf(metrics).of(consumer.name, tables.store),
        },
        this.stop.signal,
      );
    } catch (error) {
      // It was told by the loop; what remains is to say that this process is not ready (rulings 45, 48).
      this.stopped =
        error instanceof OlderThanLog
          ? 'older-than-log'
          : error instanceof ForeignSource || error instanceof LogReplaced
            ? 'other-log'
            : error instanceof TablesOutdated
              ? 'tables-outdated'
              : 'loop-stopped';
    }
  }
}

/** Figures of all consumers of a process, under one name each. */
interface ConsumerFigures {
  of(consumer: string, store: Pick<ConsumerStore, 'letterFigures'>): ConsumingWatch;
}

const known = new WeakMap<Metrics, ConsumerFigures>();

function figuresOf(metrics: Metrics): ConsumerFigures {
  let figures = known.get(metrics);
  if (!figures) known.set(metrics, (figures = newFigures(metrics)));
  return figures;
}

function newFigures(metrics: Metrics): ConsumerFigures {
  const counter = <const L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers: [metrics.registry] });
  const messages = counter(
    'covenant_consumer_messages_total',
    'Messages digested, told apart as repeats, and buried as dead letters',
    'consumer',
    'outcome',
  );
  const pauses = counter('covenant_consumer_pauses_total', 'Waits for tables that were away', 'consumer');
  const restarts = counter('covenant_consumer_restarts_total', 'Starts after a failure', 'consumer');
  const lag = new Map<string, Map<string, { readonly records: number; readonly recordedAt: number }>>();
  const stores = new Map<string, Pick<ConsumerStore, 'letterFigures'>>();
  const overAll = (of: (partitions: Iterable<{ records: number; recordedAt: number }>) => number) => () =>
    new Map([...lag].map(([consumer, partitions]) => [consumer, of(partitions.values())] as const));
  metrics.gauge(
    'covenant_consumer_lag_records',
    'Records that stood behind the last batch of each partition',
    'consumer',
    overAll((partitions) => [...partitions].reduce((sum, { records }) => sum + records, 0)),
  );
  metrics.gauge(
    'covenant_consumer_lag_seconds',
    'Age of the last message taken in from the partition furthest behind; 0 where nothing stood behind it',
    'consumer',
    overAll((partitions) =>
      [...partitions]
        .filter(({ records }) => records > 0)
        .reduce((most, { recordedAt }) => Math.max(most, Date.now() / 1000 - recordedAt / 1_000_000), 0),
    ),
  );
  metrics.gauge(
    'covenant_consumer_dead_letters',
    'Messages that lie buried in the consumer’s tables',
    'consumer',
    async () => {
      const counted = [...stores].map(
        async ([consumer, store]) => [consumer, (await store.letterFigures()).letters] as const,
      );
      return new Map(await Promise.all(counted));
    },
  );
  return {
    of: (consumer, store) => {
      const partitions = new Map<string, { records: number; recordedAt: number }>();
      lag.set(consumer, partitions);
      stores.set(consumer, store);
      const count = (outcome: string, by: number): void => {
        if (by > 0) messages.inc({ consumer, outcome }, by);
      };
      return {
        batch: ({ topic, partition, behind, recordedAt, digested, repeats, buried }) => {
          count('digested', digested);
          count('repeat', repeats);
          count('buried', buried);
          const place = `${topic}/${partition}`;
          const before = partitions.get(place)?.recordedAt ?? 0;
          partitions.set(place, { records: behind, recordedAt: recordedAt ?? before });
        },
        paused: () => pauses.inc({ consumer }),
        restarted: () => restarts.inc({ consumer }),
      };
    },
  };
}
