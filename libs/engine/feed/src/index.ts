export type { DeadLetter, Deliveries, Delivery, Feed, Following } from './port.js';
export { read, type Check, type Published, type Read } from './message.js';
export * from './consumer.js';
export * from './consumer-store.js';
export { BEHIND, ForeignSource, type Digested, type Digesting } from './digesting.js';
export { consume, TablesOutdated, type Consuming, type ConsumingWatch } from './consuming.js';
export {
  rebuildTables,
  retryLetters,
  skipLetter,
  type Publication,
  type Rebuilt,
  type Retried,
} from './rebuilding.js';
export { memoryConsumerStore, type MemoryConsumerStore } from './memory-consumer-store.js';
export { memoryFeed, type MemoryFeed } from './memory-feed.js';
