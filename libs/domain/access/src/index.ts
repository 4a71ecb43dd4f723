export * from './access.js';
export * from './masks.js';
