export * from './never.js';
export * from './time.js';
export * from './ids.js';
export * from './position.js';
export * from './catalogue.js';
export * from './fact.js';
export * from './decider.js';
export * from './house.js';
