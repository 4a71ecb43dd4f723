import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { kafkaOutlet, type KafkaOutlet, type KafkaTrouble } from '#adapters/feed-kafka';
import { House, kafkaAddress, pause } from '#edge';
import { ForeignStanding, relay, type RelayingWatch, type Standing } from '#engine/announce';
import { LogReplaced, OlderThanLog } from '#engine/store';
import type { Position } from '#kernel';
import { Counter } from 'prom-client';

/** The loop that announces the log to Kafka, for as long as the process lives. */
@Injectable()
export class Relay implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stop = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private outlet: KafkaOutlet | undefined;
  private ended: 'older-than-log' | 'other-log' | 'loop-stopped' | null = null;

  constructor(private readonly house: House) {}

  /** @throws SettingsRefused */
  async onApplicationBootstrap(): Promise<void> {
    const { settings, logger, readiness } = this.house;
    const outlet = kafkaOutlet({ ...(await kafkaAddress(settings)), logger });
    readiness.add('relay', 'loop-stopped', () => this.ended);
    this.outlet = outlet;
    this.running = this.loop(outlet);
  }

  /** Null while all is well with Kafka. */
  get trouble(): KafkaTrouble | null {
    return this.outlet?.trouble ?? null;
  }

  /** The batch at hand is written first. */
  async onApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async loop(outlet: KafkaOutlet): Promise<void> {
    const { store, codec, logger, admission } = this.house;
    try {
      await relay(
        { store, decode: codec.decode, outlet, logger, pause, watch: this.watched() },
        this.stop.signal,
      );
    } catch (error) {
      // It was told by the loop; what remains is to say that this process is not ready (ruling 48).
      admission.met(error);
      this.ended =
        error instanceof OlderThanLog
          ? 'older-than-log'
          : error instanceof ForeignStanding || error instanceof LogReplaced
            ? 'other-log'
            : 'loop-stopped';
    }
  }

  private watched(): RelayingWatch {
    const { metrics, store } = this.house;
    const counter = (name: string, help: string): Counter =>
      new Counter({ name, help, registers: [metrics.registry] });
    const messages = counter('covenant_relay_messages_total', 'Public messages written');
    const transactions = counter('covenant_relay_transactions_total', 'Transactions committed');
    const restarts = counter('covenant_relay_restarts_total', 'Producers thrown away after a failure');
    const superseded = counter('covenant_relay_superseded_total', 'Times that another relay took over');
    let leading = false;
    /** Where the outlet stands, as this relay last knew; null before it has seen it. */
    let standing: Standing | null = null;
    metrics.gauge(
      'covenant_relay_leading',
      '1 in the relay that writes, 0 in one that stands by',
      null,
      () => (leading ? 1 : 0),
    );
    const lag = async <T>(measure: (from: Position) => Promise<T>, none: T): Promise<T> => {
      if (standing === null) return none;
      const { position } = standing;
      return (await store.head()).position === position ? none : measure(position);
    };
    metrics.gauge('covenant_relay_lag_events', 'Events not announced yet', null, () =>
      lag(async (from) => this.house.between(from, (await store.head()).position), 0),
    );
    metrics.gauge('covenant_relay_lag_seconds', 'Age of the first event not announced yet', null, () =>
      lag(async (from) => {
        const [[next], now] = await Promise.all([store.readAll(from, 1), store.now()]);
        return next ? (now - next.recordedAt) / 1_000_000 : 0;
      }, 0),
    );
    return {
      held: (at) => {
        leading = true;
        standing = at;
      },
      put: (put) => {
        messages.inc(put.messages);
        transactions.inc();
        standing = put.standing;
      },
      superseded: () => {
        leading = false;
        superseded.inc();
      },
      seen: (at) => (standing = at),
      restarted: () => {
        leading = false;
        restarts.inc();
      },
    };
  }
}
