export type { KafkaAddress } from './client.js';
export { kafkaFeed, type KafkaFeed, type KafkaFeedOptions } from './feed.js';
export { kafkaOutlet, type KafkaOutlet, type KafkaOutletOptions } from './outlet.js';
export { told, type KafkaTrouble } from './trouble.js';
export { STANDING } from './topics.js';
