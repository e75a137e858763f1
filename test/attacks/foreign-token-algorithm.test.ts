import { createHmac, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
