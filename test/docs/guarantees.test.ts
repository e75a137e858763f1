/** The page of guarantees names tests; they exist, and none that carries a guarantee's number is left out. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const page = readFileSync('docs/guarantees.md', 'utf8');
const named = [...page.matchAll(/^- `(test\/[^`]+)`: (.+)$/gm)].map(([, file = '', name = '']) => ({ file, name }));
const sections = page.split(/^## /m).slice(1);

describe('docs/guarantees.md', () => {
  it.each(['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8', 'G9'])('%s names tests', (guarantee) => {
    const section = sections.find((text) => text.startsWith(`${guarantee} `)) ?? '';
    expect(section).toMatch(/^- `test\//m);
  });

  it.each(named)('$file has the test "$name"', ({ file, name }) => {
    expect(readFileSync(file, 'utf8')).toContain(`'${name}'`);
  });

  it('leaves out no file whose tests carry the number of a guarantee', () => {
    const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .filter((name) => /'G[1-9]: /.test(readFileSync(`test/${name}`, 'utf8')));
    expect(files.filter((name) => !named.some(({ file }) => file === `test/${name}`))).toEqual([]);
  });

  it.each(['What a revocation does not stop', 'What is lost with a lost log', 'Not proven'])('says: %s', (title) => {
    expect(sections.some((text) => text.startsWith(`${title}\n`))).toBe(true);
  });
});
