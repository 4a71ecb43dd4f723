export * from './ticket/ticket-events.js';
export * from './ticket/ticket-commands.js';
export * from './ticket/promises.js';
export * from './ticket/warnings.js';
export * from './ticket/ticket.js';
export * from './ticket/explaining.js';
export * from './queue/queue-events.js';
export * from './queue/queue.js';
