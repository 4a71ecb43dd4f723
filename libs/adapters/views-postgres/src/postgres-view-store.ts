import type { DataSource, EntityMetadata } from 'typeorm';
import type pg from 'pg';
import {
  BadRow,
  Fenced,
  type Advance,
  type Beside,
  type Checkpoint,
  type Comparison,
  type Folding,
  type Leadership,
  type ParkedStream,
  type View,
  type ViewStore,
} from '#engine/views';
import { toInstant, toOrdinal, toPosition, type Logger, type Position, type Uuid } from '#kernel';
import { instants, lead, numbers, openSession, refusalOf } from '#adapters/postgres';
import { BESIDE, LIVE, positions, rowEntities } from './entities.js';
import { copyField, copyIn, type Field } from './copy-in.js';

/** Session locks of this adapter; arbitrary, but for ever the same. */
const LEADER_LOCK = 5_279_846_171;
const BUILD_LOCK = 5_279_846_172;
/** Characters after which rows are sent on. */
const CHUNK = 64 * 1024;
/** Keys named of rows that differ after a rebuild. */
const NAMED = 100;

/** Told after each commit, in this process only. */
export type Moved = (moved: ReadonlyMap<string, Position>) => void;

export interface PostgresViewStoreOptions {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly dataSource: DataSource;
  readonly logger: Logger;
  readonly moved: Moved;
}

export function postgresViewStore(options: PostgresViewStoreOptions): ViewStore {
  const { pool, url, logger, dataSource } = options;
  return {
    ...storeIn(LIVE, options),

    lead: (signal): Promise<Leadership> =>
      lead({ url, application: 'covenant projector', logger }, String(LEADER_LOCK), signal),

    beside: async (view): Promise<Beside> => {
      const { client: guard } = await openSession(url, 'covenant rebuild');
      const { rows } = await guard.query<{ mine: boolean }>(
        `SELECT pg_try_advisory_lock(${BUILD_LOCK}) AS mine`,
      );
      if (!rows[0]!.mine) {
        await guard.end();
        throw new Error('another view is being rebuilt now');
      }
      const abandon = async (): Promise<void> => {
        await pool.query(`DROP SCHEMA IF EXISTS ${BESIDE} CASCADE`);
        await guard.end();
      };
      await copyTables(pool, view);
      return {
        store: {
          ...storeIn(BESIDE, { ...options, moved: () => {} }),
          lead: () => Promise.reject(new Error('a view that is being built has no leader')),
          beside: () => Promise.reject(new Error('a view that is being built is not built beside itself')),
        },
        swap: async (live, compare) => {
          const comparison = await inTransaction(pool, nothing, (client) =>
            swap(
              client,
              view,
              dataSource.getMetadata(rowEntities[view.name as keyof typeof rowEntities]),
              live,
              compare,
            ),
          );
          await abandon();
          await pool.query(`ANALYZE ${LIVE}.${view.name}`);
          return comparison;
        },
        abandon,
      };
    },
  };
}

const nothing = async (): Promise<void> => {};

/** @param before what the session needs first; it outlives the transaction */
async function inTransaction<T>(
  pool: pg.Pool,
  before: (client: pg.PoolClient) => Promise<void>,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  try {
    await before(client);
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => (broken = true));
    throw error;
  } finally {
    client.release(broken);
  }
}

type StoreIn = Omit<ViewStore, 'lead' | 'beside'>;

/** The rows, tallies, parked streams and checkpoints of one schema. */
function storeIn(schema: string, { pool, dataSource, moved }: PostgresViewStoreOptions): StoreIn {
  const tables = new Map<string, Table>();
  const tableOf = (view: View): Table => {
    let table = tables.get(view.name);
    if (!table) {
      const entity = rowEntities[view.name as keyof typeof rowEntities];
      if (entity === undefined) throw new Error(`view ${view.name} has no entity`);
      tables.set(view.name, (table = new Table(schema, view, dataSource.getMetadata(entity))));
    }
    return table;
  };

  const start: StoreIn['start'] = (views, log) =>
    inTransaction(pool, nothing, async (client) => {
      const names = views.map(({ name }) => name);
      await client.query(
        `INSERT INTO ${schema}.checkpoints (view, version, token, log, position, event, recorded_at)
         SELECT view, version, 0, $3, 0, NULL, 0 FROM unnest($1::text[], $2::integer[]) AS v(view, version)
         ORDER BY view ON CONFLICT DO NOTHING`,
        [names, views.map(({ version }) => version), log],
      );
      // Locked in one order by everyone, so that no two projectors wait for each other.
      await client.query(
        `SELECT 1 FROM ${schema}.checkpoints WHERE view = ANY($1) ORDER BY view FOR NO KEY UPDATE`,
        [names],
      );
      const { rows } = await client.query<StoredCheckpoint>(
        `UPDATE ${schema}.checkpoints SET token = token + 1 WHERE view = ANY($1) RETURNING ${CHECKPOINT}`,
        [names],
      );
      return new Map(rows.map((row) => [row.view, checkpointOf(row)]));
    });

  const commit: StoreIn['commit'] = async (advances) => {
    if (advances.length === 0) return;
    const changed = advances.filter(({ rows }) => rows.length > 0).map(({ view }) => tableOf(view));
    const stage = (client: pg.PoolClient): Promise<void> => stagesFor(client, changed);
    await inTransaction(pool, stage, async (client) => {
      await move(client, schema, advances);
      for (const { view, rows, fresh } of advances)
        if (rows.length > 0) await refusing(view, tableOf(view).write(client, rows, fresh));
      await tally(client, schema, advances);
      await park(client, schema, advances);
    });
    moved(new Map(advances.map(({ view, to }) => [view.name, to.position])));
  };

  return {
    start,
    commit,
    checkpoint: async (view) => {
      const { rows } = await pool.query<StoredCheckpoint>(
        `SELECT ${CHECKPOINT} FROM ${schema}.checkpoints WHERE view = $1`,
        [view],
      );
      return rows[0] ? checkpointOf(rows[0]) : null;
    },
    parked: async (view) => {
      const { rows } = await pool.query<Omit<ParkedStream, 'position'> & { position: string }>(
        `SELECT view, stream, from_revision AS "from", up_to_revision AS "upTo", position, reason
         FROM ${schema}.parked WHERE view = $1 ORDER BY ${schema}.parked.position`,
        [view],
      );
      return rows.map((row) => ({ ...row, position: toPosition(Number(row.position)) }));
    },
    load: (view, keys) => refusing(view, tableOf(view).load(pool, keys)),
  };
}

/** Tells a row that cannot be written from a database that cannot write now. */
async function refusing<T>(view: View, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = refusalOf(error);
    throw code === null ? error : new BadRow(view.name, `SQLSTATE ${code}`);
  }
}

interface StoredCheckpoint {
  readonly view: string;
  readonly version: number;
  readonly token: string;
  readonly log: Uuid;
  readonly position: string;
  readonly event: Uuid | null;
  readonly recorded_at: string;
}
const CHECKPOINT = 'view, version, token, log, position, event, recorded_at';

function checkpointOf(row: StoredCheckpoint): Checkpoint {
  const { view, version, log, event } = row;
  return {
    view,
    version,
    token: Number(row.token),
    log,
    position: toPosition(Number(row.position)),
    event,
    recordedAt: Number(row.recorded_at),
  };
}

/** Ruling 50: compare and set on (view, version, token, previous position); one that does not move stops all. */
async function move(client: pg.PoolClient, schema: string, advances: readonly Advance[]): Promise<void> {
  const moves = advances.map(({ from, to }) => ({
    view: from.view,
    version: from.version,
    token: from.token,
    previous: from.position,
    position: to.position,
    event: to.event,
    recorded_at: to.recordedAt,
  }));
  const { rowCount } = await client.query(
    `WITH moves AS (
       SELECT * FROM json_to_recordset($1::json) AS m(view text, version integer, token bigint,
         previous bigint, position bigint, event uuid, recorded_at bigint)
     ), locked AS MATERIALIZED (
       SELECT view FROM ${schema}.checkpoints WHERE view IN (SELECT view FROM moves)
       ORDER BY view FOR NO KEY UPDATE
     )
     UPDATE ${schema}.checkpoints c
     SET position = m.position, event = m.event, recorded_at = m.recorded_at
     FROM moves m JOIN locked USING (view)
     WHERE c.view = m.view AND c.version = m.version AND c.token = m.token AND c.position = m.previous`,
    [JSON.stringify(moves)],
  );
  if (rowCount !== advances.length)
    throw new Fenced(
      `of ${advances.length} checkpoints ${rowCount} could be moved: another projector is at work`,
    );
}

async function tally(client: pg.PoolClient, schema: string, advances: readonly Advance[]): Promise<void> {
  const changes = advances.flatMap(({ view, tallies }) => tallies.map((t) => ({ view: view.name, ...t })));
  if (changes.length === 0) return;
  await client.query(
    `INSERT INTO ${schema}.tallies AS t (view, subject, kind, count)
     SELECT view, subject, kind, by
     FROM json_to_recordset($1::json) AS c(view text, subject text, kind text, by bigint)
     ON CONFLICT (view, subject, kind) DO UPDATE SET count = t.count + EXCLUDED.count`,
    [JSON.stringify(changes)],
  );
}

async function park(client: pg.PoolClient, schema: string, advances: readonly Advance[]): Promise<void> {
  const parked = advances.flatMap((advance) => advance.parked);
  if (parked.length > 0)
    await client.query(
      `INSERT INTO ${schema}.parked (view, stream, from_revision, up_to_revision, position, reason)
       SELECT view, stream, "from", "upTo", position, reason
       FROM json_to_recordset($1::json)
         AS p(view text, stream text, "from" integer, "upTo" integer, position bigint, reason text)
       ON CONFLICT (view, stream) DO UPDATE SET from_revision = EXCLUDED.from_revision,
         up_to_revision = EXCLUDED.up_to_revision, position = EXCLUDED.position, reason = EXCLUDED.reason`,
      [JSON.stringify(parked)],
    );
  for (const { view, unparked } of advances)
    if (unparked.length > 0)
      await client.query(`DELETE FROM ${schema}.parked WHERE view = $1 AND stream = ANY($2)`, [
        view.name,
        unparked,
      ]);
}

const quoted = (name: string): string => `"${name}"`;

/** Sessions by the stages they have. */
const staged = new WeakMap<pg.PoolClient, Set<string>>();

/** Makes what the session lacks of the temporary tables that rows are copied into before they are merged. */
async function stagesFor(client: pg.PoolClient, tables: readonly Table[]): Promise<void> {
  const has = staged.get(client) ?? new Set();
  staged.set(client, has);
  for (const { stage, makeStage } of tables) {
    if (stage === null || has.has(stage)) continue;
    await client.query(makeStage);
    has.add(stage);
  }
}

/**
 * One view's table. Rows come in by sets: by COPY straight into a table that is only appended to, by COPY into
 * a temporary stage and one statement from there for all others.
 */
class Table {
  /** Null where rows go straight in. */
  readonly stage: string | null;
  readonly makeStage: string;
  private readonly copyStaged: string;
  private readonly copyStraight: string;
  private readonly merge: string;
  private readonly fields: readonly string[];
  private readonly select: string;
  private readonly hydrate: readonly ((row: Record<string, unknown>) => void)[];
  private readonly key: string;

  constructor(schema: string, view: View, metadata: EntityMetadata) {
    const { columns } = metadata;
    const table = `${schema}.${view.name}`;
    const names = columns.map((column) => quoted(column.databaseName));
    const keys = metadata.primaryColumns.map((column) => quoted(column.databaseName));
    const changed = names.filter((name) => !keys.includes(name));
    this.stage = view.appendOnly ? null : `stage_${view.name}`;
    this.makeStage = `CREATE TEMPORARY TABLE IF NOT EXISTS ${this.stage} (LIKE ${LIVE}.${view.name})
      ON COMMIT DELETE ROWS`;
    this.copyStaged = `COPY ${this.stage} (${names.join(', ')}) FROM STDIN`;
    this.copyStraight = `COPY ${table} (${names.join(', ')}) FROM STDIN`;
    this.merge = `INSERT INTO ${table} AS t (${names.join(', ')}) SELECT ${names.join(', ')} FROM ${this.stage}
      ON CONFLICT (${keys.join(', ')}) DO UPDATE
      SET ${changed.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}
      WHERE t.revision < EXCLUDED.revision`;
    this.fields = columns.map((column) => column.propertyName);
    this.key = view.keyColumns[0]!;
    const shown = columns.map((column) => `${quoted(column.databaseName)} AS ${quoted(column.propertyName)}`);
    this.select = `SELECT ${shown.join(', ')} FROM ${table} WHERE ${keys[0]} = ANY($1)`;
    this.hydrate = columns.flatMap(({ propertyName, transformer }) => {
      const from = HYDRATE.get(transformer);
      return from === undefined
        ? []
        : [(row: Record<string, unknown>) => void (row[propertyName] = from(row[propertyName]))];
    });
  }

  /** @param fresh rows that are certainly new go straight in: a stage would have them written twice */
  async write(
    client: pg.PoolClient,
    rows: readonly Folding[],
    fresh: ReadonlySet<Folding> = new Set(),
  ): Promise<void> {
    if (this.stage === null) return copyIn(client, this.copyStraight, this.lines(rows));
    const straight = rows.filter((row) => fresh.has(row));
    if (straight.length > 0) await copyIn(client, this.copyStraight, this.lines(straight));
    if (straight.length === rows.length) return;
    await copyIn(client, this.copyStaged, this.lines(rows.filter((row) => !fresh.has(row))));
    await client.query(this.merge);
  }

  private *lines(rows: readonly Folding[]): Iterable<string> {
    const { fields } = this;
    let text = '';
    for (const row of rows as readonly unknown[] as readonly Record<string, Field>[]) {
      for (let i = 0; i < fields.length; i++) text += (i === 0 ? '' : '\t') + copyField(row[fields[i]!]);
      text += '\n';
      if (text.length < CHUNK) continue;
      yield text;
      text = '';
    }
    if (text !== '') yield text;
  }

  async load(pool: pg.Pool, keys: readonly string[]): Promise<ReadonlyMap<string, Folding>> {
    const { rows } = await pool.query<Record<string, unknown>>(this.select, [keys]);
    for (const row of rows) for (const set of this.hydrate) set(row);
    return new Map(rows.map((row) => [row[this.key] as string, row as unknown as Folding]));
  }
}

/** What the driver gives, to what the fold gave: by the column's transformer. */
const HYDRATE = new Map<unknown, (value: unknown) => unknown>([
  [instants, (at) => (at === null ? null : toInstant((at as Date).getTime() / 1000))],
  [positions, (ordinal) => (ordinal === null ? null : toPosition(Number(ordinal)))],
  [numbers, (value) => (value === null ? null : Number(value))],
]);

/** Tables of their own for a view to be built in, with the live ones' columns, keys and index names. */
async function copyTables(pool: pg.Pool, view: View): Promise<void> {
  await inTransaction(pool, nothing, async (client) => {
    await client.query(`DROP SCHEMA IF EXISTS ${BESIDE} CASCADE; CREATE SCHEMA ${BESIDE}`);
    for (const table of [view.name, 'tallies', 'parked', 'checkpoints']) {
      await client.query(
        `CREATE TABLE ${BESIDE}.${table} (LIKE ${LIVE}.${table} INCLUDING ALL EXCLUDING INDEXES)`,
      );
      const { rows } = await client.query<{ statement: string }>(
        `SELECT CASE WHEN c.oid IS NULL
                  THEN replace(pg_get_indexdef(i.indexrelid), ' ON ${LIVE}.', ' ON ${BESIDE}.')
                  ELSE format('ALTER TABLE ${BESIDE}.%I ADD CONSTRAINT %I %s', $2::text, c.conname, pg_get_constraintdef(c.oid))
                END AS statement
         FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
         WHERE i.indrelid = $1::regclass`,
        [`${LIVE}.${table}`, table],
      );
      for (const { statement } of rows) await client.query(statement);
    }
  });
}

async function swap(
  client: pg.PoolClient,
  view: View,
  metadata: EntityMetadata,
  live: Checkpoint,
  compare: boolean,
): Promise<Comparison | null> {
  const { rowCount } = await client.query(
    `UPDATE ${LIVE}.checkpoints SET token = token + 1
     WHERE view = $1 AND version = $2 AND token = $3 AND position = $4`,
    [view.name, live.version, live.token, toOrdinal(live.position)],
  );
  if (rowCount !== 1) throw new Fenced(`view ${view.name} is moved by another projector`);
  const comparison = compare ? await compared(client, view, metadata) : null;
  await client.query(`
    DROP TABLE ${LIVE}.${view.name};
    ALTER TABLE ${BESIDE}.${view.name} SET SCHEMA ${LIVE};
    DELETE FROM ${LIVE}.tallies WHERE view = '${view.name}';
    INSERT INTO ${LIVE}.tallies SELECT * FROM ${BESIDE}.tallies;
    DELETE FROM ${LIVE}.parked WHERE view = '${view.name}';
    INSERT INTO ${LIVE}.parked SELECT * FROM ${BESIDE}.parked;
    UPDATE ${LIVE}.checkpoints c
    SET version = n.version, log = n.log, position = n.position, event = n.event, recorded_at = n.recorded_at
    FROM ${BESIDE}.checkpoints n WHERE n.view = c.view`);
  return comparison;
}

/** Live and built rows and tallies, by a hash over all columns; where that differs, which. */
async function compared(client: pg.PoolClient, view: View, metadata: EntityMetadata): Promise<Comparison> {
  // JSON by what it says: the order of its fields is nobody's promise.
  const whole = (alias: string): string => {
    const columns = metadata.columns.map(({ databaseName, type }) => {
      const name = `${alias}.${quoted(databaseName)}`;
      return type === 'json' ? `${name}::jsonb` : name;
    });
    return `ROW(${columns.join(', ')})::text`;
  };
  const figures = async (schema: string) => {
    const { rows } = await client.query<{ rows: string; hash: string }>(
      `SELECT count(*) AS rows, coalesce(sum(hashtextextended(${whole('t')}, 0)::numeric), 0) AS hash
       FROM ${schema}.${view.name} t`,
    );
    return { rows: Number(rows[0]!.rows), hash: rows[0]!.hash };
  };
  const live = await figures(LIVE);
  const rebuilt = await figures(BESIDE);
  const same = live.rows === rebuilt.rows && live.hash === rebuilt.hash;
  const keys = view.keyColumns.map((column) => quoted(column));
  const key = (alias: string): string => keys.map((name) => `${alias}.${name}`).join(` || '/' || `);
  const rows = same
    ? []
    : (
        await client.query<{ key: string }>(
          `SELECT coalesce(${key('l')}, ${key('n')})::text AS key
           FROM ${LIVE}.${view.name} l FULL JOIN ${BESIDE}.${view.name} n USING (${keys.join(', ')})
           WHERE ${whole('l')} IS DISTINCT FROM ${whole('n')} ORDER BY 1 LIMIT ${NAMED}`,
        )
      ).rows;
  const tallies = await client.query<{ key: string }>(
    `SELECT 'tally ' || coalesce(l.subject, n.subject) || '/' || coalesce(l.kind, n.kind) AS key
     FROM (SELECT * FROM ${LIVE}.tallies WHERE view = $1 AND count <> 0) l
     FULL JOIN (SELECT * FROM ${BESIDE}.tallies WHERE view = $1 AND count <> 0) n USING (view, subject, kind)
     WHERE l.count IS DISTINCT FROM n.count ORDER BY 1 LIMIT ${NAMED}`,
    [view.name],
  );
  const differing = [...rows, ...tallies.rows].map((row) => row.key).slice(0, NAMED);
  return { live, rebuilt, equal: same && differing.length === 0, differing };
}
