/** Makes metrics by their entry in the list of names (`metric-names.ts`). */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { METRICS, type LabelValues } from './metric-names.js';

interface Made {
  counter: Counter;
  labels: Readonly<Record<string, LabelValues>>;
}

/** Makes the series of a counter for all values of its labels. One with values that are not known yet gets none. */
export function beginAtZero({ counter, labels }: Made): void {
  let series: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    if (typeof values === 'string') return;
    series = series.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
  }
  for (const one of series) counter.inc(one, 0);
}

type Name = keyof typeof METRICS;
export type Factories = ReturnType<typeof factories>;

/** Returns functions that make a metric by its entry in the list of names, which also has its help text and labels. */
export function factories(registry: Registry) {
  const options = <N extends Name>(metric: N) => {
    const { name, help, labels } = METRICS[metric];
    const labelNames = Object.keys(labels) as (keyof (typeof METRICS)[N]['labels'] & string)[];
    return { name, help, labelNames, registers: [registry] };
  };
  const counters: Made[] = [];
  return {
    /** Those that were made so far. */
    counters,
    counter: <N extends Name>(metric: N) => {
      const counter = new Counter(options(metric));
      counters.push({ counter, labels: METRICS[metric].labels });
      return counter;
    },
    gauge: <N extends Name>(metric: N) => new Gauge(options(metric)),
    /** A gauge whose value is computed whenever the metrics are read. */
    computedGauge: (metric: Name, value: () => number) =>
      new Gauge({
        ...options(metric),
        collect() {
          this.set(value());
        },
      }),
    histogram: <N extends Name>(metric: N, buckets: number[]) => new Histogram({ ...options(metric), buckets }),
  };
}
