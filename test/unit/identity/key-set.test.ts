import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { compactVerify, type JWK } from 'jose';
import { isSignedBy } from '../../../src/domain/signature.js';
import { readKeySet } from '../../../src/identity/key-set.js';
import { newSigningKey, signToken } from '../../support/issuers/issuer.js';

const rsa = (modulusLength: number, publicExponent = 65_537): JWK =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' });

const find = (keys: object[], header: object) =>
  readKeySet(JSON.stringify({ keys }), 'jwks').find(header as { alg: string }, { payload: '', signature: '' });

describe('a key is left out', () => {
  it.each([
    ['RSA of 1024 bits', () => rsa(1024)],
    ['RSA with e = 1, which makes every message its own signature', () => ({ ...rsa(2048), e: 'AQ' })],
    ['RSA with e = 3', () => rsa(2048, 3)],
    [
      'RSA so large that verifying is work',
      () => ({ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(2048, 0xff).toString('base64url') }),
    ],
    ['a key type that nobody knows', () => ({ kty: 'QUANTUM' })],
  ])('%s', async (_, key) => {
    await expect(find([{ ...key(), kid: 'weak', alg: 'RS256' }], { alg: 'RS256', kid: 'weak' })).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });

  it('a point that is not on its curve', async () => {
    const { publicJwk } = await newSigningKey('ES256', 'one');
    await expect(find([{ ...publicJwk, y: publicJwk.x }], { alg: 'ES256', kid: 'one' })).rejects.toThrow();
  });

  it('a key for encryption, or one that may not verify', async () => {
    const { publicJwk } = await newSigningKey('ES256', 'one');
    for (const wrong of [{ use: 'enc' }, { key_ops: ['deriveKey'] }, { alg: 'ES384' }]) {
      await expect(find([{ ...publicJwk, ...wrong }], { alg: 'ES256', kid: 'one' })).rejects.toBeDefined();
    }
  });
});

describe('the number of keys is no limit', () => {
  it.each(['jwks', 'spiffe-bundle'] as const)('of a %s: the last of 500 verifies', async (kind) => {
    const key = await newSigningKey('ES256', 'last');
    const use = kind === 'jwks' ? 'sig' : 'jwt-svid';
    const others = Array.from({ length: 499 }, (_, index) => ({ ...key.publicJwk, use, kid: `key-${index}` }));
    const keys = readKeySet(JSON.stringify({ keys: [...others, { ...key.publicJwk, use }] }), kind);
    await expect(compactVerify(await signToken(key, { sub: 'agent' }), keys.find)).resolves.toBeDefined();
  });
});

it.each([
  ['EdDSA', 'EdDSA'],
  ['EdDSA', 'Ed25519'],
  ['Ed25519', 'EdDSA'],
  ['Ed25519', undefined],
])('a token signed with %s fits a key whose algorithm is called %s: both are names of one', async (alg, named) => {
  const key = await newSigningKey(alg, 'ed');
  const keys = readKeySet(JSON.stringify({ keys: [{ ...key.publicJwk, alg: named }] }), 'jwks');
  await expect(compactVerify(await signToken(key, { sub: 'agent' }), keys.find)).resolves.toBeDefined();
});

it('a byte order mark before the document is passed over', async () => {
  const key = await newSigningKey('ES256', 'one');
  const keys = readKeySet(`\uFEFF${JSON.stringify({ keys: [key.publicJwk] })}`, 'jwks');
  await expect(compactVerify(await signToken(key, { sub: 'agent' }), keys.find)).resolves.toBeDefined();
});

describe('a whole document is refused', () => {
  it.each([
    ['with a private key', { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'secret' }] }],
    ['with a symmetric key', { keys: [{ kty: 'oct', k: 'secret' }] }],
    ['larger than 256 KiB', { keys: [], padding: 'x'.repeat(256 * 1024) }],
    ['that is one private key', { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'secret' }],
    ['without keys', {}],
    ['whose keys are no list', { keys: { one: {} } }],
    ['whose keys are no objects', { keys: ['secret'] }],
    ['that is a list', []],
  ])('%s', (_, document) => {
    const read = () => readKeySet(JSON.stringify(document), 'jwks');
    expect(read).toThrow(Error);
    expect(read).not.toThrow(/secret/);
  });
});

it('a sound key beside weak ones verifies', async () => {
  const key = await newSigningKey('RS256', 'sound');
  const keys = readKeySet(JSON.stringify({ keys: [{ ...rsa(1024), kid: 'weak' }, key.publicJwk] }), 'jwks');
  await expect(compactVerify(await signToken(key, { sub: 'agent' }), keys.find)).resolves.toBeDefined();
});

it('a key verifies by the algorithm of its type alone', async () => {
  for (const [alg, other] of [
    ['ES256', 'RS256'],
    ['RS256', 'ES256'],
  ] as const) {
    const key = await newSigningKey(alg, 'one');
    const publicKey = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' });
    const token = await signToken(key, { sub: 'agent' });
    expect([isSignedBy(publicKey, alg, token), isSignedBy(publicKey, other, token)]).toEqual([true, false]);
  }
});
