import { createHmac, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { derOf } from '../support/der.js';
import { BROKER, forgeToken, newSigningKey, signToken } from '../support/issuers/issuer.js';
import { createLab, type Lab } from '../support/issuers/lab.js';

let lab: Lab;
let claims: object;

beforeAll(async () => {
  lab = await createLab({}, ['RS256']);
  claims = {
    iss: lab.issuer.url,
    sub: 'agent-1',
    aud: BROKER,
    iat: lab.clock.now() / 1000,
    exp: lab.clock.now() / 1000 + 60,
  };
});
afterAll(() => lab.remove());

describe('a token is refused when its header chooses', () => {
  it.each(['none', 'None', 'NONE', 'nOnE', ''])('the algorithm "%s"', async (alg) => {
    for (const signature of ['', 'AAAA']) {
      const token = forgeToken({ alg, typ: 'JWT' }, claims, () => signature);
      await expect(lab.present(token)).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  it.each(['HS256', 'HS384', 'HS512'])('%s, with the public key as the secret', async (alg) => {
    const { kid, publicJwk } = lab.issuer.key();
    const publicKey = createPublicKey({ key: { ...publicJwk }, format: 'jwk' });
    const secrets = [
      publicKey.export({ format: 'pem', type: 'spki' }),
      publicKey.export({ format: 'der', type: 'spki' }),
      publicKey.export({ format: 'pem', type: 'pkcs1' }),
      JSON.stringify(publicJwk),
    ];
    for (const secret of secrets) {
      const hmac = (input: string) =>
        createHmac(`sha${alg.slice(2)}`, secret)
          .update(input)
          .digest();
      await expect(lab.present(forgeToken({ alg, kid, typ: 'JWT' }, claims, hmac))).rejects.toThrow(
        'must be signed with',
      );
    }
  });

  it('an algorithm the operator did not allow, though the issuer has a key for it', async () => {
    const key = await newSigningKey('ES384', 'extra');
    lab.file('lab.json', { keys: [...lab.issuer.jwks().keys, key.publicJwk] });
    lab.clock.advance(1_000);
    await expect(lab.present(await signToken(key, claims))).rejects.toThrow(
      'The subject token must be signed with ES256 or RS256 or EdDSA or Ed25519.',
    );
  });

  it.each([
    ['a list', ['RS256']],
    ['a number', 256],
    ['null', null],
    ['an object', { alg: 'RS256' }],
    ['nothing', undefined],
  ])('%s as its algorithm', async (_, alg) => {
    await expect(lab.present(forgeToken({ alg }, claims, () => 'AAAA'))).rejects.toThrow('must be signed with');
  });
});

describe('a token by ES256 or RS256, which are verified without jose, is refused', () => {
  let both: Lab;
  beforeAll(async () => {
    both = await createLab({}, ['ES256', 'RS256']);
  });
  afterAll(() => both.remove());

  it('where it is signed by the key of the other, and says so, or says that it is its own', async () => {
    for (const [alg, other] of [
      ['ES256', 'RS256'],
      ['RS256', 'ES256'],
    ] as const) {
      const key = both.issuer.key(alg);
      const { kid } = both.issuer.key(other);
      await expect(both.present(await signToken({ ...key, kid }, claims))).rejects.toThrow(
        'names no key of its issuer',
      );
      const [, payload, signature] = (await both.issuer.token({ alg })).split('.') as [string, string, string];
      const header = Buffer.from(JSON.stringify({ alg: other, kid, typ: 'JWT' })).toString('base64url');
      await expect(both.present(`${header}.${payload}.${signature}`)).rejects.toThrow('is not signed by a key');
    }
  });

  it('where the signature is zero, too short, too long, or DER', async () => {
    const good = await both.issuer.token();
    await expect(both.present(good)).resolves.toBeDefined();
    const [header, payload, signature] = good.split('.') as [string, string, string];
    const bytes = Buffer.from(signature, 'base64url');
    for (const wrong of [Buffer.alloc(64), bytes.subarray(0, 63), Buffer.concat([bytes, Buffer.alloc(1)])]) {
      const token = `${header}.${payload}.${wrong.toString('base64url')}`;
      await expect(both.present(token)).rejects.toThrow('is not signed by a key');
    }
    await expect(both.present(`${header}.${payload}.${derOf(signature)}`)).rejects.toThrow('is not signed by a key');
  });
});
