export { feedContract, type OpenedFeed } from './feed-contract.js';
export { consumerStoreContract, type OpenedConsumerStore } from './consumer-store-contract.js';
export { consumingContract } from './consuming-contract.js';
export { check, freshId, MONDAY, recordOf, SOURCE, Told } from './messages.js';
