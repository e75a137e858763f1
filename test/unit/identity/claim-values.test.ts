import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isWellFormed } from '../../../src/domain/selector.js';
import { holdsToken } from '../../../src/domain/token-in-text.js';
import { claimAt, listFrom, nameFrom, tagsFrom } from '../../../src/identity/claim-values.js';

describe('a claim is found by its name', () => {
  it.each([
    ['team', 'sre'],
    ['https://acme.example/team', 'namespaced'],
    ['/nested/deep/er', 'found'],
    ['/a~1b', 'slash'],
    ['/m~0n', 'tilde'],
    ['/', 'empty name'],
    ['/nested/absent', undefined],
    ['/team/length', undefined],
    ['/list/0', undefined],
    ['constructor', undefined],
    ['/nested/constructor', undefined],
    ['__proto__', undefined],
  ])('%s', (name, value) => {
    const claims = {
      team: 'sre',
      'https://acme.example/team': 'namespaced',
      nested: { deep: { er: 'found' } },
      'a/b': 'slash',
      'm~n': 'tilde',
      '': 'empty name',
      list: ['first'],
    };
    expect(claimAt(claims, name)).toBe(value);
  });
});

describe('a tag is text', () => {
  it.each([
    ['main', 'main'],
    ['', ''],
    [74, '74'],
    [-1, '-1'],
    [true, 'true'],
    [1.5, undefined],
    [2 ** 60, undefined],
    [null, undefined],
    [['a'], undefined],
    [{ a: 1 }, undefined],
  ])('%j becomes %j', (value, text) => {
    expect(tagsFrom({ claim: value }, ['claim'])).toEqual(text === undefined ? {} : { claim: text });
  });

  it('under the name the operator gave it, whatever that is', () => {
    expect(
      Object.entries(tagsFrom(JSON.parse('{"__proto__":"own"}') as Record<string, unknown>, ['__proto__'])),
    ).toEqual([['__proto__', 'own']]);
  });
});

it.each([
  ['sre', ['sre']],
  [
    ['sre', 'oncall'],
    ['sre', 'oncall'],
  ],
  [['sre', 7, null, '', 'a\nb', ['nested']], ['sre']],
  [undefined, []],
  [{ sre: true }, []],
])('groups %j are %j', (claim, groups) => {
  expect(listFrom({ groups: claim }, 'groups')).toEqual(groups);
});

it('whoever can be named by a token can be named by a revocation', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (text) => {
      const value = `lab:${nameFrom(text) ?? 'agent'}`;
      expect(holdsToken(value) || isWellFormed({ kind: 'workload', value })).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
