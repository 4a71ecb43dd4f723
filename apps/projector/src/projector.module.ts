import { Module } from '@nestjs/common';
import { Projector } from './projector.js';

/** Log → read models. */
@Module({ providers: [Projector] })
export class ProjectorModule {}
