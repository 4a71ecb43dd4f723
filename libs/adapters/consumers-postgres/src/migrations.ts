import type { MigrationInterface, QueryRunner } from 'typeorm';

type Migration = new () => MigrationInterface;

/** Migrations only expand (ruling 48): nothing is ever taken back. */
abstract class Expanding {
  async down(): Promise<void> {
    throw new Error('migrations of consumers only expand; there is no way down');
  }
}

/** What the runtime keeps for every consumer. */
const runtimeTables = (schema: string): string => `
  CREATE TABLE ${schema}.state (
    "only" boolean CONSTRAINT state_pkey PRIMARY KEY CONSTRAINT state_one_row CHECK ("only"),
    version integer NOT NULL,
    pinned json NOT NULL,
    source text,
    generation bigint NOT NULL
  );

  CREATE TABLE ${schema}.positions (
    feed text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next text NOT NULL,
    digested bigint NOT NULL,
    repeats bigint NOT NULL,
    buried bigint NOT NULL,
    recorded_at bigint,
    CONSTRAINT positions_pkey PRIMARY KEY (feed, topic, partition)
  ) WITH (fillfactor = 50);

  CREATE TABLE ${schema}.seen (
    id uuid CONSTRAINT seen_pkey PRIMARY KEY
  );

  CREATE TABLE ${schema}.dead_letters (
    number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT dead_letters_pkey PRIMARY KEY,
    feed text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" text NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    reason text NOT NULL,
    told boolean NOT NULL DEFAULT false,
    CONSTRAINT dead_letters_once UNIQUE (feed, topic, partition, "offset")
  );
  CREATE INDEX dead_letters_key ON ${schema}.dead_letters (key, number);
  CREATE INDEX dead_letters_untold ON ${schema}.dead_letters (number) WHERE NOT told;
`;

class FirstAnalytics1766000000000 extends Expanding implements MigrationInterface {
  readonly name = 'FirstAnalytics1766000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${runtimeTables('analytics')}
      CREATE TABLE analytics.tickets (
        ticket uuid CONSTRAINT tickets_pkey PRIMARY KEY,
        revision integer NOT NULL,
        tier text COLLATE "C" NOT NULL,
        channel text COLLATE "C" NOT NULL,
        standing text COLLATE "C" NOT NULL,
        opened_at timestamptz NOT NULL,
        answered_at timestamptz,
        resolved_at json NOT NULL,
        reopened_at json NOT NULL,
        merged_at timestamptz,
        breaches json NOT NULL
      );

      CREATE TABLE analytics.days (
        day date NOT NULL,
        tier text COLLATE "C" NOT NULL,
        channel text COLLATE "C" NOT NULL,
        measure text COLLATE "C" NOT NULL,
        count bigint NOT NULL,
        CONSTRAINT days_pkey PRIMARY KEY (day, tier, channel, measure)
      ) WITH (fillfactor = 50);
    `);
  }
}

class FirstKnowledge1766000000001 extends Expanding implements MigrationInterface {
  readonly name = 'FirstKnowledge1766000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${runtimeTables('knowledge')}
      CREATE TABLE knowledge.tickets (
        ticket uuid CONSTRAINT tickets_pkey PRIMARY KEY,
        revision integer NOT NULL,
        number text COLLATE "C" NOT NULL,
        category uuid,
        subcategory uuid,
        resolution text COLLATE "C",
        resolved_at timestamptz,
        gone boolean NOT NULL,
        candidate boolean NOT NULL
      );
      CREATE INDEX tickets_candidates ON knowledge.tickets (resolved_at, ticket) WHERE candidate;
      CREATE INDEX tickets_by_category ON knowledge.tickets (category, resolved_at, ticket) WHERE candidate;

      CREATE TABLE knowledge.categories (
        category text COLLATE "C" CONSTRAINT categories_pkey PRIMARY KEY,
        count bigint NOT NULL
      ) WITH (fillfactor = 50);
    `);
  }
}

export const analyticsMigrations: readonly Migration[] = [FirstAnalytics1766000000000];
export const knowledgeMigrations: readonly Migration[] = [FirstKnowledge1766000000001];
