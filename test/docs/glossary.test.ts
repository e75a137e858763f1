/** The glossary: twenty-five words, each in two plain sentences, and each a word that the code or the documentation uses. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const page = readFileSync('docs/glossary.md', 'utf8');
const rows = [...page.matchAll(/^\| ([a-z][a-z ]+?) +\| (.+?) +\|$/gm)]
  .map(([, word = '', meaning = '']) => ({ word, meaning }))
  .filter(({ word }) => word !== 'word');
const used = [
  ...readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => `src/${name}`),
  ...readdirSync('docs').map((name) => `docs/${name}`),
]
  .filter((name) => /\.(ts|md)$/.test(name) && name !== 'docs/glossary.md')
  .map((name) => readFileSync(name, 'utf8'))
  .join('\n')
  .toLowerCase();

describe('docs/glossary.md', () => {
  it('has twenty-five words', () => {
    expect(new Set(rows.map(({ word }) => word)).size).toBe(25);
    expect(rows).toHaveLength(25);
  });

  it.each(rows)('explains $word in two sentences, neither longer than is read in one breath', ({ meaning }) => {
    const sentences = meaning.split(/(?<=[.])\s+(?=[A-Z`])/);
    expect(sentences).toHaveLength(2);
    expect(sentences.filter((sentence) => sentence.split(/\s+/).length > 28)).toEqual([]);
  });

  it.each(rows)('explains $word because it is used elsewhere', ({ word }) => {
    expect(used).toMatch(new RegExp(`\\b${word.replace(' of ', 's? of ')}s?\\b`));
  });
});
