export { openEventStoreDbLog, type EventStoreDbLogOptions, type LogTimeouts } from './eventstoredb-log.js';
export { LogRefused, type Refusal } from './reach.js';
