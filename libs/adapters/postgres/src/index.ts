/** What the adapters over tables in PostgreSQL share: sessions, what may be said of an error, leading, columns, schemas. */
export { lead, type Lead } from './leading.js';
export { MIGRATION_LOCK, openDataSource, type DataSourceOptions } from './data-source.js';
export { openPool, openSession, problemOf, refusalOf, sessionConfig } from './session.js';
export { columnOf, columns, instants, numbers, orNull, unlessNull } from './columns.js';
