import type { DataSource, EntityMetadata, EntityTarget, ValueTransformer } from 'typeorm';
import type { Counted } from '#engine/feed';
import { instants, numbers } from '#adapters/postgres';

/** A consumer's own tables: a row per aggregate, and counts over them. */
export interface OwnTables {
  readonly rows: EntityTarget<object>;
  readonly counts: EntityTarget<object>;
}

export const quoted = (name: string): string => `"${name}"`;

/** Values as `pg` gives them, by what the column says. */
const HYDRATE: ReadonlyMap<unknown, (value: unknown) => unknown> = new Map<
  ValueTransformer,
  (value: unknown) => unknown
>([
  [instants, instants.from],
  [numbers, numbers.from],
]);

/** The statements over a consumer's own tables in one schema. */
export class OwnStatements {
  readonly load: string;
  readonly save: string;
  readonly count: string;
  readonly rowsTable: string;
  readonly countsTable: string;
  private readonly columns: readonly { readonly property: string; readonly name: string }[];
  private readonly dimensions: readonly string[];
  private readonly hydrate: readonly ((row: Record<string, unknown>) => void)[];
  private readonly key: string;

  constructor(schema: string, dataSource: DataSource, tables: OwnTables) {
    const rows = dataSource.getMetadata(tables.rows);
    const counts = dataSource.getMetadata(tables.counts);
    this.rowsTable = `${schema}.${rows.tableName}`;
    this.countsTable = `${schema}.${counts.tableName}`;

    this.columns = rows.columns.map((column) => ({
      property: column.propertyName,
      name: column.databaseName,
    }));
    const [key] = rows.primaryColumns;
    this.key = key!.propertyName;
    const names = this.columns.map(({ name }) => quoted(name));
    const changed = names.filter((name) => name !== quoted(key!.databaseName));
    const shown = this.columns.map(({ name, property }) => `${quoted(name)} AS ${quoted(property)}`);
    this.load = `SELECT ${shown.join(', ')} FROM ${this.rowsTable} WHERE ${quoted(key!.databaseName)} = ANY($1::uuid[])`;
    this.save = `INSERT INTO ${this.rowsTable} (${names.join(', ')})
      SELECT ${names.join(', ')} FROM json_populate_recordset(NULL::${this.rowsTable}, $1)
      ON CONFLICT (${quoted(key!.databaseName)}) DO UPDATE
      SET ${changed.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}`;
    this.hydrate = rows.columns.flatMap(({ propertyName, transformer }) => {
      const from = HYDRATE.get(transformer);
      return from === undefined
        ? []
        : [(row: Record<string, unknown>) => void (row[propertyName] = from(row[propertyName]))];
    });

    this.dimensions = counts.primaryColumns.map(({ databaseName }) => databaseName);
    const by = this.dimensions.map(quoted).join(', ');
    // In one order by everyone, so that no two batches wait for each other.
    this.count = `INSERT INTO ${this.countsTable} AS t (${by}, count)
      SELECT ${by}, count FROM json_populate_recordset(NULL::${this.countsTable}, $1) ORDER BY ${by}
      ON CONFLICT (${by}) DO UPDATE SET count = t.count + EXCLUDED.count`;
  }

  rowsGiven(rows: Iterable<object>): string {
    return JSON.stringify(
      Array.from(rows, (row) =>
        Object.fromEntries(
          this.columns.map(({ name, property }) => [name, (row as Record<string, unknown>)[property]]),
        ),
      ),
    );
  }

  countsGiven(changes: readonly Counted[]): string {
    return JSON.stringify(
      changes.map(({ tally, by }) => ({
        ...Object.fromEntries(this.dimensions.map((dimension) => [dimension, tally[dimension]])),
        count: by,
      })),
    );
  }

  rowsRead<Row extends object>(rows: readonly Record<string, unknown>[]): ReadonlyMap<string, Row> {
    for (const row of rows) for (const hydrate of this.hydrate) hydrate(row);
    return new Map(rows.map((row) => [String(row[this.key]), row as Row] as const));
  }
}

/** A row as text that is the same for the same content: JSON by what it says, not by the order of its fields. */
export const wholeRow = (metadata: EntityMetadata, alias: string): string =>
  `ROW(${metadata.columns
    .map(({ databaseName, type }) => `${alias}.${quoted(databaseName)}${type === 'json' ? '::jsonb' : ''}`)
    .join(', ')})::text`;
