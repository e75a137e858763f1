/** The page of guarantees names tests; they exist, their names are whole sentences, and no numbered one is left out. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { testTitles } from '../support/test-titles.js';

/** The items of a list are wrapped like all prose. */
const page = readFileSync('docs/guarantees.md', 'utf8').replaceAll(/\n {2}(?=\S)/g, ' ');
const named = [...page.matchAll(/^- `(test\/[^`]+)`: (.+)$/gm)].map(([, file = '', name = '']) => ({ file, name }));
const sections = page.split(/^## /m).slice(1);

describe('docs/guarantees.md', () => {
  it.each(['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8', 'G9'])('%s names tests', (guarantee) => {
    const section = sections.find((text) => text.startsWith(`${guarantee} `)) ?? '';
    expect(section).toMatch(/^- `test\//m);
  });

  it.each(named)('$file has "$name", with the titles of all blocks around it', ({ file, name }) => {
    expect(testTitles(file).map((path) => path.join(' › '))).toContain(name);
  });

  it.each(named)('"$name" ($file) is a whole sentence, and needs no row of a table to be one', ({ name }) => {
    expect(name).not.toMatch(/%[a-z]|\$\w/);
    expect(name).not.toMatch(/^(and|or|but|that|which|is|are|has|have|does|do|of|with|carries|says|whatever)\b/);
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
