import type { Measure, TicketMeasures } from '#engine/analytics';
import { analyticsEntities, DayEntity, TicketMeasuresEntity } from './entities.js';
import { analyticsMigrations } from './migrations.js';
import { openTables, type ConsumerTables, type ConsumerTablesOptions } from './tables.js';

/** What counts can be told apart by. */
export const DIMENSIONS = ['day', 'tier', 'channel'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** One line of an answer: the dimensions asked for, and how often each measure was counted. */
export type Line = Readonly<Partial<Record<Dimension, string>>> & {
  readonly measures: Readonly<Partial<Record<Measure, number>>>;
};

export interface AnalyticsTables extends ConsumerTables<TicketMeasures> {
  /**
   * What was counted from a day to a day (`2026-11-24`, both included), in the order of the dimensions asked
   * for. Days on which nothing was counted are not in it.
   */
  lines(from: string, to: string, by: readonly Dimension[]): Promise<readonly Line[]>;
}

export async function openAnalyticsTables(options: ConsumerTablesOptions): Promise<AnalyticsTables> {
  const { dataSource, ...tables } = await openTables<TicketMeasures>(
    {
      consumer: 'analytics',
      entities: analyticsEntities,
      migrations: [...analyticsMigrations],
      rows: TicketMeasuresEntity,
      counts: DayEntity,
    },
    options,
  );
  return {
    ...tables,
    lines: async (from, to, by) => {
      const query = dataSource
        .getRepository(DayEntity)
        .createQueryBuilder('d')
        .select('d.measure', 'measure')
        .addSelect('sum(d.count)', 'count')
        .where('d.day BETWEEN :from AND :to', { from, to })
        .groupBy('d.measure')
        .having('sum(d.count) <> 0');
      for (const dimension of by)
        query
          .addSelect(dimension === 'day' ? 'd.day::text' : `d.${dimension}`, dimension)
          .addGroupBy(`d.${dimension}`)
          .addOrderBy(`d.${dimension}`);
      const rows = await query.getRawMany<Record<Dimension, string> & { measure: Measure; count: string }>();
      const lines = new Map<string, { -readonly [K in keyof Line]: Line[K] }>();
      for (const row of rows) {
        const named = Object.fromEntries(by.map((dimension) => [dimension, row[dimension]]));
        const name = JSON.stringify(named);
        const line = lines.get(name) ?? { ...named, measures: {} };
        lines.set(name, { ...line, measures: { ...line.measures, [row.measure]: Number(row.count) } });
      }
      return [...lines.values()] as readonly Line[];
    },
  };
}
