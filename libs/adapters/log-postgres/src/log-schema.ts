import type { Migration } from './migrate.js';

/**
 * `log.append` commits one group of appends, all in one statement of the client's:
 *
 * - The lock on the head row is a statement of its own: under READ COMMITTED the statements behind it take
 *   new snapshots and see what the previous holder committed. It is held until the commit is visible, so
 *   commits come in the order of their ordinals and no reader sees one before an earlier one.
 * - The row is only locked, never rewritten: the last event itself says where the log stands.
 * - At most one append per stream and at most one use of an id in a group; the client sees to it.
 * - Appends whose revision is the expected one are inserted, in order. All others come back in `others`, as
 *   JSON `[[append from 1, actual revision, ordinal, recordedAt]…]`, the last two null but for a repeat.
 * - An id stored elsewhere violates `events_id` and fails the group; the client then repeats one by one.
 */
const events = `
  CREATE TABLE log.head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    identity uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now()
  );
  INSERT INTO log.head DEFAULT VALUES;

  CREATE TABLE log.events (
    ordinal bigint CONSTRAINT events_ordinal PRIMARY KEY,
    recorded_at bigint NOT NULL,
    id uuid NOT NULL CONSTRAINT events_id UNIQUE,
    revision integer NOT NULL,
    stream text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    body text COLLATE "C" NOT NULL,
    CONSTRAINT events_stream_revision UNIQUE (stream, revision)
  );

  CREATE FUNCTION log.now() RETURNS bigint LANGUAGE sql VOLATILE
    RETURN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;

  CREATE FUNCTION log.append(
    append_streams text, append_expected integer[], append_events integer[],
    event_appends integer[], event_streams text, event_revisions integer[], event_ids uuid[], event_types text,
    event_starts integer[], event_lengths integer[], bodies bytea,
    OUT first bigint, OUT recorded_at bigint, OUT others text
  ) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    head_ordinal bigint;
    head_recorded bigint;
    stamp bigint;
    streams text[] := string_to_array(append_streams, E'\\n');
    actual integer[];
  BEGIN
    PERFORM 1 FROM log.head FOR NO KEY UPDATE;

    SELECT ordinal, recorded_at INTO head_ordinal, head_recorded
      FROM log.events ORDER BY ordinal DESC LIMIT 1;
    head_ordinal := coalesce(head_ordinal, 0);
    stamp := greatest(log.now(), head_recorded);

    actual := ARRAY(
      SELECT coalesce((SELECT e.revision FROM log.events e WHERE e.stream = s.stream
                       ORDER BY e.revision DESC LIMIT 1), -1)
      FROM unnest(streams) WITH ORDINALITY AS s(stream, at) ORDER BY s.at);

    IF actual = append_expected THEN
      INSERT INTO log.events (ordinal, recorded_at, id, revision, stream, type, body)
      SELECT head_ordinal + n, stamp, id, revision, stream, type,
             convert_from(substring(bodies FROM start FOR length), 'UTF8')
      FROM unnest(string_to_array(event_streams, E'\\n'), event_revisions, event_ids,
                  string_to_array(event_types, E'\\n'), event_starts, event_lengths)
           WITH ORDINALITY AS e(stream, revision, id, type, start, length, n);
    ELSE
      INSERT INTO log.events (ordinal, recorded_at, id, revision, stream, type, body)
      SELECT head_ordinal + row_number() OVER (ORDER BY n), stamp, id, revision, stream, type,
             convert_from(substring(bodies FROM start FOR length), 'UTF8')
      FROM unnest(event_appends, string_to_array(event_streams, E'\\n'), event_revisions, event_ids,
                  string_to_array(event_types, E'\\n'), event_starts, event_lengths)
           WITH ORDINALITY AS e(append, stream, revision, id, type, start, length, n)
      WHERE actual[append] = append_expected[append];

      SELECT json_agg(json_build_array(a.at, a.actual, there.ordinal, there.recorded_at))
      INTO others
      FROM unnest(actual, append_expected, append_events) WITH ORDINALITY AS a(actual, expected, events, at)
      LEFT JOIN (
        SELECT e.append, count(*) AS events, max(stored.ordinal) AS ordinal, max(stored.recorded_at) AS recorded_at
        FROM unnest(event_appends, string_to_array(event_streams, E'\\n'), event_revisions, event_ids)
             AS e(append, stream, revision, id)
        JOIN log.events stored
          ON stored.id = e.id AND stored.stream = e.stream AND stored.revision = e.revision
        GROUP BY e.append
      ) there ON there.append = a.at AND there.events = a.events
      WHERE a.actual <> a.expected;
    END IF;
    first := head_ordinal + 1;
    recorded_at := stamp;
  END $$;
`;

export const logMigrations: readonly Migration[] = [{ name: 'events', sql: events }];

/** Numbers people say on the phone (ruling 15); each value is a block that one process hands out. */
export const NUMBERS_IN_BLOCK = 32;

export const numberMigrations: readonly Migration[] = [
  {
    name: 'numbers',
    sql: ['t', 'c']
      .map((kind) => `CREATE SEQUENCE numbers.${kind} START 100001 INCREMENT ${NUMBERS_IN_BLOCK};`)
      .join('\n'),
  },
];

export const vaultMigrations: readonly Migration[] = [
  {
    name: 'person-keys',
    sql: `
      CREATE TABLE vault.master_keys (
        version integer PRIMARY KEY,
        proof bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE vault.person_keys (
        person uuid PRIMARY KEY,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closing', 'destroyed')),
        master_version integer NOT NULL REFERENCES vault.master_keys,
        wrapped bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((wrapped IS NULL) = (state = 'destroyed'))
      );
    `,
  },
];
