import { Module } from '@nestjs/common';
import { onThread } from '#edge';
import { ProjectorModule } from '../../projector/src/projector.module.js';
import { TimekeeperModule } from '../../timekeeper/src/timekeeper.module.js';

/** What follows the log and the clock, off the thread that answers. */
@Module({ imports: [ProjectorModule, TimekeeperModule] })
class FollowersModule {}

await onThread(() => FollowersModule);
