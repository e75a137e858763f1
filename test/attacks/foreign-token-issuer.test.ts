import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Identify } from '../../src/identity/identify.js';
import { createDoorstep } from '../support/issuers/identity.js';
import { BROKER, createIssuer, signToken, type TestIssuer } from '../support/issuers/issuer.js';
import { createTrustDomain, type TestTrustDomain } from '../support/issuers/trust-domain.js';

const door = createDoorstep();
let alpha: TestIssuer;
let beta: TestIssuer;
let prod: TestTrustDomain;
let identify: Identify;

const present = (token: string) => identify(token, { use: 'subject' });
const stranger = { code: 'invalid_request', message: 'The subject token comes from no issuer that is trusted here.' };

beforeAll(async () => {
  const { clock } = door;
  alpha = await createIssuer({ clock, url: 'https://alpha.example' });
  beta = await createIssuer({ clock, url: 'https://beta.example' });
  prod = await createTrustDomain({ clock });
  identify = door.identify([
    { kind: 'oidc', name: 'alpha', issuer: alpha.url, jwks: { file: door.file('alpha.json', alpha.jwks()) } },
    { kind: 'oidc', name: 'beta', issuer: beta.url, jwks: { file: door.file('beta.json', beta.jwks()) } },
    {
      kind: 'spiffe',
      name: 'prod',
      trustDomain: 'prod.example',
      bundle: { file: door.file('prod.json', prod.bundle()) },
    },
  ]);
});
afterAll(() => door.remove());

describe('one trusted issuer cannot speak for another', () => {
  it('even with the same key id and subject', async () => {
    expect(beta.key().kid).toBe(alpha.key().kid);
    const forged = await beta.token({ iss: alpha.url });
    await expect(present(forged)).rejects.toThrow('is not signed by a key of its issuer');
  });

  it('the same subject of two issuers is two workloads', async () => {
    const [one, two] = [await present(await alpha.token()), await present(await beta.token())];
    expect([one.party.id, two.party.id]).toEqual(['alpha:agent-1', 'beta:agent-1']);
  });

  it("a subject that looks like another trust's id stays behind its own name", async () => {
    const { party } = await present(await beta.token({ sub: 'alpha:agent-1' }));
    expect(party).toMatchObject({ id: 'beta:alpha:agent-1', issuer: 'beta' });
  });
});

describe('an OIDC issuer cannot yield a SPIFFE ID, nor a trust domain an OIDC subject', () => {
  it.each([
    'spiffe://prod.example/agent/one',
    'SPIFFE://prod.example/agent/one',
    ' spiffe://prod.example/agent',
    'spiffe:x',
  ])('sub %j', async (sub) => {
    await expect(present(await alpha.token({ sub, header: { typ: 'JWT' } }))).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('a key of a trust domain signs nothing for an OIDC issuer', async () => {
    const claims = {
      iss: alpha.url,
      sub: 'agent-1',
      aud: BROKER,
      iat: door.clock.now() / 1000,
      exp: door.clock.now() / 1000 + 60,
    };
    await expect(present(await signToken(prod.key, claims))).rejects.toThrow('names no key of its issuer');
  });

  it('an iss in a JWT-SVID changes nothing', async () => {
    const { party } = await present(await prod.svid({ iss: alpha.url }));
    expect(party).toMatchObject({ id: 'spiffe://prod.example/agent/one', issuer: 'prod' });
  });
});

describe('an issuer is trusted byte for byte', () => {
  it.each([
    'https://alpha.example/',
    'https://ALPHA.example',
    'http://alpha.example',
    'https://alpha.example:443',
    'https://alpha.example.thief.example',
    'https://alpha.example#',
    'https://thief@alpha.example',
    '',
  ])('%j is a stranger', async (iss) => {
    await expect(present(await alpha.token({ iss }))).rejects.toMatchObject(stranger);
  });

  it.each([[undefined], [null], [['https://alpha.example']], [{ toString: 'https://alpha.example' }], [7]])(
    'as is %j',
    async (iss) => {
      await expect(present(await alpha.token({ iss }))).rejects.toMatchObject(stranger);
    },
  );
});

it('a credential of the broker is not accepted as an identity', async () => {
  const configured = door.identify([{ kind: 'oidc', name: 'self', issuer: BROKER, jwks: { file: 'alpha.json' } }]);
  await expect(configured(await alpha.token({ iss: BROKER }), { use: 'subject' })).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(/what the broker issues proves no identity/),
  });
});
