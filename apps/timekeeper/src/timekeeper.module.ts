import { Module } from '@nestjs/common';
import { FlowRunner } from './flow-runner.js';
import { Timekeeper } from './timekeeper.js';

/** What follows without anybody asking: due instants → facts, facts → their other halves. */
@Module({ providers: [Timekeeper, FlowRunner] })
export class TimekeeperModule {}
