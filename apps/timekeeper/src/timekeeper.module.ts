import { Module } from '@nestjs/common';
import { Timekeeper } from './timekeeper.js';

/** Due instants → facts. */
@Module({ providers: [Timekeeper] })
export class TimekeeperModule {}
