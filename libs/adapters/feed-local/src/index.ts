export { localFeed, publicationOf, type LocalFeedOptions } from './local-feed.js';
export type { LogRead } from './translating.js';
