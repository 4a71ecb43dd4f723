import { Module } from '@nestjs/common';
import { Relay } from './relay.js';

/** Private events → public messages → Kafka. */
@Module({ providers: [Relay] })
export class RelayModule {}
