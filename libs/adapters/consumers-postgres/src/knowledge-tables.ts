import type { Candidate } from '#engine/knowledge';
import type { Instant } from '#kernel';
import { CandidateEntity, CategoryEntity, knowledgeEntities } from './entities.js';
import { knowledgeMigrations } from './migrations.js';
import { openTables, type ConsumerTables, type ConsumerTablesOptions } from './tables.js';

/** Where a page of candidates begins: after this one. */
export interface CandidateCursor {
  readonly resolvedAt: Instant;
  readonly ticket: string;
}

export interface CategoryCount {
  /** Id of the category, or CATEGORYLESS. */
  readonly category: string;
  readonly candidates: number;
}

export interface KnowledgeTables extends ConsumerTables<Candidate> {
  /**
   * Candidates, the latest resolved first.
   *
   * @param page.category only of this one; null: only those without one
   */
  candidates(page: {
    readonly category?: string | null;
    readonly limit: number;
    readonly after?: CandidateCursor;
  }): Promise<{ readonly rows: readonly Candidate[]; readonly more: boolean }>;
  /** Categories that have candidates, the most first; at most so many. */
  categories(limit: number): Promise<readonly CategoryCount[]>;
}

export async function openKnowledgeTables(options: ConsumerTablesOptions): Promise<KnowledgeTables> {
  const { dataSource, ...tables } = await openTables<Candidate>(
    {
      consumer: 'knowledge',
      entities: knowledgeEntities,
      migrations: [...knowledgeMigrations],
      rows: CandidateEntity,
      counts: CategoryEntity,
    },
    options,
  );
  return {
    ...tables,
    candidates: async ({ category, limit, after }) => {
      const query = dataSource
        .getRepository(CandidateEntity)
        .createQueryBuilder('t')
        .where('t.candidate')
        .orderBy('t.resolvedAt', 'DESC')
        .addOrderBy('t.ticket', 'DESC')
        .limit(limit + 1);
      if (category === null) query.andWhere('t.category IS NULL');
      else if (category !== undefined) query.andWhere('t.category = :category', { category });
      if (after) query.andWhere('(t.resolvedAt, t.ticket) < (:resolvedAt, :ticket)', { ...after });
      const rows = await query.getMany();
      return { rows: rows.slice(0, limit), more: rows.length > limit };
    },
    categories: async (limit) => {
      const rows = await dataSource
        .getRepository(CategoryEntity)
        .createQueryBuilder('c')
        .where('c.count > 0')
        .orderBy('c.count', 'DESC')
        .addOrderBy('c.category')
        .limit(limit)
        .getMany();
      return rows.map(({ category, count }) => ({ category, candidates: count }));
    },
  };
}
