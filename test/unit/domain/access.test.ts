/** Paths and patterns: what covers what, compared with an enumeration of every concrete path. */
import fc from 'fast-check';
import { describe, expect, it, test } from '@jest/globals';
import {
  covers,
  isAction,
  isPattern,
  isWithin,
  normalise,
  overlaps,
  pairsOf,
  pathProblem,
} from '../../../src/domain/access.js';

const word = fc.constantFrom('a', 'b', 'c');
const pattern = fc
  .tuple(fc.array(fc.oneof(word, fc.constant('*')), { maxLength: 3 }), fc.constantFrom('', '**'))
  .map(([segments, end]) => [...segments, ...(end ? [end] : [])].join('/'))
  .filter((path) => path !== '');

/** Every path of up to five segments over an alphabet that has one letter more than the patterns. */
const ALL = [1, 2, 3, 4, 5]
  .reduce<string[][]>(
    (levels) => [
      ...levels,
      (levels.at(-1) ?? []).flatMap((path) => ['a', 'b', 'c', 'd'].map((one) => (path ? `${path}/${one}` : one))),
    ],
    [['']],
  )
  .slice(1)
  .flat();

/** Returns whether a pattern matches, computed in another way: by recursion over segments. */
function names([head, ...rest]: string[], [first, ...others]: string[]): boolean {
  if (head === undefined || first === undefined) return head === first;
  if (head === '**') return true;
  return (head === '*' || head === first) && names(rest, others);
}
const named = (path: string) => ALL.filter((one) => names(path.split('/'), one.split('/')));

describe('covers', () => {
  test('is reflexive', () => fc.assert(fc.property(pattern, (a) => covers(a, a))));

  test('is transitive', () =>
    fc.assert(fc.property(pattern, pattern, pattern, (a, b, c) => !(covers(a, b) && covers(b, c)) || covers(a, c))));

  test('is exactly: every path that b names, a names too', () =>
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        const within = new Set(named(a));
        expect(covers(a, b)).toBe(named(b).every((path) => within.has(path)));
      }),
      { numRuns: 300 },
    ));

  it.each([
    ['incident/**', 'incident', false],
    ['incident/*', 'incident/1/notes', false],
    ['incident/*', 'incident/**', false],
    ['**', '*/**', true],
    ['*/**', '**', false],
    ['incident/4711', 'incident/47110', false],
    ['incident/4711', 'Incident/4711', false],
  ])('covers(%s, %s) is %s', (a, b, answer) => expect(covers(a, b)).toBe(answer));
});

describe('overlaps', () => {
  test('is symmetric, and exactly: some path is named by both', () =>
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        const within = new Set(named(a));
        expect(overlaps(a, b)).toBe(named(b).some((path) => within.has(path)));
        expect(overlaps(b, a)).toBe(overlaps(a, b));
      }),
      { numRuns: 300 },
    ));

  test('what is covered overlaps', () =>
    fc.assert(fc.property(pattern, pattern, (a, b) => !covers(a, b) || overlaps(a, b))));
});

describe('a path', () => {
  it.each([
    ['', /empty/],
    ['/incident', /empty/],
    ['incident/', /empty/],
    ['incident//1', /empty/],
    ['.', /"\."/],
    ['incident/..', /"\.\."/],
    ['**/x', /before its end/],
    ['incident/a|b', /outside/],
    ['incident/4*', /beside other characters/],
    ['incident/***', /beside other characters/],
    ['incident%2f1', /outside/],
    ['incident\\1', /outside/],
    ['incident 1', /outside/],
    ['incident/é', /outside/],
    ['incident/１', /outside/],
    ['incident\n', /outside/],
    ['incident\0', /outside/],
    ['a/b/c/d/e/f/g/h/i', /more than 8 segments/],
    ['x'.repeat(257), /longer than 256/],
  ])('%j is refused', (path, why) => expect(pathProblem(path)).toMatch(why));

  it.each(['a', 'a/b/c/d/e/f/g/h', 'x'.repeat(256), '*', '**', '*/**', 'a/*/b', '...', 'a:b/c@d', '~x/-1'])(
    '%s is taken',
    (path) => expect(pathProblem(path)).toBeUndefined(),
  );

  test('that is taken has none of the letters a path trick needs', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (path) => {
        if (pathProblem(path) !== undefined) return;
        expect(path).not.toMatch(/[%\\\s|<>"'`{}$^?#&;]|(^|\/)\.{0,2}(\/|$)/);
      }),
      { numRuns: 2_000 },
    ));

  it('is a pattern when a whole segment is a star', () => {
    expect(['a/*', '**', '*'].every(isPattern)).toBe(true);
    expect(['a', 'a/b'].some(isPattern)).toBe(false);
  });
});

describe('an action', () => {
  it.each(['read', 's3:GetObject', 'a'.repeat(64)])('%s can be one', (text) => expect(isAction(text)).toBe(true));
  it.each(['', '1read', ':x', 'a b', 'a*', 'a'.repeat(65), 'read\n'])('%j cannot', (text) =>
    expect(isAction(text)).toBe(false),
  );
});

describe('attenuation', () => {
  const target = 'https://tickets.example';
  const access = fc.array(fc.record({ path: pattern, actions: fc.subarray(['read', 'write'], { minLength: 1 }) }), {
    minLength: 1,
    maxLength: 3,
  });

  test('lets through only pairs that one granted entry of the same target covers', () =>
    fc.assert(
      fc.property(access, access, (granted, asked) => {
        const ceiling = granted.map((entry) => ({ target, ...entry }));
        const covered = pairsOf(asked).every(({ path, action }) =>
          granted.some((entry) => entry.actions.includes(action) && covers(entry.path, path)),
        );
        expect(isWithin(ceiling, target, asked)).toBe(covered);
        expect(isWithin(ceiling, 'https://other.example', asked)).toBe(false);
        expect(isWithin([], target, asked)).toBe(false);
      }),
    ));

  test('normalising changes nothing of what is meant', () =>
    fc.assert(
      fc.property(access, (asked) => {
        const key = (pairs: { path: string; action: string }[]) =>
          pairs.map(({ path, action }) => `${path} ${action}`).sort();
        expect(key(pairsOf(normalise(asked)))).toEqual(key(pairsOf(asked)));
        expect(new Set(normalise(asked).map(({ path }) => path)).size).toBe(normalise(asked).length);
      }),
    ));
});
