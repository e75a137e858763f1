import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { configFields } from '../support/config-fields.js';

/** Rows of the tables: | `path` | default | meaning | */
const documented = [
  ...readFileSync('docs/configuration.md', 'utf8').matchAll(/^\| `([^`]+)` +\| ([^|]*?) *\| ([^|]+?) *\|$/gm),
].map(([, path = '', fallback = '', meaning = '']) => ({ path, fallback, meaning }));

const fields = configFields();

describe('docs/configuration.md', () => {
  it('documents every field of the schema, and none that does not exist', () => {
    const paths = (entries: { path: string }[]) => [...new Set(entries.map(({ path }) => path))].toSorted();
    expect(paths(documented)).toEqual(paths(fields));
  });

  it('says the defaults that the schema gives, and what has none', () => {
    for (const { path, fallback } of documented) {
      const shapes = fields.filter((field) => field.path === path);
      const defaults = new Set(shapes.map((field) => field.default ?? (field.required ? 'required' : '')));
      const said = fallback.replaceAll('`', '');
      expect({ path, said: [...defaults].some((value) => plain(value) === said) }).toEqual({ path, said: true });
    }
  });

  it('has a schema whose every field says what it is for', () => {
    expect(fields.filter(({ description }) => description === '').map(({ path }) => path)).toEqual([]);
  });
});

/** A default as the page writes it: text without quotes, lists with a space. */
const plain = (json: string): string => json.replaceAll('"', '').replaceAll(',', ', ').replaceAll(':{', ': {');
