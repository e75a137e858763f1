import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isWellFormed } from '../../../src/domain/selector.js';
import { claimAt, listFrom, nameFrom, tagsFrom } from '../../../src/identity/claim-values.js';
import { Refused } from '../../../src/identity/token.js';

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
  [['sre', 7, null, '', 'a\nb', 'sre ', 's\u0433e', ['nested']], ['sre']],
  [undefined, []],
  [{ sre: true }, []],
])('groups %j are %j', (claim, groups) => {
  expect(listFrom({ groups: claim }, 'groups')).toEqual(groups);
});

describe('a claim that names', () => {
  it.each([
    [undefined, 'must have an owning team'],
    [7, 'must have an owning team'],
    [['sre'], 'must have an owning team'],
    ['', 'has an owning team that is empty'],
    ['sre ', 'has an owning team that has a space at its beginning or end, or two in a row'],
    ['a'.repeat(256), 'has an owning team that is longer than 255 characters'],
  ])('%j is refused with a fixed sentence', (value, why) =>
    expect(() => nameFrom(value, 'an owning team')).toThrow(new Refused(why)),
  );

  it('names what a revocation can name, whatever the characters', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 300 }));
    fc.assert(
      fc.property(text, (claim) => {
        const value = taken(claim);
        expect(isWellFormed({ kind: 'owner', value: claim }) && claim.length <= 255).toBe(value === claim);
      }),
      { numRuns: 2_000 },
    );
  });
});

function taken(claim: string): string | undefined {
  try {
    return nameFrom(claim, 'an owning team');
  } catch {
    return undefined;
  }
}
