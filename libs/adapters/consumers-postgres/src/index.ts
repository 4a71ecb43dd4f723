export type { ConsumerTables, ConsumerTablesOptions } from './tables.js';
export {
  DIMENSIONS,
  openAnalyticsTables,
  type AnalyticsTables,
  type Dimension,
  type Line,
} from './analytics-tables.js';
export {
  openKnowledgeTables,
  type CandidateCursor,
  type CategoryCount,
  type KnowledgeTables,
} from './knowledge-tables.js';
