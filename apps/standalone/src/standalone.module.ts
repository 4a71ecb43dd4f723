import { Module } from '@nestjs/common';
import { AnalyticsRoutes } from '../../analytics/src/analytics.module.js';
import { ApiModule } from '../../api/src/api.module.js';
import { KnowledgeRoutes } from '../../knowledge-base/src/knowledge.module.js';
import { FollowersThread } from './followers-thread.js';

/** Every process of the desk in one: what answers here, what follows the log on a thread of its own. */
@Module({ imports: [ApiModule, AnalyticsRoutes, KnowledgeRoutes], providers: [FollowersThread] })
export class StandaloneModule {}
