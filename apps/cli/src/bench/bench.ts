/** A bar of DESIGN section 10. */
export interface BarDefinition {
  readonly name: string;
  readonly bar: number;
  /** True where the value may not be above the bar; else it may not be below. */
  readonly atMost?: boolean;
  /** Of value and bar: `×`, `ms`, `s`, `MB` … */
  readonly unit: string;
  /** The log it is about, where a run may be about one of several. */
  readonly log?: BenchLog;
}

export const BENCH_LOGS = ['postgres', 'eventstoredb'] as const;
export type BenchLog = (typeof BENCH_LOGS)[number];

export interface Bar extends BarDefinition {
  readonly value: number;
  readonly holds: boolean;
  readonly reason?: string;
}

export interface Comparison {
  /** Names the figures: `<name>` and `<name> reference`. */
  readonly name: string;
  readonly unit: string;
  /** Each round measures both, one after the other, in turns; the figure is a rate: more is better. */
  readonly ours: () => Promise<number>;
  readonly reference: () => Promise<number>;
  /** What the reference is known to do here (toolchain.md, DESIGN): below 70 % of it a run does not count (ruling 42). */
  readonly recorded?: number;
  readonly rounds?: number;
  /** Name of the bar that the median ratio decides. */
  readonly bar?: string;
}

/** What a bench's body is given; one run of one bench, in a folder and a PostgreSQL of its own. */
export interface BenchContext {
  /** A fresh database on the run's own server, durable as in production. */
  database(): Promise<string>;
  /** The only log to be measured; absent: all. */
  readonly log?: BenchLog;
  /** Absent: the double. */
  readonly eventStoreUrl?: string;
  /** Temporary; gone after the run. */
  readonly folder: string;
  /** Aborts when the run has to end; a bench that sees it may return with the bars it has. */
  readonly signal: AbortSignal;
  /** Milliseconds left for the whole run. */
  left(): number;
  /** Said on standard error. */
  progress(text: string): void;
  figure(name: string, value: number, unit: string): void;
  /** Decides a bar that the bench has declared. */
  bar(name: string, value: number, reason?: string): void;
  /** Interleaved rounds of ours and a reference; answers the median of the rounds' ratios, and sets figures and bar. */
  compare(comparison: Comparison): Promise<number>;
}

export type BenchBody = (bench: BenchContext) => Promise<void>;

export interface Figure {
  readonly value: number;
  readonly unit: string;
}

export interface BenchResult {
  readonly figures: ReadonlyMap<string, Figure>;
  readonly bars: readonly Bar[];
  readonly seconds: number;
}

/** Four significant digits; a bench promises no more. */
export const rounded = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(4)) : 0);

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Interpolated linearly between the two nearest values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * p;
  const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
  return low + (high - low) * (at - Math.floor(at));
}

/** A bar with what was measured; a run that does not count holds nothing. */
export function decided(definition: BarDefinition, value: number, reason?: string): Bar {
  const reached = definition.atMost ? value <= definition.bar : value >= definition.bar;
  return {
    ...definition,
    value,
    holds: reached && reason === undefined,
    ...(reason !== undefined && { reason }),
  };
}
