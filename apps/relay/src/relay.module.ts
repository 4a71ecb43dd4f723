import { Injectable, Module } from '@nestjs/common';
import { House, unreadyOf } from '#edge';
import { Relay } from './relay.js';

/** Private events → public messages → Kafka. */
@Module({ providers: [Relay], exports: [Relay] })
export class RelayModule {}

@Injectable()
class ReadyWithKafka {
  constructor(house: House, relay: Relay) {
    house.readiness.add('kafka', 'feed-unavailable', () => unreadyOf(relay.trouble));
  }
}

/** In a process of its own, which without Kafka has nothing to do; a desk that serves others is ready without. */
@Module({ imports: [RelayModule], providers: [ReadyWithKafka] })
export class RelayApart {}
