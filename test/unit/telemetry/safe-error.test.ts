/** Which errors keep their message in the log: only classes of this project, each of which exists. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { LOGGED_WITH_MESSAGE } from '../../../src/telemetry/safe-error.js';

/** An error is known by its `name`, so the class must set it. */
const DECLARED = /class (\w+) extends Error \{\s+override name = '(\w+)'/g;

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(`src/${path}`, 'utf8'));
const declared = sources.flatMap((source) => [...source.matchAll(DECLARED)].map(([, name, set]) => ({ name, set })));

it('every class in the list is declared in src, under the name that is listed', () => {
  const names = declared.filter(({ name, set }) => name === set).map(({ name }) => name);
  expect([...LOGGED_WITH_MESSAGE].filter((name) => name !== 'Error' && !names.includes(name))).toEqual([]);
});

it('every error of this project has the name of its class, or the list could not distinguish it from another', () => {
  expect(declared.length).toBeGreaterThan(5);
  expect(declared.filter(({ name, set }) => name !== set)).toEqual([]);
});
