import { Module } from '@nestjs/common';
import { ApiModule } from '../../api/src/api.module.js';
import { FollowersThread } from './followers-thread.js';

/** Every process of the desk in one: what answers here, what follows the log on a thread of its own. */
@Module({ imports: [ApiModule], providers: [FollowersThread] })
export class StandaloneModule {}
