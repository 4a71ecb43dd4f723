import type pg from 'pg';
import type { DataSource } from 'typeorm';
import {
  Fenced,
  type BesideTables,
  type ConsumerLead,
  type ConsumerPosition,
  type ConsumerState,
  type ConsumerStore,
  type ConsumerTransaction,
  type Move,
  type StoredLetter,
  type TablesComparison,
} from '#engine/feed';
import type { Logger } from '#kernel';
import { lead, openSession } from '#adapters/postgres';
import { OwnStatements, quoted, wholeRow, type OwnTables } from './own-tables.js';
import { failureOf, told } from './failure.js';

/** Classes of this adapter's locks; arbitrary, but for ever the same. The object is the consumer's name. */
const WRITING = 527_984_621;
const LEADING = 527_984_622;
const BUILDING = 527_984_623;
/** Keys named of rows that differ after a rebuild. */
const NAMED = 100;

export interface PostgresConsumerStoreOptions {
  readonly consumer: string;
  readonly url: string;
  readonly pool: pg.Pool;
  readonly dataSource: DataSource;
  readonly tables: OwnTables;
  readonly logger: Logger;
}

const objectOf = (consumer: string): string => `hashtext('${consumer}')`;

/** Tables of a consumer in the schema of its name, or beside them. */
export function postgresConsumerStore<Row extends object>(
  options: PostgresConsumerStoreOptions,
): ConsumerStore<Row> {
  const { consumer, url, logger } = options;
  return {
    ...storeIn<Row>(consumer, options),
    lead: (signal): Promise<ConsumerLead> =>
      lead(
        { url, application: `covenant ${consumer} lead`, logger },
        `${LEADING}, ${objectOf(consumer)}`,
        signal,
      ).catch((error: unknown) => {
        throw signal.aborted ? error : failureOf(error);
      }),
    beside: () => beside<Row>(options),
  };
}

type Query = <R extends object>(text: string, values?: readonly unknown[]) => Promise<pg.QueryResult<R>>;

/** Statements of one connection or pool, their failures told as the port has them. */
const asking =
  (client: Pick<pg.Pool, 'query'>): Query =>
  <R extends object>(text: string, values: readonly unknown[] = []) =>
    told(client.query<R>(text, [...values]));

type StoreIn<Row extends object> = Omit<ConsumerStore<Row>, 'lead' | 'beside'>;

function storeIn<Row extends object>(schema: string, options: PostgresConsumerStoreOptions): StoreIn<Row> {
  const { consumer, pool, dataSource, tables } = options;
  const own = new OwnStatements(schema, dataSource, tables);
  const ask = asking(pool);

  const transact: StoreIn<Row>['transact'] = async (work, alone = false) => {
    const client = await told(pool.connect());
    let broken = false;
    const query = asking(client);
    try {
      // What is built beside is nobody else's.
      const lock = schema === consumer ? `; ${writing(consumer, alone ? 'alone' : 'shared')}` : '';
      await query(`BEGIN${lock}`);
      const result = await work(transactionOver<Row>(schema, own, query));
      await query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => (broken = true));
      throw error;
    } finally {
      client.release(broken);
    }
  };

  const state = async (): Promise<ConsumerState | null> => {
    const { rows } = await ask<ConsumerState & { generation: string }>(
      `SELECT version, pinned, source, generation FROM ${schema}.state`,
    );
    return rows[0] ? { ...rows[0], generation: Number(rows[0].generation) } : null;
  };

  return {
    consumer,
    state,
    transact,
    start: async ({ version, pinned }) => {
      await ask(
        `INSERT INTO ${schema}.state ("only", version, pinned, source, generation)
         VALUES (true, $1, $2, NULL, 1) ON CONFLICT DO NOTHING`,
        [version, JSON.stringify(pinned)],
      );
      return (await state())!;
    },
    position: async ({ feed, topic, partition }) => {
      const { rows } = await ask<{ next: string }>(
        `SELECT next FROM ${schema}.positions WHERE feed = $1 AND topic = $2 AND partition = $3`,
        [feed, topic, partition],
      );
      return rows[0]?.next ?? null;
    },
    positions: async () => {
      const { rows } = await ask<Record<keyof ConsumerPosition | 'recorded_at', string | null>>(
        `SELECT feed, topic, partition, next, digested, repeats, buried, recorded_at
         FROM ${schema}.positions ORDER BY feed, topic, partition`,
      );
      return rows.map(({ feed, topic, partition, next, digested, repeats, buried, recorded_at: at }) => ({
        feed: feed!,
        topic: topic!,
        partition: Number(partition),
        next: next!,
        digested: Number(digested),
        repeats: Number(repeats),
        buried: Number(buried),
        recordedAt: at === null ? null : Number(at),
      }));
    },
    letterFigures: async () => {
      const { rows } = await ask<{ letters: string; keys: string }>(
        `SELECT count(*) AS letters, count(DISTINCT key) AS keys FROM ${schema}.dead_letters`,
      );
      return { letters: Number(rows[0]!.letters), keys: Number(rows[0]!.keys) };
    },
    letters: (after, limit) =>
      letters(ask, schema, 'WHERE number > $1 ORDER BY number LIMIT $2', [after, limit]),
    keysWithLetters: async () => {
      const { rows } = await ask<{ key: Buffer }>(
        `SELECT key FROM ${schema}.dead_letters GROUP BY key ORDER BY min(number)`,
      );
      return rows.map(({ key }) => key.toString('utf8'));
    },
    untold: (limit) => letters(ask, schema, 'WHERE NOT told ORDER BY number LIMIT $1', [limit]),
    told: async (numbers) => {
      await ask(`UPDATE ${schema}.dead_letters SET told = true WHERE number = ANY($1::bigint[])`, [numbers]);
    },
  };
}

/** Batches hold the lock together; who must be alone with the tables holds it alone. */
const writing = (consumer: string, how: 'shared' | 'alone'): string =>
  `SELECT pg_advisory_xact_lock${how === 'shared' ? '_shared' : ''}(${WRITING}, ${objectOf(consumer)})`;

interface LetterRow {
  readonly number: string;
  readonly feed: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly reason: string;
}

async function letters(
  ask: Query,
  schema: string,
  which: string,
  values: readonly unknown[],
): Promise<StoredLetter[]> {
  const { rows } = await ask<LetterRow>(
    `SELECT number, feed, topic, partition, "offset", key, value, reason FROM ${schema}.dead_letters ${which}`,
    values,
  );
  return rows.map(({ number, feed, topic, partition, offset, key, value, reason }) => ({
    number: Number(number),
    feed,
    delivery: { topic, partition, offset, key: key.toString('utf8'), value: value.toString('utf8') },
    reason,
  }));
}

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

function transactionOver<Row extends object>(
  schema: string,
  own: OwnStatements,
  query: Query,
): ConsumerTransaction<Row> {
  return {
    tables: {
      load: async (keys) => {
        if (keys.length === 0) return new Map();
        const { rows } = await query<Record<string, unknown>>(own.load, [keys]);
        return own.rowsRead<Row>(rows);
      },
      save: async (rows) => {
        if (rows.size > 0) await query(own.save, [own.rowsGiven(rows.values())]);
      },
      count: async (changes) => {
        if (changes.length > 0) await query(own.count, [own.countsGiven(changes)]);
      },
    },
    see: async (ids) => {
      // In one order by everyone, so that no two batches wait for each other.
      const { rows } = await query<{ id: string }>(
        `INSERT INTO ${schema}.seen SELECT DISTINCT id FROM unnest($1::uuid[]) AS s(id) ORDER BY id
         ON CONFLICT DO NOTHING RETURNING id`,
        [ids],
      );
      return new Set(rows.map(({ id }) => id));
    },
    blocked: async (keys) => {
      const { rows } = await query<{ key: Buffer }>(
        `SELECT DISTINCT key FROM ${schema}.dead_letters WHERE key = ANY($1::bytea[])`,
        [keys.map(bytes)],
      );
      return new Set(rows.map(({ key }) => key.toString('utf8')));
    },
    bury: async (feed, buried) => {
      const given = buried.map(({ delivery: { topic, partition, offset, key, value }, reason }) => ({
        topic,
        partition,
        offset,
        key: bytes(key).toString('base64'),
        value: bytes(value).toString('base64'),
        reason,
      }));
      await query(
        `INSERT INTO ${schema}.dead_letters (feed, topic, partition, "offset", key, value, reason)
         SELECT $1, topic, partition, "offset", decode(key, 'base64'), decode(value, 'base64'), reason
         FROM ROWS FROM (json_to_recordset($2::json)
           AS (topic text, partition integer, "offset" text, key text, value text, reason text))
           WITH ORDINALITY AS l(topic, partition, "offset", key, value, reason, place)
         ORDER BY place ON CONFLICT DO NOTHING`,
        [feed, JSON.stringify(given)],
      );
    },
    lettersOf: (key) => letters(query, schema, 'WHERE key = $1 ORDER BY number', [bytes(key)]),
    unbury: async (numbers) => {
      if (numbers.length > 0)
        await query(`DELETE FROM ${schema}.dead_letters WHERE number = ANY($1::bigint[])`, [numbers]);
    },
    blame: async (number, reason) => {
      await query(`UPDATE ${schema}.dead_letters SET reason = $2 WHERE number = $1`, [number, reason]);
    },
    pin: async (source) => {
      const { rowCount } = await query(
        `UPDATE ${schema}.state SET source = $1 WHERE source IS NULL OR source = $1`,
        [source],
      );
      if (rowCount !== 1) throw new Fenced('the tables are of another log');
    },
    move: (move) => moved(schema, query, move),
    attempt: async (work) => {
      await query('SAVEPOINT attempt');
      try {
        await work();
        await query('RELEASE SAVEPOINT attempt');
      } catch (error) {
        await query('ROLLBACK TO SAVEPOINT attempt');
        throw error;
      }
    },
  };
}

/** Ruling 50: compare and set on (generation, previous position). */
async function moved(schema: string, query: Query, move: Move): Promise<void> {
  const { feed, topic, partition, from, to, generation, digested, repeats, buried, recordedAt } = move;
  const place = [generation, feed, topic, partition];
  const sums = [digested, repeats, buried, recordedAt];
  const { rowCount } =
    to === null
      ? await query(
          `SELECT 1 FROM ${schema}.state WHERE generation = $1 AND NOT EXISTS (
             SELECT 1 FROM ${schema}.positions WHERE feed = $2 AND topic = $3 AND partition = $4)`,
          place,
        )
      : from === null
        ? await query(
            `INSERT INTO ${schema}.positions
               (feed, topic, partition, next, digested, repeats, buried, recorded_at)
             SELECT $2, $3, $4, $5, $6, $7, $8, $9 FROM ${schema}.state WHERE generation = $1
             ON CONFLICT DO NOTHING`,
            [...place, to, ...sums],
          )
        : await query(
            `UPDATE ${schema}.positions p
             SET next = $5, digested = digested + $6, repeats = repeats + $7, buried = buried + $8,
               recorded_at = coalesce($9, recorded_at)
             FROM ${schema}.state s
             WHERE s.generation = $1 AND p.feed = $2 AND p.topic = $3 AND p.partition = $4 AND p.next = $10`,
            [...place, to, ...sums, from],
          );
  if (rowCount !== 1) throw new Fenced(`partition ${partition} of ${topic} is moved by another process`);
}

async function beside<Row extends object>(options: PostgresConsumerStoreOptions): Promise<BesideTables<Row>> {
  const { consumer, url, pool, dataSource, tables } = options;
  const next = `${consumer}_next`;
  const own = [tables.rows, tables.counts].map((entity) => dataSource.getMetadata(entity));
  const built = [...own.map(({ tableName }) => tableName), 'seen', 'dead_letters'];
  const { client } = await told(openSession(url, `covenant ${consumer} rebuild`));
  const query = asking(client);
  const { rows } = await query<{ mine: boolean }>(
    `SELECT pg_try_advisory_lock(${BUILDING}, ${objectOf(consumer)}) AS mine`,
  );
  if (!rows[0]!.mine) {
    await client.end();
    throw new Error(`the tables of consumer ${consumer} are being rebuilt already`);
  }
  const abandon = async (): Promise<void> => {
    await asking(pool)(`DROP SCHEMA IF EXISTS ${next} CASCADE`);
    await client.end();
  };
  await copyTables(query, consumer, next, built);
  const store = storeIn<Row>(next, options);
  return {
    store: {
      ...store,
      lead: () => Promise.reject(new Error('tables that are being built have no leader')),
      beside: () => Promise.reject(new Error('tables that are being built are not built beside themselves')),
    },
    seenLive: async (ids) => {
      const { rows } = await query<{ id: string }>(
        `SELECT id FROM ${consumer}.seen WHERE id = ANY($1::uuid[])`,
        [ids],
      );
      return new Set(rows.map(({ id }) => id));
    },
    unmet: async () => {
      const { rows } = await query<{ unmet: string }>(
        `SELECT count(*) AS unmet FROM ${consumer}.seen l
         WHERE NOT EXISTS (SELECT 1 FROM ${next}.seen n WHERE n.id = l.id)`,
      );
      return Number(rows[0]!.unmet);
    },
    hold: async () => {
      await query(`SELECT pg_advisory_lock(${WRITING}, ${objectOf(consumer)})`);
    },
    swap: async ({ compare, forget }) => {
      let comparison: TablesComparison | null = null;
      await query('BEGIN');
      try {
        comparison = compare ? await compared(query, consumer, next, own) : null;
        for (const table of built)
          await query(`DROP TABLE ${consumer}.${table}; ALTER TABLE ${next}.${table} SET SCHEMA ${consumer}`);
        await query(
          `UPDATE ${consumer}.state s
           SET version = n.version, pinned = n.pinned, source = n.source, generation = s.generation + 1
           FROM ${next}.state n`,
        );
        if (forget) await query(`DELETE FROM ${consumer}.positions`);
        await query('COMMIT');
      } catch (error) {
        await query('ROLLBACK');
        throw error;
      }
      await abandon();
      await asking(pool)(`ANALYZE ${built.map((table) => `${consumer}.${table}`).join(', ')}`);
      return comparison;
    },
    abandon,
  };
}

/** Empty tables with the indexes and constraints of the live ones, under the same names. */
async function copyTables(query: Query, live: string, next: string, built: readonly string[]): Promise<void> {
  await query(`DROP SCHEMA IF EXISTS ${next} CASCADE; CREATE SCHEMA ${next}`);
  await query(`CREATE TABLE ${next}.state (LIKE ${live}.state INCLUDING ALL);
    CREATE TABLE ${next}.positions (LIKE ${live}.positions INCLUDING ALL)`);
  for (const table of built) {
    await query(
      `CREATE TABLE ${next}.${table} (LIKE ${live}.${table}
         INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING CONSTRAINTS)`,
    );
    const { rows } = await query<{ statement: string }>(
      `SELECT CASE WHEN c.oid IS NULL
                THEN replace(pg_get_indexdef(i.indexrelid), ' ON ${live}.', ' ON ${next}.')
                ELSE format('ALTER TABLE ${next}.%I ADD CONSTRAINT %I %s', $2::text, c.conname,
                  pg_get_constraintdef(c.oid))
              END AS statement
       FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
       WHERE i.indrelid = $1::regclass`,
      [`${live}.${table}`, table],
    );
    for (const { statement } of rows) await query(statement);
    const { rows: options } = await query<{ options: string | null }>(
      `SELECT array_to_string(reloptions, ', ') AS options FROM pg_class WHERE oid = $1::regclass`,
      [`${live}.${table}`],
    );
    if (options[0]!.options) await query(`ALTER TABLE ${next}.${table} SET (${options[0]!.options})`);
  }
}

/** Live and built rows and counts, whole; where they differ, which. */
async function compared(
  query: Query,
  live: string,
  next: string,
  [rows, counts]: readonly ReturnType<DataSource['getMetadata']>[],
): Promise<TablesComparison> {
  const differing: string[] = [];
  const figures = { live: { rows: 0, counts: 0 }, rebuilt: { rows: 0, counts: 0 } };
  for (const [kind, metadata] of [
    ['rows', rows!],
    ['counts', counts!],
  ] as const) {
    const { tableName } = metadata;
    const keys = metadata.primaryColumns.map(({ databaseName }) => quoted(databaseName));
    // A count that came back to 0 is none.
    const of = (schema: string): string =>
      kind === 'rows' ? `${schema}.${tableName}` : `(SELECT * FROM ${schema}.${tableName} WHERE count <> 0)`;
    for (const [side, schema] of [
      ['live', live],
      ['rebuilt', next],
    ] as const) {
      const { rows: counted } = await query<{ count: string }>(
        `SELECT count(*) AS count FROM ${of(schema)} t`,
      );
      figures[side][kind] = Number(counted[0]!.count);
    }
    const key = (alias: string): string => keys.map((name) => `${alias}.${name}`).join(` || '/' || `);
    const { rows: found } = await query<{ key: string }>(
      `SELECT (coalesce(${key('l')}, ${key('n')}))::text AS key
       FROM ${of(live)} l FULL JOIN ${of(next)} n USING (${keys.join(', ')})
       WHERE ${wholeRow(metadata, 'l')} IS DISTINCT FROM ${wholeRow(metadata, 'n')}
       ORDER BY 1 LIMIT ${NAMED}`,
    );
    differing.push(...found.map((row) => (kind === 'rows' ? row.key : `count ${row.key}`)));
  }
  return { ...figures, equal: differing.length === 0, differing: differing.slice(0, NAMED) };
}
