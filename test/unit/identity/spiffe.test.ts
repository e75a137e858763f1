import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Identify } from '../../../src/identity/identify.js';
import { createDoorstep } from '../../support/issuers/identity.js';
import { newSigningKey, signToken } from '../../support/issuers/issuer.js';
import { createTrustDomain, type TestTrustDomain } from '../../support/issuers/trust-domain.js';

const door = createDoorstep();
let prod: TestTrustDomain;

const trusting = (bundle: object): Identify =>
  door.identify([
    {
      kind: 'spiffe',
      name: 'prod',
      trustDomain: prod.name,
      bundle: { file: door.file(`bundle-${crypto.randomUUID()}.json`, bundle) },
      owner: { value: 'platform' },
    },
  ]);

beforeAll(async () => {
  prod = await createTrustDomain({ clock: door.clock });
});
afterAll(() => door.remove());

describe('a JWT-SVID', () => {
  it('proves its SPIFFE ID, as SPIRE issues it: the audience in a list, no iss', async () => {
    const { party } = await trusting(prod.bundle())(await prod.svid(), { use: 'subject' });
    expect(party).toEqual({
      kind: 'workload',
      id: 'spiffe://prod.example/agent/one',
      issuer: 'prod',
      owner: 'platform',
      claims: {},
      groups: [],
    });
  });

  it('may be shown again while it lasts: agents cache and reuse it', async () => {
    const identify = trusting(prod.bundle());
    const svid = await prod.svid({ jti: 'once' });
    expect(await identify(svid, { use: 'subject' })).toEqual(await identify(svid, { use: 'subject' }));
  });

  it('of a SPIRE whose OIDC provider is configured as an issuer says which kind of entry takes it', async () => {
    const spire = { kind: 'oidc', name: 'spire', issuer: 'https://oidc.prod.example', jwks: { file: 'spire.json' } };
    const asked = door.identify([spire])(await prod.svid({ iss: spire.issuer }), { use: 'subject' });
    await expect(asked).rejects.toThrow(/an entry with `kind: spiffe` and the bundle of the trust domain takes it/);
    const { party } = await trusting(prod.bundle())(await prod.svid({ iss: spire.issuer }), { use: 'subject' });
    expect(party.id).toBe('spiffe://prod.example/agent/one');
  });

  it('fits the client assertion type made for it', async () => {
    const tokenType = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';
    const identify = trusting(prod.bundle());
    await expect(identify(await prod.svid(), { use: 'client', tokenType })).resolves.toBeDefined();
  });

  it('without a key id is verified where one key fits, and tried against none where several do', async () => {
    const other = await createTrustDomain({ clock: door.clock });
    const [mine, theirs] = [prod.bundle().keys[0]!, { ...other.bundle().keys[0]!, kid: 'authority-2' }];
    const svid = await prod.svid({ header: { kid: undefined } });
    await expect(trusting({ keys: [mine] })(svid, { use: 'subject' })).resolves.toBeDefined();
    const rotating = trusting({ keys: [mine, theirs] });
    await expect(rotating(svid, { use: 'subject' })).rejects.toThrow(
      'The subject token does not say by kid which of several keys of its issuer has signed it.',
    );
    await expect(rotating(await prod.svid(), { use: 'subject' })).resolves.toBeDefined();
  });
});

describe('a bundle', () => {
  it.each([
    ['empty: the trust domain is revoked', () => ({ keys: [] })],
    [
      'with its keys for X509-SVIDs only',
      () => ({ keys: prod.bundle().keys.map((key) => ({ ...key, use: 'x509-svid' })) }),
    ],
    ['with keys for no stated use', () => ({ keys: prod.bundle().keys.map((key) => ({ ...key, use: undefined })) })],
    ['with keys for plain signatures', () => ({ keys: prod.bundle().keys.map((key) => ({ ...key, use: 'sig' })) })],
    ['with keys that have no kid', () => ({ keys: prod.bundle().keys.map((key) => ({ ...key, kid: undefined })) })],
  ])('%s verifies nothing', async (_, bundle) => {
    const identify = trusting(bundle());
    for (const header of [{}, { kid: undefined }]) {
      const svid = await prod.svid({ header });
      await expect(identify(svid, { use: 'subject' })).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  it('that is revoked while the broker runs kills what was verified with it', async () => {
    const name = door.file('running.json', prod.bundle());
    const identify = door.identify([{ kind: 'spiffe', name: 'prod', trustDomain: prod.name, bundle: { file: name } }]);
    const svid = await prod.svid();
    await identify(svid, { use: 'bearer' });
    door.file(name, { keys: [] });
    door.clock.advance(1_000);
    await expect(identify(svid, { use: 'bearer' })).rejects.toMatchObject({ code: 'invalid_token' });
  });
});

describe('what the SPIFFE standard forbids', () => {
  it.each([
    ['EdDSA', 'must be signed with'],
    ['Ed25519', 'must be signed with'],
    ['HS256', 'must be signed with'],
  ])('the algorithm %s', async (alg, message) => {
    const signed = alg.startsWith('Ed') ? await newSigningKey(alg, 'ed') : { ...prod.key, alg };
    const claims = {
      sub: 'spiffe://prod.example/agent',
      aud: 'http://127.0.0.1:8080',
      iat: door.clock.now() / 1000,
      exp: door.clock.now() / 1000 + 60,
    };
    const token = alg.startsWith('Ed')
      ? await signToken(signed, claims)
      : await prod.svid().then((svid) => relabel(svid, alg));
    const bundle = { keys: [...prod.bundle().keys, { ...signed.publicJwk, use: 'jwt-svid' }] };
    await expect(trusting(bundle)(token, { use: 'subject' })).rejects.toThrow(message);
  });

  it.each([
    { typ: 'jwt' },
    { typ: 'at+jwt' },
    { typ: 'wit+jwt' },
    { cty: 'JWT' },
    { 'x-private': 1 },
    { jku: 'https://a.example' },
  ])('the header %j', async (header) => {
    const token = await prod.svid({ header });
    await expect(trusting(prod.bundle())(token, { use: 'subject' })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

function relabel(token: string, alg: string): string {
  const [, ...rest] = token.split('.');
  return [Buffer.from(JSON.stringify({ alg })).toString('base64url'), ...rest].join('.');
}
