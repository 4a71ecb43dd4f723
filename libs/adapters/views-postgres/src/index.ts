export { openViews, type ViewsDatabase, type ViewsDatabaseOptions } from './views-database.js';
export {
  ViewParked,
  type Page,
  type QueueCursor,
  type QueueListing,
  type TicketFilter,
  type TicketPage,
  type ViewFigures,
  type ViewQueries,
} from './queries.js';
export type { Wait, Waited } from './waiting.js';
