import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { openPostgresCheckpoints, type PostgresCheckpoints } from '#adapters/log-postgres';
import { ClockUntrusted, House, pause, Problem } from '#edge';
import { UnknownPolicy } from '#domain/sla';
import { everyFlow, ForeignFlow, runFlow, type FlowingWatch } from '#engine/flows';
import { OlderThanLog } from '#engine/store';
import { Counter, Gauge } from 'prom-client';

/** The flows that complete commands on two streams, for as long as the process lives. */
@Injectable()
export class FlowRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stop = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private checkpoints: PostgresCheckpoints | undefined;
  private ended: 'older-than-log' | 'other-log' | 'loop-stopped' | null = null;

  constructor(private readonly house: House) {}

  async onApplicationBootstrap(): Promise<void> {
    const { house } = this;
    this.checkpoints = await openPostgresCheckpoints({ url: house.databaseUrl, logger: house.logger });
    house.readiness.add('flows', 'loop-stopped', () => this.ended);
    this.running = this.loops(this.checkpoints);
  }

  /** The steps at hand are finished first. */
  async onApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.running;
    await this.checkpoints?.close();
  }

  private async loops(checkpoints: PostgresCheckpoints): Promise<void> {
    const { store, codec, tickets, identities, policies, logger } = this.house;
    const watch = this.watched();
    const flowing = {
      store,
      codec,
      checkpoints,
      tickets,
      policies: () => policies.call(this.house),
      derived: (cause: string, step: string, fact: number) =>
        identities.derived('step', cause, step, String(fact)),
      // A version that another process activated is read within seconds.
      passing: (error: unknown) =>
        error instanceof Problem || error instanceof ClockUntrusted || error instanceof UnknownPolicy,
      logger,
      pause,
      watch,
    };
    await Promise.all(
      everyFlow.map((flow) =>
        runFlow(flowing, flow, this.stop.signal).catch((error: unknown) => this.ends(error)),
      ),
    );
  }

  /** It was told by the loop; what remains is to say that this process is not ready (ruling 48). */
  private ends(error: unknown): void {
    this.house.admission.met(error);
    this.ended =
      error instanceof OlderThanLog
        ? 'older-than-log'
        : error instanceof ForeignFlow
          ? 'other-log'
          : 'loop-stopped';
  }

  private watched(): FlowingWatch {
    const { registry } = this.house.metrics;
    const labelNames = ['flow'];
    const done = new Counter({
      name: 'covenant_flow_events_total',
      help: 'Events whose steps on other streams are done',
      labelNames,
      registers: [registry],
    });
    const held = new Gauge({
      name: 'covenant_flow_held_events',
      help: 'Events that a flow went past without having done their steps',
      labelNames,
      registers: [registry],
    });
    const restarts = new Counter({
      name: 'covenant_flow_restarts_total',
      help: 'Starts after a failure',
      labelNames,
      registers: [registry],
    });
    return {
      done: (flow) => done.inc({ flow }),
      held: (flow, events) => held.set({ flow }, events),
      restarted: (flow) => restarts.inc({ flow }),
    };
  }
}
