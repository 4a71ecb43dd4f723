import { Module } from '@nestjs/common';
import { openAnalyticsTables } from '#adapters/consumers-postgres';
import { AccessModule, DocumentationModule, Premises } from '#edge';
import { AnalyticsLoop } from './analytics-loop.js';
import { AnalyticsHome } from './home.js';
import { TicketFigures } from './ticket-figures.controller.js';

@Module({
  providers: [
    {
      provide: AnalyticsHome,
      inject: [Premises],
      useFactory: (premises: Premises): Promise<AnalyticsHome> =>
        premises.keep(openAnalyticsTables({ url: premises.databaseUrl, logger: premises.logger })),
    },
  ],
  exports: [AnalyticsHome],
})
export class AnalyticsHomeModule {}

/** What is asked of the tables. */
@Module({
  imports: [AnalyticsHomeModule, AccessModule, DocumentationModule],
  controllers: [TicketFigures],
})
export class AnalyticsRoutes {}

/** Messages → tables. */
@Module({ imports: [AnalyticsHomeModule], providers: [AnalyticsLoop] })
export class AnalyticsDigestion {}

/** Both, in one process. */
@Module({ imports: [AnalyticsRoutes, AnalyticsDigestion] })
export class AnalyticsModule {}
