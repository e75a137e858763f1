/** Every metric is documented with its labels, and the page names no other. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { METRICS } from '../../src/telemetry/metric-names.js';

const page = readFileSync('docs/operations.md', 'utf8');
const rows = new Map(
  [...page.matchAll(/^\| `(mayfly_\w+)` +\| ([^|]*)\|/gm)].map(([, name = '', labels = '']) => [
    name,
    [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
  ]),
);
const metrics = Object.values(METRICS);

describe('docs/operations.md', () => {
  it.each(metrics)('has a row for $name with its labels', ({ name, labels }) => {
    expect(rows.get(name)).toEqual(Object.keys(labels));
  });

  it('speaks of no metric that does not exist', () => {
    const spoken = [...page.matchAll(/\bmayfly_[a-z_]+/g)].map(([name]) => name);
    const known = new Set<string>(metrics.map(({ name }) => name));
    expect(spoken.filter((name) => !known.has(name))).toEqual([]);
  });

  it('speaks in alerts only of labels that a metric has', () => {
    const asked = [...page.matchAll(/\b(mayfly_[a-z_]+)\{(\w+)/g)].map(([, name = '', label = '']) => ({
      name,
      label,
    }));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(({ name, label }) => rows.get(name)?.includes(label) !== true)).toEqual([]);
  });
});
