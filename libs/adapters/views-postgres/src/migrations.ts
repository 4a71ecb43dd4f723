import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Migrations only expand (ruling 48): nothing is ever taken back. */
abstract class Expanding {
  async down(): Promise<void> {
    throw new Error('migrations of the views only expand; there is no way down');
  }
}

/** The views of the first slice. Indexes are few: every one is paid for by each change of a row. */
export class FirstViews1764000000000 extends Expanding implements MigrationInterface {
  readonly name = 'FirstViews1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE views.checkpoints (
        view text CONSTRAINT checkpoints_pkey PRIMARY KEY,
        version integer NOT NULL,
        token bigint NOT NULL,
        log uuid NOT NULL,
        position bigint NOT NULL,
        event uuid,
        recorded_at bigint NOT NULL
      );

      CREATE TABLE views.parked (
        view text NOT NULL,
        stream text NOT NULL,
        from_revision integer NOT NULL,
        up_to_revision integer NOT NULL,
        position bigint NOT NULL,
        reason text NOT NULL,
        CONSTRAINT parked_pkey PRIMARY KEY (view, stream)
      );

      CREATE TABLE views.tallies (
        view text NOT NULL,
        subject text NOT NULL,
        kind text NOT NULL,
        count bigint NOT NULL,
        CONSTRAINT tallies_pkey PRIMARY KEY (view, subject, kind)
      ) WITH (fillfactor = 50);

      CREATE TABLE views.tickets (
        id uuid CONSTRAINT tickets_pkey PRIMARY KEY,
        number text COLLATE "C" NOT NULL,
        revision integer NOT NULL,
        etag integer NOT NULL,
        opened bigint NOT NULL,
        position bigint NOT NULL,
        status text COLLATE "C" NOT NULL,
        channel text COLLATE "C" NOT NULL,
        tier text COLLATE "C" NOT NULL,
        priority integer NOT NULL,
        requester uuid NOT NULL,
        customer uuid,
        policy text COLLATE "C" NOT NULL,
        queue text COLLATE "C" NOT NULL,
        "group" uuid,
        agent uuid,
        holds json NOT NULL,
        vendor uuid,
        category uuid,
        subcategory uuid,
        service uuid,
        external_reference uuid,
        handover json,
        escalation integer NOT NULL,
        rating integer,
        pending_merge uuid,
        merged_into uuid,
        merged json NOT NULL,
        links json NOT NULL,
        clocks json NOT NULL,
        breaches json NOT NULL,
        labels json NOT NULL,
        opened_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        resolved_at timestamptz,
        closed_at timestamptz
      );
      CREATE INDEX tickets_opened ON views.tickets (opened);
      CREATE INDEX tickets_number ON views.tickets (number);
      CREATE INDEX tickets_external_reference ON views.tickets (external_reference)
        WHERE external_reference IS NOT NULL;
      CREATE INDEX tickets_status ON views.tickets (status, opened);
      CREATE INDEX tickets_queue ON views.tickets (queue, opened);
      CREATE INDEX tickets_agent ON views.tickets (agent, opened) WHERE agent IS NOT NULL;
      CREATE INDEX tickets_requester ON views.tickets (requester, opened);
      CREATE INDEX tickets_customer ON views.tickets (customer, opened) WHERE customer IS NOT NULL;

      CREATE TABLE views.timeline (
        ticket uuid NOT NULL,
        revision integer NOT NULL,
        position bigint NOT NULL,
        type text COLLATE "C" NOT NULL,
        audience text COLLATE "C" NOT NULL,
        occurred_at timestamptz NOT NULL,
        recorded_at bigint NOT NULL,
        actor json NOT NULL,
        data json NOT NULL,
        sealed json,
        CONSTRAINT timeline_pkey PRIMARY KEY (ticket, revision)
      );

      CREATE TABLE views.queue_items (
        ticket uuid CONSTRAINT queue_items_pkey PRIMARY KEY,
        revision integer NOT NULL,
        queue text COLLATE "C" NOT NULL,
        standing text COLLATE "C" NOT NULL,
        rank bigint,
        opened bigint NOT NULL,
        entered_at timestamptz NOT NULL,
        status text COLLATE "C" NOT NULL,
        holds json NOT NULL,
        agent uuid,
        clocks json NOT NULL,
        group_label json,
        offered_label json
      );
      CREATE INDEX queue_items_order ON views.queue_items (queue, standing, rank, opened)
        WHERE standing <> 'gone';

      CREATE TABLE views.queues (
        id uuid CONSTRAINT queues_pkey PRIMARY KEY,
        revision integer NOT NULL,
        etag integer NOT NULL,
        defined_at timestamptz NOT NULL,
        label json
      );

      CREATE TABLE views.people (
        id uuid CONSTRAINT people_pkey PRIMARY KEY,
        revision integer NOT NULL,
        called json
      );

      CREATE TABLE views.pending_dues (
        ticket uuid CONSTRAINT pending_dues_pkey PRIMARY KEY,
        revision integer NOT NULL,
        due timestamptz,
        importing boolean NOT NULL,
        clocks json NOT NULL
      );
      CREATE INDEX pending_dues_due ON views.pending_dues (due, ticket) WHERE due IS NOT NULL;
    `);
  }
}

/**
 * Whether promises were kept. The report is its tallies; rows are asked for only by the months of what was
 * paused, and by what was met lately.
 */
export class Attainment1764050000000 extends Expanding implements MigrationInterface {
  readonly name = 'Attainment1764050000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE views.attainment (
        ticket uuid CONSTRAINT attainment_pkey PRIMARY KEY,
        revision integer NOT NULL,
        tier text COLLATE "C" NOT NULL,
        priorities json NOT NULL,
        rests json NOT NULL,
        cycles json NOT NULL,
        waited_in jsonb NOT NULL,
        met_at timestamptz
      );
      CREATE INDEX attainment_waited_in ON views.attainment USING gin (waited_in) WHERE waited_in <> '[]';
      CREATE INDEX attainment_met_at ON views.attainment (met_at) WHERE met_at IS NOT NULL;
    `);
  }
}

/** Since when a ticket's promises stand still; the list of forgotten pauses and their number ask by it. */
export class PausedSince1764060000000 extends Expanding implements MigrationInterface {
  readonly name = 'PausedSince1764060000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE views.tickets ADD COLUMN paused_since timestamptz;
      CREATE INDEX tickets_paused_since ON views.tickets (paused_since) WHERE paused_since IS NOT NULL;
    `);
  }
}

/** Since when a ticket is overdue; lists of them ask by it. */
export class OverdueSince1764070000000 extends Expanding implements MigrationInterface {
  readonly name = 'OverdueSince1764070000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE views.tickets ADD COLUMN overdue_since timestamptz;
      CREATE INDEX tickets_overdue_since ON views.tickets (overdue_since) WHERE overdue_since IS NOT NULL;
    `);
  }
}

export const migrations = [
  FirstViews1764000000000,
  Attainment1764050000000,
  PausedSince1764060000000,
  OverdueSince1764070000000,
];
