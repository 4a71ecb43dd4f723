import type { AnalyticsTables, Dimension, Line } from '#adapters/consumers-postgres';

/** The tables of this app, as a token for Nest. */
export abstract class AnalyticsHome implements AnalyticsTables {
  abstract readonly store: AnalyticsTables['store'];
  abstract lines(from: string, to: string, by: readonly Dimension[]): Promise<readonly Line[]>;
  abstract ready(): Promise<void>;
  abstract close(): Promise<void>;
}
