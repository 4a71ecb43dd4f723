export * from './port.js';
export * from './errors.js';
export * from './vault.js';
export * from './codec.js';
export * from './transact.js';
