import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { House, pause } from '#edge';
import { OlderThanLog } from '#engine/store';
import { keepTime, recording, type Dues, type TimekeepingWatch } from '#engine/timekeeping';
import { toSeconds, type Uuid } from '#kernel';
import { Counter, Gauge, Histogram } from 'prom-client';

/** The loop that records what has fallen due, for as long as the process lives. */
@Injectable()
export class Timekeeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stop = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private ended: 'older-than-log' | 'loop-stopped' | null = null;

  constructor(private readonly house: House) {}

  onApplicationBootstrap(): void {
    this.house.readiness.add('timekeeper', 'loop-stopped', () => this.ended);
    this.running = this.loop();
  }

  /** The looks at hand are finished first. */
  async onApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { store, means, clock, admission, logger } = this.house;
    try {
      await keepTime(
        {
          dues: this.dues(),
          now: () => store.now(),
          record: recording(means),
          admitted: () => {
            admission.demand();
            // Facts are computed by the server's clock; but a process that has its own wrong does nothing (ruling 1).
            clock.now();
          },
          logger,
          pause,
          watch: this.watched(),
        },
        this.stop.signal,
      );
    } catch (error) {
      // It was told by the loop; what remains is to say that this process is not ready (ruling 48).
      admission.met(error);
      this.ended = error instanceof OlderThanLog ? 'older-than-log' : 'loop-stopped';
    }
  }

  private dues(): Dues {
    const { views } = this.house;
    return {
      pending: async (until, limit, after) =>
        (await views.pendingDues(until, limit, after)).map(({ ticket, revision, due }) => ({
          ticket: ticket as Uuid,
          revision,
          due: due!,
        })),
      next: () => views.nextDue(),
    };
  }

  private watched(): TimekeepingWatch {
    const { registry } = this.house.metrics;
    const lateness = new Histogram({
      name: 'covenant_timer_lateness_seconds',
      help: 'From one second after a due instant, or from the instant of a warning, to the recording of its fact',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 900, 3600, 86_400],
      registers: [registry],
    });
    const failed = new Counter({
      name: 'covenant_timer_failures_total',
      help: 'Looks at what has fallen due that did not come to an end',
      registers: [registry],
    });
    const { store, views } = this.house;
    this.house.metrics.gauge(
      'covenant_timer_oldest_due_seconds',
      'For how long the earliest due instant of the read model could have been recorded and is not; 0 while none has passed',
      null,
      async () => {
        const [next, now] = await Promise.all([views.nextDue(), store.now()]);
        return next === null ? 0 : Math.max(0, now / 1_000_000 - toSeconds(next) - 1);
      },
    );
    const due = new Gauge({
      name: 'covenant_timer_due_tickets',
      help: 'Tickets that stood as due in the read model at the last look',
      registers: [registry],
    });
    return {
      recorded: (seconds) => lateness.observe(seconds),
      failed: () => failed.inc(),
      looked: (tickets) => due.set(tickets),
    };
  }
}
