export * from './schema.js';
export * from './cloud-event.js';
export * from './ticket-messages.js';
export * from './topics.js';
export * from './asyncapi.js';
