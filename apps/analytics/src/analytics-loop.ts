import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { civilDay, ConsumerLoop, NEWEST_ZONE_RULES, Premises } from '#edge';
import { analytics, type TicketMeasures } from '#engine/analytics';
import { AnalyticsHome } from './home.js';

/** The consumer at work, for as long as the process lives. */
@Injectable()
export class AnalyticsLoop implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop: ConsumerLoop<TicketMeasures>;

  constructor(
    private readonly premises: Premises,
    private readonly home: AnalyticsHome,
  ) {
    const { deskZone: zone } = premises.settings;
    const consumer = analytics({ zone, tzdb: NEWEST_ZONE_RULES, dayOf: civilDay });
    this.loop = new ConsumerLoop(premises, consumer, home);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { settings, logger } = this.premises;
    const counted = (await this.home.store.state())?.pinned['zone'] ?? settings.deskZone;
    if (counted !== settings.deskZone)
      logger.warn(
        { counted, wanted: settings.deskZone },
        'analytics go on counting days of the zone they began in; to count them anew in another: ' +
          'npm run covenant -- consumers rebuild analytics --zone ZONE',
      );
    this.loop.begin();
  }

  /** The batch at hand is digested first. */
  onApplicationShutdown(): Promise<void> {
    return this.loop.end();
  }
}
