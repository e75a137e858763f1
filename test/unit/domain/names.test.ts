/** Ids, selectors and causes, and access as it is asked for. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from '@jest/globals';
import {
  accessFromDetails,
  accessFromScope,
  detailsOf,
  scopeOf,
  uniteAccess,
} from '../../../src/targets/requested-access.js';
import { BrokerError } from '../../../src/domain/errors.js';
import { isId, newId, shardOf, shardOfDigest, SHARDS } from '../../../src/domain/id.js';
import {
  ALL,
  cause,
  defaultEffect,
  effectFits,
  EFFECTS,
  isWellFormed,
  SELECTOR_KINDS,
} from '../../../src/domain/selector.js';
import { holdsToken, withoutTokens } from '../../../src/domain/token-in-text.js';

describe('an id', () => {
  it('names one of 64 shards, and what is born below inherits it', () => {
    expect([SHARDS.length, new Set(SHARDS).size, SHARDS[0], SHARDS.at(-1)]).toEqual([64, 64, 'aa', 'b7']);
    for (const shard of SHARDS) expect(shardOf(newId('crd', shard))).toBe(shard);
    expect(new Set(Array.from({ length: 2_000 }, () => shardOf(newId('tsk')))).size).toBeGreaterThan(55);
  });

  it('is never the same twice', () => {
    expect(new Set(Array.from({ length: 5_000 }, () => newId('tsk', 'aa'))).size).toBe(5_000);
  });

  it.each([
    '',
    'tsk_',
    'tsk_aabbbbbbbbbbbbb',
    'tsk_aabbbbbbbbbbbbbbb',
    'tsk_cabbbbbbbbbbbbbb',
    'tsk_aaBbbbbbbbbbbbbb',
    'tsk_aa0bbbbbbbbbbbbb',
    'crd_aabbbbbbbbbbbbbb',
    'tsk_aabbbbbbbbbbbbbb\n',
    '__proto__',
  ])('%j is not the id of a task', (text) => expect(isId('tsk', text)).toBe(false));

  it('a digest always finds the same shard', () => {
    for (let byte = 0; byte < 256; byte += 1) expect(SHARDS).toContain(shardOfDigest(new Uint8Array([byte])));
    expect(() => shardOf('nothing')).toThrow('not an id');
  });
});

describe('a cause', () => {
  // printf 'workload:lab:agent-7' | openssl dgst -sha256 -binary | head -c 12 | basenc --base64url
  it('is base64url of the first 96 bits of SHA-256 over kind, colon, value', () => {
    expect(cause('workload', 'lab:agent-7')).toBe(VECTORS.workload);
    expect(ALL).toBe(VECTORS.all);
    const whole = createHash('sha256').update('task:tsk_aabbbbbbbbbbbbbb').digest('base64url');
    expect(cause('task', 'tsk_aabbbbbbbbbbbbbb')).toBe(whole.slice(0, 16));
  });
});

describe('a selector', () => {
  it('holds by default what is wide, and ends what is one thing', () => {
    expect(SELECTOR_KINDS.map(defaultEffect)).toEqual(['end', 'end', 'hold', 'hold', 'hold', 'hold', 'hold', 'hold']);
  });

  it('fits the effects that mean something for it', () => {
    const fitting = SELECTOR_KINDS.map((kind) => EFFECTS.filter((effect) => effectFits(kind, effect)).join());
    expect(fitting).toEqual(['end', 'end,hold', ...Array<string>(6).fill('cutoff,hold')]);
    expect(effectFits('all', 'nothing' as 'end')).toBe(false);
  });

  it.each([
    ['all', 'x'],
    ['credential', 'tsk_aabbbbbbbbbbbbbb'],
    ['task', ''],
    ['workload', ''],
    ['workload', ' \t'],
    ['owner', 'x'.repeat(2_049)],
    ['workload', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'],
  ] as const)('%s with %j is malformed', (kind, value) => expect(isWellFormed({ kind, value })).toBe(false));
});

describe('a token in a text', () => {
  it.each([
    ['after other letters', 'tokeneyJh.e30.sig', 'token[token removed]'],
    ['after a dotted name', 'a.b.eyJh.e30.sig', 'a.b.[token removed]'],
    ['with two parts is none', 'eyJh.e30', 'eyJh.e30'],
    ['as a JWE, of five parts', 'eyJh.a.b.c.d', '[token removed]'],
    ['before more dots', 'eyJh.a.b.c.d.e.f', '[token removed].e.f'],
    ['before another', 'eyJh.a.b.c.d.eyJh.a.b', '[token removed].[token removed]'],
    ['with empty parts', 'eyJ..', '[token removed]'],
    ['of AWS, in JSON', '{"SessionToken":"IQoJb3JpZ2luX2VjE"}', '{"SessionToken":"[token removed]"}'],
    ['of AWS, in JSON in JSON', '{\\"Token\\": \\"IQoJb3JpZ2luX2VjE\\"}', '{\\"Token\\": \\"[token removed]\\"}'],
    ['of AWS, in an environment', 'AWS_SESSION_TOKEN=IQoJb3JpZ2luX2VjE//', 'AWS_SESSION_TOKEN=[token removed]'],
    [
      'of AWS, which is a secret key',
      "secret_access_key = 'wJalrXUtnFEMI/K7MDENG+'",
      "secret_access_key = '[token removed]'",
    ],
  ])('a token %s', (_, text, left) => {
    expect(withoutTokens(text)).toBe(left);
  });

  it.each(['eyJ', 'eyJ.', 'eyJ..', 'a.', '.', 'token ', 'token"', 'token=" ', 'token  :'])(
    'reads a megabyte of %j once: it takes no longer than its length',
    (part) => {
      const text = `${part.repeat(1_000_000 / part.length)}!`;
      expect(holdsToken(text)).toBe(/eyJ\.{1,2}/.test(part));
    },
  );

  it('is taken out, wherever it stands, and nothing else is', () => {
    expect(withoutTokens('found eyJh.e30.c2ln, and "eyJh.a.b.c.d"!')).toBe(
      'found [token removed], and "[token removed]"!',
    );
    for (const text of [
      '',
      'eyJ',
      'eyJh.e30',
      'an eye. and an ear.',
      'token: lost',
      'a session token was found in a log',
    ])
      expect([withoutTokens(text), holdsToken(text)]).toEqual([text, false]);
  });
});

describe('asked access', () => {
  const TARGET = 'https://tickets.example';
  const path = fc
    .stringMatching(/^[a-z:@.~]{1,8}(\/[a-z0-9]{1,8}){0,3}$/)
    .filter((text) => !/(^|\/)\.{1,2}(\/|$)/.test(text));
  const asked = fc.array(fc.record({ path, actions: fc.constantFrom<string[][]>(['read'], ['read', 'write']) }), {
    minLength: 1,
    maxLength: 4,
  });

  test('means the same as scope and as authorization details', () =>
    fc.assert(
      fc.property(asked, (access) => {
        const united = uniteAccess(access);
        expect(uniteAccess(accessFromScope(scopeOf(united)))).toEqual(united);
        expect(accessFromDetails(JSON.stringify(detailsOf(TARGET, united)), TARGET)).toEqual(united);
        expect(uniteAccess(united, united)).toEqual(united);
      }),
    ));

  test('whatever else is written is refused, never a crash', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const read of [() => accessFromScope(text), () => accessFromDetails(text, TARGET)]) {
          try {
            read();
          } catch (error) {
            expect(error).toBeInstanceOf(BrokerError);
            if (text.length > 3) expect((error as Error).message).not.toContain(text);
          }
        }
      }),
      { numRuns: 500 },
    ));

  it('an action with a colon has no scope, and is not read as another action', () => {
    expect(scopeOf([{ path: 'bucket/x', actions: ['s3:GetObject', 'read'] }])).toBe('bucket/x:read');
    expect(accessFromScope('bucket/x:s3:GetObject')).toEqual([{ path: 'bucket/x:s3', actions: ['GetObject'] }]);
  });

  it('is at most 32 pairs, both forms together', () => {
    const pairs = (count: number, from = 0) =>
      Array.from({ length: count }, (_, n) => ({ path: `p/${from + n}`, actions: ['read'] }));
    expect(uniteAccess(pairs(16), pairs(16, 16))).toHaveLength(32);
    expect(() => uniteAccess(pairs(17), pairs(16, 17))).toThrow('At most 32 pairs');
  });
});

const VECTORS = { workload: '6KtyOxfJCjApV4-T', all: '83D4uj_1BSwAWrkN' };
