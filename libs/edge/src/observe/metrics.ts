import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** One metric with all its samples. */
export interface Figure {
  readonly name: string;
  /** Prometheus's text format. */
  readonly text: string;
}

/** One registry a process. Labels are codes, route templates and names of ours: never an id or a text of a person. */
export interface Metrics {
  readonly registry: Registry;
  /** All figures of this process in Prometheus's text format. */
  text(): Promise<string>;
  figures(): Promise<readonly Figure[]>;
  /** Figures measured elsewhere in this process; those that this registry has itself are left out. */
  include(figures: () => Promise<readonly Figure[]>): void;
  /** @param milliseconds from the request's arrival to its answer */
  request(route: string, status: number, milliseconds: number): void;
  /**
   * A figure asked for at each scrape, by label value (`view`, `reason`, …). A measure that fails leaves its
   * last value and does not fail the scrape.
   */
  gauge(
    name: string,
    help: string,
    label: string | null,
    measure: () => Promise<ReadonlyMap<string, number> | number> | ReadonlyMap<string, number> | number,
  ): void;
}

export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'covenant_http_request_seconds',
    help: 'Answers by route template and status',
    labelNames: ['route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 5],
    registers: [registry],
  });
  // Labels are hashed at each use otherwise; both kinds of values are few.
  const known = new Map<string, { observe(value: number): void }[]>();
  const others: (() => Promise<readonly Figure[]>)[] = [];
  return {
    registry,
    figures: () =>
      Promise.all(
        registry.getMetricsAsArray().map(async ({ name }) => ({
          name,
          text: await registry.getSingleMetricAsString(name),
        })),
      ),
    text: async () => {
      const [own, ...more] = await Promise.all([
        registry.metrics(),
        // Whoever cannot say its figures now does not fail the scrape; readiness tells of it.
        ...others.map((figures) => figures().catch((): readonly Figure[] => [])),
      ]);
      const texts = more.flat().filter(({ name }) => registry.getSingleMetric(name) === undefined);
      return [own, ...texts.map(({ text }) => `${text}\n`)].join('\n');
    },
    include: (figures) => void others.push(figures),
    request: (route, status, milliseconds) => {
      let byStatus = known.get(route);
      if (!byStatus) known.set(route, (byStatus = []));
      (byStatus[status] ??= requests.labels(route, String(status))).observe(milliseconds / 1000);
    },
    gauge: (name, help, label, measure) => {
      new Gauge({
        name,
        help,
        labelNames: label === null ? [] : [label],
        registers: [registry],
        async collect() {
          const measured = await Promise.resolve()
            .then(measure)
            .catch(() => null);
          if (measured === null) return;
          if (typeof measured === 'number') {
            this.set(measured);
            return;
          }
          this.reset();
          for (const [value, figure] of measured) this.set({ [label ?? 'of']: value }, figure);
        },
      });
    },
  };
}
