import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { openPostgresLog, type PostgresLog, type PostgresLogOptions } from '#adapters/log-postgres';
import { MIGRATION_LOCK } from '#adapters/postgres';
import { silent, toOrdinal, START } from '#kernel';
import {
  DuplicateEventId,
  LogUnavailable,
  NO_STREAM,
  NotAppended,
  UnknownOutcome,
  type Append,
  type StoredEvent,
} from '#engine/store';
import { appended, everything, freshStream, someEvent, someEvents } from '#engine/store/testing';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';

/** What a race or a crash would do only now and then, forced to happen at the worst moment. */

let database: FreshDatabase;
let admin: pg.Client;
let logs: PostgresLog[];

beforeEach(async () => {
  database = await freshDatabase();
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  logs = [];
});

afterEach(async () => {
  await admin.end();
  for (const log of logs) await log.close();
  await database.drop();
});

async function open(more: Partial<PostgresLogOptions> = {}): Promise<PostgresLog> {
  const log = await openPostgresLog({ url: database.url, ...more });
  logs.push(log);
  return log;
}

const toNew = (type = 'desk.something-happened.v1'): Append => ({
  stream: freshStream(),
  expected: NO_STREAM,
  events: [{ ...someEvent(), type }],
});

/** Appends of type `test.slow.v1` wait, holding the head’s lock, until `release`. */
async function gate(): Promise<{ release(): Promise<void> }> {
  await admin.query(`
    CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.type = 'test.slow.v1' THEN PERFORM pg_advisory_xact_lock(42); END IF; RETURN NEW; END $$;
    CREATE TRIGGER gate BEFORE INSERT ON log.events FOR EACH ROW EXECUTE FUNCTION wait_at_gate();
    SELECT pg_advisory_lock(42)`);
  return { release: async () => void (await admin.query('SELECT pg_advisory_unlock(42)')) };
}

/** Waits until that many sessions wait for a lock. */
const waiting = (count: number): Promise<unknown> =>
  eventually(
    async () => {
      const { rows } = await admin.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows.length >= count;
    },
    { what: `${count} sessions waiting for a lock` },
  );

/** The session that waits at the gate. */
async function atGate(): Promise<number> {
  const { rows } = await admin.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`,
  );
  return rows[0]!.pid;
}

async function isGapless(log: PostgresLog): Promise<StoredEvent[]> {
  const all = await everything(log);
  expect(all.map((e) => toOrdinal(e.position))).toEqual(all.map((_, i) => i + 1));
  return all;
}

describe('two processes that append at once', () => {
  test('come one after the other: no reader sees the second before the first', async () => {
    const [one, two, reader] = [await open(), await open(), await open()];
    const { release } = await gate();
    const [slow, quick] = [toNew('test.slow.v1'), toNew()];
    const seen: string[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const { events } of reader.subscribe(START, { signal: stop.signal, limit: 1 })) {
        seen.push(...events.map((e) => e.stream));
        if (seen.length === 2) stop.abort();
      }
    })();
    const first = one.append(slow);
    await waiting(1);
    const second = two.append(quick);
    await waiting(2);
    expect(await everything(reader)).toEqual([]);
    await release();
    expect((await first).outcome).toBe('appended');
    expect((await second).outcome).toBe('appended');
    await reading;
    expect(seen).toEqual([slow.stream, quick.stream]);
    await isGapless(reader);
  });

  test('at one revision end with one append and one conflict', async () => {
    const [one, two] = [await open(), await open()];
    const { release } = await gate();
    const slow = toNew('test.slow.v1');
    const first = one.append(slow);
    await waiting(1);
    const second = two.append({ ...toNew(), stream: slow.stream });
    await waiting(2);
    await release();
    expect(await first).toMatchObject({ outcome: 'appended' });
    expect(await second).toEqual({ outcome: 'conflict', actual: 0 });
  });

  test('with the same ids end with one append, told to both', async () => {
    const [one, two] = [await open(), await open()];
    const { release } = await gate();
    const slow = toNew('test.slow.v1');
    const first = one.append(slow);
    await waiting(1);
    const second = two.append(slow);
    await waiting(2);
    await release();
    const { repeated, ...answer } = await appended({ ...one, append: () => first }, slow);
    expect(repeated).toBe(false);
    expect(await second).toEqual({ ...answer, repeated: true });
  });
});

describe('a transaction left open elsewhere', () => {
  test('that holds the head’s lock fails appends within their time, surely unwritten', async () => {
    const log = await open({ timeouts: { lockMs: 200 } });
    await admin.query('BEGIN; SELECT FROM log.head FOR UPDATE');
    await expect(log.append(toNew())).rejects.toThrow(NotAppended);
    await expect(Promise.all([log.append(toNew()), log.append(toNew())])).rejects.toThrow(NotAppended);
    await admin.query('ROLLBACK');
    await appended(log, toNew());
    expect(await isGapless(log)).toHaveLength(1);
  });

  test('that only reads holds up nobody, and sees no more than when it began', async () => {
    const log = await open();
    await appended(log, toNew());
    await admin.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM log.events');
    for (let i = 0; i < 20; i++) await appended(log, toNew());
    expect((await admin.query('SELECT FROM log.events')).rowCount).toBe(1);
    await admin.query('ROLLBACK');
    expect(await isGapless(log)).toHaveLength(21);
  });

  test('by a session of the log’s own is ended by the server', async () => {
    const [idle, log] = [
      await open({ timeouts: { statementMs: 300 }, logger: silent }),
      await open({ timeouts: { lockMs: 9_000 } }),
    ];
    const client = await idle.pool.connect();
    client.on('error', () => {});
    await client.query('BEGIN; SELECT FROM log.head FOR UPDATE');
    await appended(log, toNew());
    client.release(true);
  });
});

describe('a process that dies between lock and commit', () => {
  test('has written nothing, and the next one goes on without a gap', async () => {
    const [one, two] = [await open(), await open()];
    const { release } = await gate();
    const slow = toNew('test.slow.v1');
    const first = one.append(slow);
    await waiting(1);
    const second = two.append(toNew());
    await waiting(2);
    await admin.query('SELECT pg_terminate_backend($1)', [await atGate()]);
    await expect(first).rejects.toThrow(UnknownOutcome);
    expect((await second).outcome).toBe('appended');
    expect(await isGapless(two)).toHaveLength(1);
    await release();
    expect(await one.append(slow)).toMatchObject({ outcome: 'appended', repeated: false });
    expect(await one.append(slow)).toMatchObject({ outcome: 'appended', repeated: true });
    expect(await isGapless(two)).toHaveLength(2);
  });
});

describe('a value that the database refuses', () => {
  beforeEach(async () => {
    await open();
    await admin.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.type = 'test.bad.v1' THEN RAISE 'refused: %', NEW.body; END IF; RETURN NEW; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON log.events FOR EACH ROW EXECUTE FUNCTION refuse()`);
  });

  test('fails alone: every neighbour of its group is written (ruling 49)', async () => {
    const [log] = logs as [PostgresLog];
    const taken = toNew();
    await appended(log, taken);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 64 }, (_, i) =>
        log.append(
          i === 13 ? toNew('test.bad.v1') : i === 40 ? { ...toNew(), events: taken.events } : toNew(),
        ),
      ),
    );
    const failed = outcomes.flatMap((o, i) => (o.status === 'rejected' ? [[i, o.reason as unknown]] : []));
    expect(failed).toEqual([
      [13, expect.any(NotAppended)],
      [40, expect.any(DuplicateEventId)],
    ]);
    expect(await isGapless(log)).toHaveLength(63);
  });

  test('is not told on: no error holds a body', async () => {
    const [log] = logs as [PostgresLog];
    const secret = { ...toNew(), events: [{ ...someEvent('SENTINEL'), type: 'test.bad.v1' }] };
    const error = await log.append(secret).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NotAppended);
    for (let e = error; e instanceof Error; e = e.cause)
      expect([e.message, e.stack, JSON.stringify(e)].join()).not.toContain('SENTINEL');
  });
});

describe('a statement that takes too long', () => {
  test('is ended, surely unwritten', async () => {
    const log = await open({ timeouts: { statementMs: 300 } });
    const { release } = await gate();
    await expect(log.append(toNew('test.slow.v1'))).rejects.toThrow(NotAppended);
    await release();
    expect(await isGapless(log)).toEqual([]);
  });
});

describe('a connection', () => {
  /** Passes bytes on, until told otherwise. */
  class Wire {
    mode: 'pass' | 'swallow-request' | 'swallow-answer' | 'silence' = 'pass';
    url = '';
    private readonly sockets = new Set<Socket>();
    private readonly server = createServer((client) => {
      const { hostname, port } = new URL(database.url);
      const upstream = createConnection(Number(port), hostname);
      for (const socket of [client, upstream]) {
        this.sockets.add(socket);
        socket.on('error', () => {}).on('close', () => [client, upstream].forEach((s) => s.destroy()));
      }
      client.on('data', (data) => {
        if (this.mode === 'swallow-request') client.destroy();
        else upstream.write(data);
      });
      upstream.on('data', (data) => {
        if (this.mode === 'swallow-answer') client.destroy();
        else if (this.mode !== 'silence') client.write(data);
      });
    });

    async listen(): Promise<this> {
      this.server.listen(0, '127.0.0.1');
      await once(this.server, 'listening');
      const url = new URL(database.url);
      url.host = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
      this.url = url.href;
      return this;
    }

    close(): void {
      this.server.close();
      for (const socket of this.sockets) socket.destroy();
    }
  }

  let wire: Wire;
  beforeEach(async () => {
    wire = await new Wire().listen();
  });
  afterEach(() => wire.close());

  test.each([
    ['loses the request', 'swallow-request', false],
    ['loses the answer', 'swallow-answer', true],
    ['falls silent', 'silence', true],
  ] as const)('that %s leaves the outcome unknown; the repeat tells it', async (_, mode, written) => {
    const log = await open({ url: wire.url, lanes: 1, timeouts: { answerMs: 500 } });
    await appended(log, toNew());
    const append = toNew();
    wire.mode = mode;
    await expect(log.append(append)).rejects.toThrow(UnknownOutcome);
    wire.mode = 'pass';
    await eventually(async () => (await log.readStream(append.stream)).length === Number(written));
    expect(await appended(log, append)).toMatchObject({ repeated: written });
    expect(await isGapless(log)).toHaveLength(2);
  });

  test('that cannot be made leaves appends surely unwritten, and reads unanswered', async () => {
    const log = await open({ url: wire.url });
    wire.close();
    await expect(log.append(toNew())).rejects.toThrow(/cannot be reached|was lost/);
    await expect(log.append(toNew())).rejects.toThrow(NotAppended);
    await expect(log.head()).rejects.toThrow(LogUnavailable);
  });

  test('that is lost costs a subscription nothing: it goes on from where it stood', async () => {
    const [log, writer] = [await open({ url: wire.url }), await open()];
    const stop = new AbortController();
    const seen: StoredEvent[] = [];
    const reading = (async () => {
      for await (const { events } of log.subscribe(START, { signal: stop.signal, limit: 3 }))
        seen.push(...events);
    })();
    for (let i = 0; i < 10; i++) {
      for (let k = 0; k < 5; k++) await appended(writer, { ...toNew(), events: someEvents(1 + (k % 2)) });
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE '%log.append%'`,
      );
    }
    const all = await everything(writer);
    await eventually(() => seen.length >= all.length, { within: 20_000, what: `all ${all.length} events` });
    stop.abort();
    await reading;
    expect(seen).toEqual(all);
  });
});

describe('opening', () => {
  test('by several processes at once on an empty database makes one log', async () => {
    const opened = await Promise.all(Array.from({ length: 5 }, () => open()));
    expect(new Set(await Promise.all(opened.map((log) => log.identity()))).size).toBe(1);
    expect((await admin.query('SELECT FROM log.head')).rowCount).toBe(1);
  });

  test('waits for whoever migrates, and goes on', async () => {
    await admin.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    const opening = open();
    await waiting(1);
    await admin.query(`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`);
    await appended(await opening, toNew());
  });

  test('again finds the same log, and another database another one', async () => {
    const first = await open();
    await appended(first, toNew());
    const identity = await first.identity();
    await first.close();
    const again = await open();
    expect(await again.identity()).toBe(identity);
    expect(await everything(again)).toHaveLength(1);
    const other = await freshDatabase();
    const log = await openPostgresLog({ url: other.url });
    expect(await log.identity()).not.toBe(identity);
    await log.close();
    await other.drop();
  });

  test('leaves a schema of a later release alone', async () => {
    await open();
    await admin.query("INSERT INTO log.migrations (name) VALUES ('of-next-year')");
    await appended(await open(), toNew());
  });

  test('a database of another encoding is one clear error', async () => {
    await admin.query(
      `CREATE DATABASE ascii_${process.pid} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0`,
    );
    const url = new URL(database.url);
    url.pathname = `/ascii_${process.pid}`;
    const opening = openPostgresLog({ url: url.href });
    await expect(opening).rejects.toThrow(LogUnavailable);
    await expect(opening).rejects.toThrow(/SQL_ASCII.*UTF8/);
    await admin.query(`DROP DATABASE ascii_${process.pid}`);
  });

  test('a server that is not there is one clear error', async () => {
    await expect(openPostgresLog({ url: 'postgres://nobody:x@127.0.0.1:1/none' })).rejects.toThrow(
      LogUnavailable,
    );
  });
});

describe('recordedAt', () => {
  test('is never below the last one, though the server’s clock was set back', async () => {
    const log = await open();
    const { recordedAt } = await appended(log, toNew());
    const future = recordedAt + 3_600_000_000;
    await admin.query('UPDATE log.events SET recorded_at = $1', [future]);
    expect((await appended(log, toNew())).recordedAt).toBe(future);
  });
});

describe('closing', () => {
  test('finishes the appends already asked for', async () => {
    const log = await open();
    const asked = Array.from({ length: 1_500 }, () => log.append(toNew()));
    await log.close();
    for (const answer of await Promise.all(asked)) expect(answer.outcome).toBe('appended');
    await expect(log.append(toNew())).rejects.toThrow(NotAppended);
    await log.close();
  });
});
