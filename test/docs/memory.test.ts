/** The page of what a process remembers names files that exist. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const named = [...readFileSync('docs/memory.md', 'utf8').matchAll(/^\| `([\w/-]+\.ts)` +\|/gm)].map(
  ([, path = '']) => path,
);

describe('docs/memory.md', () => {
  it('lists what is remembered, file by file', () => {
    expect(named.length).toBeGreaterThan(10);
  });

  it.each(named)('names %s, which exists', (path) => {
    expect(existsSync(`src/${path}`)).toBe(true);
  });
});
