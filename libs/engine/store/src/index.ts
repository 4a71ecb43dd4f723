export * from './port.js';
export * from './errors.js';
export * from './append.js';
export * from './vault.js';
export * from './codec.js';
export * from './transact.js';
export * from './memory.js';
export * from './memory-vault.js';
