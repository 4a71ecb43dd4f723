export * from './history.js';
export * from './lives.js';
export * from './view-store-contract.js';
export * from './projecting-contract.js';
