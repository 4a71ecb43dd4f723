import type { Program } from '#edge';
import { RelayApart } from './relay.module.js';

/** This app in a process of its own. */
export const program: Program = {
  name: 'relay',
  port: 3003,
  needs: ['DATABASE_URL', 'KAFKA_BROKERS'],
  module: () => RelayApart,
};
