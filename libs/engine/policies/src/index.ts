export * from './built-in.js';
export * from './policy-book.js';
export * from './policy-story.js';
export { decodePolicyEvents } from './policy-stream.js';
export * from './previewing.js';
export * from './retargeting.js';
