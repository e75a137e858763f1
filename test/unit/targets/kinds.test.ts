/** The table of target kinds: what the rest of the broker may rely on, for each row. */
import { describe, expect, it } from '@jest/globals';
import type { TargetKind } from '../../../src/targets/kind.js';
import { accessTokenOf, DEFAULT_KIND, handlesIn, kindOf, kindOfTarget, KINDS } from '../../../src/targets/kinds.js';

const ROLE = 'arn:aws:iam::111122223333:role/jit/agent-exec';
const kinds: [string, TargetKind][] = Object.entries(KINDS);

describe('a kind of target', () => {
  it.each(kinds)('%s stands in the table under its own name', (name, kind) => {
    expect(kind.name).toBe(name);
    expect(kindOf(name)).toBe(kind);
  });

  it('shares no detail type and no token type with another: a request means one kind', () => {
    const detailTypes = kinds.map(([, { detailType }]) => detailType);
    const tokenTypes = kinds.flatMap(([, kind]) => kind.tokenTypes);
    expect(new Set(detailTypes).size).toBe(detailTypes.length);
    expect(new Set(tokenTypes).size).toBe(tokenTypes.length);
  });

  it.each([
    [ROLE, 'aws-sts'],
    ['arn:aws:iam::111122223333:user/somebody', 'jwt'],
    ['arn:aws:s3:::data', 'jwt'],
    ['https://tickets.example', 'jwt'],
  ])('of the resource %s is %s', (resource, name) => expect(kindOfTarget(resource).name).toBe(name));

  it.each(['', 'JWT', 'constructor', '__proto__'])('%j is none', (name) => {
    expect(() => kindOf(name)).toThrow('no target kind');
  });

  it.each([
    [ROLE, 'arn:aws:s3:::data/tenant-42/*', ['s3:GetObject']],
    [ROLE, '*', ['s3:GetObject']],
    [ROLE, ROLE, ['aws:assumeRole']],
    ['https://tickets.example', 'incident/*/notes/**', ['read']],
  ])('of %s finds the identifier %s again in its path', (resource, identifier, actions) => {
    const kind = kindOfTarget(resource);
    expect(kind.detailProblem(resource, identifier, actions)).toBeUndefined();
    expect(kind.toIdentifier(kind.toPath(identifier, actions), resource, actions)).toBe(identifier);
  });

  it('is enforced for AWS sessions; the default kind is not', () => {
    expect([KINDS['aws-sts'].enforced, DEFAULT_KIND.enforced]).toEqual([true, false]);
  });
});

describe('material', () => {
  it('becomes the text of access_token by its own kind', () => {
    expect(accessTokenOf({ kind: 'jwt', token: 'a.b.c' })).toBe('a.b.c');
    const keys = { accessKeyId: 'ASIA', secretAccessKey: 's', sessionToken: 't', expiration: '2030-01-01T00:00:00Z' };
    expect(JSON.parse(accessTokenOf({ kind: 'aws-sts', ...keys }))).toEqual({
      ...{ Version: 1, AccessKeyId: 'ASIA', SecretAccessKey: 's', SessionToken: 't' },
      Expiration: '2030-01-01T00:00:00Z',
    });
  });
});

describe('handles', () => {
  it('are found wherever they stand in a text, each once', () => {
    const [one, other] = ['ASIAEXAMPLE123456789', 'ASIA0000000000000000'];
    expect(handlesIn(`"${one}", ${other}\n${one}; AKIAEXAMPLE123456789 xASIA`, 8)).toEqual([one, other]);
    expect(handlesIn(`${one} ${one} ${other}`, 1)).toEqual([one]);
    expect(handlesIn('nothing of the sort', 8)).toEqual([]);
  });
});
