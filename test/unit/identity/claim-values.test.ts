import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isWellFormed } from '../../../src/domain/selector.js';
import {
  assertRequired,
  claimAt,
  groupsFrom,
  knownFrom,
  nameFrom,
  readClaim,
} from '../../../src/identity/claim-values.js';
import { readObject, type JsonObject } from '../../../src/domain/json-object.js';
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

/** The table of docs/configuration.md, cell by cell: | the token says | claims | groups | name | require | */
const table = [
  ...readFileSync('docs/configuration.md', 'utf8').matchAll(
    /^\| (`[^|]+`|nothing[^|]*?) +\| ([^|]+?) +\| ([^|]+?) +\| (taken|refused) +\| ([^|]+?) +\|$/gm,
  ),
].map(([, says = '', known = '', groups = '', name = '', required = '']) => ({ says, known, groups, name, required }));

/** Returns the claims of a token as the first cell of a row describes them. */
function tokenOf(says: string): JsonObject {
  if (says.startsWith('`')) return { groups: parseJson(says.slice(1, -1)) };
  if (says.includes('_claim_names')) return { _claim_names: { groups: 'src1' } };
  return says.includes('hasgroups') ? { hasgroups: true } : {};
}

/** Parses as tokens are parsed. */
function parseJson(text: string): unknown {
  return readObject(`{"value":${text}}`)?.['value'];
}

const code = (value: unknown): string => `\`${JSON.stringify(value).replaceAll(',', ', ')}\``;
const outcome = (work: () => string): string => {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) return 'refused';
    throw error;
  }
};

describe('what a claim can be', () => {
  const CLAIM = 'groups';

  it('is in the table of docs/configuration.md, with every kind of JSON', () => {
    const kinds = table.map(({ says }) => says.replaceAll('`', '')[0]);
    expect([...new Set(kinds)].toSorted()).toEqual(['"', '1', '7', '9', '[', 'n', 't', '{']);
    expect(table).toHaveLength(18);
  });

  it.each(table)('$says is what the table says', ({ says, known, groups, name, required }) => {
    const claims = tokenOf(says);
    expect(knownText(claims)).toBe(known);
    expect(groupsText(claims)).toBe(groups);
    expect(outcome(() => (nameFrom(claims[CLAIM], 'a name'), 'taken'))).toBe(name);
    expect(outcome(() => (assertRequired(claims, { [CLAIM]: ['*', '**'] }), 'fits'))).toBe(
      required === 'refused' ? 'refused' : 'fits',
    );
    for (const text of required === 'refused' ? [] : (JSON.parse(required.slice(1, -1)) as string[]))
      expect(() => assertRequired(claims, { [CLAIM]: [text] })).not.toThrow();
  });

  function knownText(token: JsonObject): string {
    const { claims, unread } = knownFrom(token, [CLAIM]);
    const value = claims[CLAIM];
    expect(unread).toEqual(value === undefined && unread.length > 0 ? [CLAIM] : []);
    if (value === undefined) return unread.length > 0 ? 'unread' : 'nothing';
    return `${typeof value === 'string' ? 'tag' : 'list'} ${code(value)}`;
  }

  function groupsText(token: JsonObject): string {
    const rules = { claim: CLAIM, ifAbsent: 'refuse', ifIncomplete: 'refuse' } as const;
    const lenient = { absent: { ifAbsent: 'none' }, incomplete: { ifIncomplete: 'keep' } } as const;
    const refusing = (['absent', 'incomplete'] as const).find(
      (kind) =>
        outcome(() => (groupsFrom(token, rules), 'taken')) === 'refused' &&
        outcome(() => (groupsFrom(token, { ...rules, ...lenient[kind] }), 'taken')) === 'taken',
    );
    const { groups, isWhole } = groupsFrom(token, { ...rules, ...lenient.absent, ...lenient.incomplete });
    // Of groups that are incomplete the table says so already.
    expect(refusing === 'incomplete' && isWhole).toBe(false);
    const start = refusing === undefined ? '' : `${refusing} `;
    return `${start}${code(groups)}${!isWhole && refusing === undefined ? ', unread' : ''}`;
  }

  it('has under its name what the operator gave it, whatever that is', () => {
    const { claims } = knownFrom(JSON.parse('{"__proto__":"own"}') as JsonObject, ['__proto__']);
    expect(Object.entries(claims)).toEqual([['__proto__', 'own']]);
  });

  it.each([
    ['/groups', { _claim_names: { groups: 'a' } }],
    ['roles', { roles: ['a'], _claim_names: { roles: 'a' } }],
    ['groups', { hasgroups: 'true' }],
  ])('is incomplete where the issuer says that the rest of %s is elsewhere: %j', (name, claims) => {
    expect(readClaim(claims, name)).toEqual({ kind: 'incomplete' });
  });

  it.each([
    ['roles', { hasgroups: true }],
    ['groups', { hasgroups: false }],
    ['groups', { _claim_names: { roles: 'a' } }],
  ])('is absent where that is said of others than %s: %j', (name, claims) => {
    expect(readClaim(claims, name)).toEqual({ kind: 'absent' });
  });
});

describe('a claim that names', () => {
  it.each([
    [undefined, 'must have an owning team'],
    [7, 'has an owning team that is not a text'],
    [['sre'], 'has an owning team that is not a text'],
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
