/** The rooms of src/: the folders, the import table and the page that explains them say the same, and arrows only go down. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ROOMS } from '../../scripts/rooms.mjs';

const names = ROOMS.map(({ room }) => room);
const page = readFileSync('docs/architecture.md', 'utf8');
const rows = [...page.matchAll(/^\| `(\w+)\/` +\| ([^|]+?) *\| ([^|]+?) *\|$/gm)];

describe('The rooms of src/', () => {
  it('are the folders that there are', () => {
    const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(names.toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  });

  it('hold everything but the process itself', () => {
    const loose = readdirSync('src', { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    expect(loose.map(({ name }) => name)).toEqual(['main.ts']);
  });

  it('stand in docs/architecture.md in the same order, each with what belongs there and what may not', () => {
    expect(rows.map(([, room]) => room)).toEqual(names);
    for (const [, , belongs, mayNot] of rows) expect([belongs, mayNot]).not.toContain('');
  });

  it('stand in the layers of its diagram in that order too', () => {
    const layers = [...page.matchAll(/^ +\w+\["<b>[\w ]+<\/b><br\/>([\w ·]+)"\]$/gm)];
    expect(layers.flatMap(([, layer = '']) => layer.split(' · '))).toEqual(names);
  });

  it.each(ROOMS)('lets $room see only rooms below it', ({ room, sees }) => {
    const below = names.slice(names.indexOf(room) + 1);
    expect(sees.filter((other) => !below.includes(other))).toEqual([]);
    expect(new Set(sees).size).toBe(sees.length);
  });

  it.each(ROOMS)('names no arrow from $room that nothing uses', ({ room, sees }) => {
    const text = readdirSync(`src/${room}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(`src/${room}/${name}`, 'utf8'))
      .join('\n');
    expect(sees.filter((other) => !new RegExp(`from '(\\.\\./)+${other}/`).test(text))).toEqual([]);
  });
});
