/** docs/architecture.md lists the recurring jobs as they are. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { JOBS } from '../../../src/compose/work.js';

const EVERY = new Map([
  ['1 s', '* * * * * *'],
  ['10 s', '*/10 * * * * *'],
  ['30 s', '*/30 * * * * *'],
  ['1 min', '7 * * * * *'],
  ['1 h', '23 17 * * * *'],
]);

it('the page on architecture lists every recurring job, and how often it runs', () => {
  const [, section = ''] = readFileSync('docs/architecture.md', 'utf8').split('## What runs by itself');
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` +\| ([^|]+?) +\|/gm)];
  const listed = rows.map(([, job, every = '']) => [job, EVERY.get(every)]);
  expect(new Map(listed as [string, string][])).toEqual(
    new Map(Object.entries(JOBS).map(([job, { every }]) => [job, every])),
  );
});
