import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { freshId, House, openTickets, pause } from '#edge';
import { keepRetargeting } from '#engine/policies';
import { OlderThanLog } from '#engine/store';
import { toInstant } from '#kernel';
import { Counter } from 'prom-client';

/** The loop that re-targets open tickets by versions activated for them, for as long as the process lives. */
@Injectable()
export class PolicyRetargeter implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stop = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private ended: 'older-than-log' | 'loop-stopped' | null = null;

  constructor(private readonly house: House) {}

  onApplicationBootstrap(): void {
    this.house.readiness.add('retargeting', 'loop-stopped', () => this.ended);
    this.running = this.loop();
  }

  /** The tickets at hand are finished first. */
  async onApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { store, tickets, admission, clock, logger, metrics } = this.house;
    const retargeted = new Counter({
      name: 'covenant_retargeted_tickets_total',
      help: 'Open tickets re-targeted by a new version of their policy',
      registers: [metrics.registry],
    });
    try {
      await keepRetargeting(
        {
          versions: () =>
            this.house
              .activations()
              .filter(({ openTickets }) => openTickets === 'retarget')
              .map(({ name, version, effective }) => ({ name, ref: `${name}@${version}`, effective })),
          policies: () => this.house.policies(),
          open: async (after, limit) => (await openTickets(this.house, after, limit)).rows,
          tickets,
          now: async () => {
            admission.demand();
            // By the server's clock; but a process that has its own wrong does nothing (ruling 1).
            clock.now();
            return toInstant((await store.now()) / 1_000_000);
          },
          correlation: freshId,
          logger,
          pause,
          watch: { retargeted: (count) => retargeted.inc(count) },
        },
        this.stop.signal,
      );
    } catch (error) {
      // What remains is to say that this process is not ready (ruling 48).
      admission.met(error);
      logger.error({ problem: error instanceof Error ? error.name : 'unknown' }, 're-targeting stopped');
      this.ended = error instanceof OlderThanLog ? 'older-than-log' : 'loop-stopped';
    }
  }
}
