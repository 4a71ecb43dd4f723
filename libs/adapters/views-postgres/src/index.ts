export { openViews, type ViewsDatabase, type ViewsDatabaseOptions } from './views-database.js';
export {
  ViewParked,
  type Page,
  type QueueCursor,
  type QueueItemShown,
  type QueueListing,
  type TicketFilter,
  type TicketPage,
  type TicketShown,
  type ViewFigures,
  type ViewQueries,
} from './queries.js';
export type { Wait, Waited } from './waiting.js';
