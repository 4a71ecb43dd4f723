import { Module } from '@nestjs/common';
import { onThread } from '#edge';
import { AnalyticsDigestion } from '../../analytics/src/analytics.module.js';
import { KnowledgeDigestion } from '../../knowledge-base/src/knowledge.module.js';
import { ProjectorModule } from '../../projector/src/projector.module.js';
import { RelayModule } from '../../relay/src/relay.module.js';
import { TimekeeperModule } from '../../timekeeper/src/timekeeper.module.js';

/** What follows the log and the clock, off the thread that answers. */
@Module({ imports: [ProjectorModule, TimekeeperModule, AnalyticsDigestion, KnowledgeDigestion] })
class FollowersModule {}

/** Where Kafka is named the desk announces itself there, and its consumers read from there. */
await onThread(({ settings }) =>
  settings.kafka ? { module: FollowersModule, imports: [RelayModule] } : FollowersModule,
);
