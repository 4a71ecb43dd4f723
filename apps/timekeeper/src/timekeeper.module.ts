import { Module } from '@nestjs/common';
import { FlowRunner } from './flow-runner.js';
import { ForgottenPauses } from './forgotten-pauses.js';
import { PolicyRetargeter } from './policy-retargeter.js';
import { Timekeeper } from './timekeeper.js';

/** What follows without anybody asking: due instants → facts, facts → their other halves, versions → open tickets, long pauses → an alarm. */
@Module({ providers: [Timekeeper, FlowRunner, PolicyRetargeter, ForgottenPauses] })
export class TimekeeperModule {}
