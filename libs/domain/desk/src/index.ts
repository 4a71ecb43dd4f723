export * from './promises/promise-events.js';
export * from './ticket/ticket-events.js';
export * from './queue/queue-events.js';
