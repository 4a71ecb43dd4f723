import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { House, pause } from '#edge';
import { everyView, ForeignCheckpoint, OlderThanViews, project, type ProjectingWatch } from '#engine/views';
import { OlderThanLog } from '#engine/store';
import { Counter } from 'prom-client';

/** The loop that folds the log into the read models, for as long as the process lives. */
@Injectable()
export class Projector implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stop = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private ended: 'older-than-log' | 'other-log' | 'loop-stopped' | null = null;

  constructor(private readonly house: House) {}

  onApplicationBootstrap(): void {
    const { house } = this;
    house.readiness.add('projector', 'loop-stopped', () => this.ended);
    this.running = this.loop();
  }

  /** The batch at hand is written first. */
  async onApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { store, decodeOnce, views, logger, admission } = this.house;
    try {
      await project(
        {
          store,
          decode: decodeOnce,
          views: everyView,
          into: views.store,
          logger,
          pause,
          watch: this.watched(),
        },
        this.stop.signal,
      );
    } catch (error) {
      // It was told by the loop; what remains is to say that this process is not ready (ruling 48).
      admission.met(error);
      this.ended =
        error instanceof OlderThanLog || error instanceof OlderThanViews
          ? 'older-than-log'
          : error instanceof ForeignCheckpoint
            ? 'other-log'
            : 'loop-stopped';
    }
  }

  private watched(): ProjectingWatch {
    const { metrics, store, views } = this.house;
    const counter = (name: string, help: string): Counter =>
      new Counter({ name, help, registers: [metrics.registry] });
    const batches = counter('covenant_projector_batches_total', 'Batches committed');
    const events = counter('covenant_projector_events_total', 'Events folded into all views');
    const parked = counter('covenant_projector_parked_total', 'Streams that a view could not go on with');
    const restarts = counter('covenant_projector_restarts_total', 'Starts after a failure or a newer token');
    metrics.gauge('covenant_view_lag_seconds', 'Age of what a view has not folded yet', 'view', async () => {
      const [figures, now] = await Promise.all([
        store.head().then((head) => views.figures(head)),
        store.now(),
      ]);
      return new Map(
        figures.map(({ view, behind, recordedAt }) => [
          view,
          behind === 0 || recordedAt === 0 ? 0 : (now - recordedAt) / 1_000_000,
        ]),
      );
    });
    return {
      batch: (batch) => {
        batches.inc();
        events.inc(batch.events);
      },
      parked: () => parked.inc(),
      restarted: () => restarts.inc(),
    };
  }
}
