import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { failureOf, House, pause } from '#edge';
import { toInstant } from '#kernel';

const DAY = 86_400;
const LOOK_MS = 60_000;

/** Raises the alarm on promises that have stood still for longer than the desk allows: a figure, and a line of the log. */
@Injectable()
export class ForgottenPauses implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stop = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly house: House) {}

  onApplicationBootstrap(): void {
    this.house.metrics.gauge(
      'covenant_forgotten_pauses',
      'Tickets whose promises have stood still for longer than PAUSE_LIMIT_DAYS',
      null,
      () => this.count(),
    );
    this.running = this.looking();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async count(): Promise<number> {
    const { store, views, settings } = this.house;
    const now = (await store.now()) / 1_000_000;
    return views.pausedUntil(toInstant(now - settings.pauseLimitDays * DAY));
  }

  /** Says so whenever there are more than at the look before. */
  private async looking(): Promise<void> {
    const { logger, settings } = this.house;
    const { signal } = this.stop;
    for (let before = 0; !signal.aborted; await pause(LOOK_MS, signal)) {
      try {
        const tickets = await this.count();
        if (tickets > before)
          logger.warn({ tickets, limitDays: settings.pauseLimitDays }, 'pauses were forgotten');
        before = tickets;
      } catch (error) {
        if (!signal.aborted) logger.warn({ failure: failureOf(error) }, 'forgotten pauses cannot be counted');
      }
    }
  }
}
