export * from './some.js';
export * from './event-store-contract.js';
export * from './faulty.js';
export * from './lamp.js';
export * from './seal-contract.js';
