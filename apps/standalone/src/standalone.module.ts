import { Module } from '@nestjs/common';
import { ApiModule } from '../../api/src/api.module.js';
import { ProjectorModule } from '../../projector/src/projector.module.js';
import { TimekeeperModule } from '../../timekeeper/src/timekeeper.module.js';

/** Every process of the desk in one. */
@Module({ imports: [ApiModule, ProjectorModule, TimekeeperModule] })
export class StandaloneModule {}
