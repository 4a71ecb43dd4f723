export * from './ticket/ticket-events.js';
export * from './ticket/ticket-commands.js';
export * from './queue/queue-events.js';
