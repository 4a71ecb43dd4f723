import { Module } from '@nestjs/common';
import { ApiModule } from '../../api/src/api.module.js';

/** Every process of the desk in one. */
@Module({ imports: [ApiModule] })
export class StandaloneModule {}
