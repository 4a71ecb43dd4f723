import type { BarDefinition, BenchBody } from './harness.js';

export interface BenchDefinition {
  /** What is measured against what, for docs/benchmarks.md. */
  readonly about: string;
  /** One for each bar of DESIGN section 10. */
  readonly bars: readonly BarDefinition[];
  /** Loads the body only when it runs: references are development dependencies. */
  readonly load: () => Promise<BenchBody>;
}

const registered = {
  append: {
    about:
      'One event of 1 KB to a new stream, acknowledged when durable, by 1, 64 and 512 callers at once; reference: Emmett 0.42 on the same PostgreSQL, in interleaved rounds. The bar is on the median of the rounds’ ratios.',
    bars: [
      { name: '1 caller', bar: 1.5, unit: '×' },
      { name: '64 callers', bar: 7, unit: '×' },
      { name: '512 callers', bar: 9, unit: '×' },
    ],
    load: async () => (await import('./append.js')).append,
  },
} as const satisfies Readonly<Record<string, BenchDefinition>>;

export type BenchName = keyof typeof registered;

export const benches: Readonly<Record<BenchName, BenchDefinition>> = registered;
