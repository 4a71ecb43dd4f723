import { Module } from '@nestjs/common';
import { FlowRunner } from './flow-runner.js';
import { PolicyRetargeter } from './policy-retargeter.js';
import { Timekeeper } from './timekeeper.js';

/** What follows without anybody asking: due instants → facts, facts → their other halves, versions → open tickets. */
@Module({ providers: [Timekeeper, FlowRunner, PolicyRetargeter] })
export class TimekeeperModule {}
