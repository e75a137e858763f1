/** docs/architecture.md lists the recurring jobs as they are. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { JOBS } from '../../../src/compose/work.js';

const EVERY_MS = new Map([
  ['1 s', 1_000],
  ['2 s', 2_000],
  ['10 s', 10_000],
  ['30 s', 30_000],
  ['1 min', 60_000],
  ['10 min', 600_000],
]);

it('the page on architecture lists every recurring job, and how often it runs', () => {
  const [, section = ''] = readFileSync('docs/architecture.md', 'utf8').split('## What runs by itself');
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` +\| ([^|]+?) +\|/gm)];
  const listed = rows.map(([, job, every = '']) => [job, EVERY_MS.get(every)]);
  expect(new Map(listed as [string, number][])).toEqual(
    new Map(Object.entries(JOBS).map(([job, { everyMs }]) => [job, everyMs])),
  );
});
