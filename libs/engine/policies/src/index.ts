export * from './built-in.js';
export * from './policy-book.js';
