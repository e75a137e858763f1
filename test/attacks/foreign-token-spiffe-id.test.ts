import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Identify } from '../../src/identity/identify.js';
import { createDoorstep } from '../support/issuers/identity.js';
import { signToken } from '../support/issuers/issuer.js';
import { createTrustDomain, type TestTrustDomain } from '../support/issuers/trust-domain.js';

const door = createDoorstep();
let prod: TestTrustDomain;
let lab: TestTrustDomain;
let identify: Identify;

const present = (token: string) => identify(token, { use: 'subject' });

beforeAll(async () => {
  prod = await createTrustDomain({ clock: door.clock });
  lab = await createTrustDomain({ clock: door.clock, name: 'lab.example' });
  identify = door.identify(
    [prod, lab].map((domain) => ({
      kind: 'spiffe',
      name: domain.name.split('.')[0],
      trustDomain: domain.name,
      bundle: { file: door.file(`${domain.name}.json`, domain.bundle()) },
    })),
  );
});
afterAll(() => door.remove());

describe('a SPIFFE ID has one spelling', () => {
  it.each([
    'SPIFFE://prod.example/agent',
    'spiffe://PROD.example/agent',
    'spiffe://prod.example:443/agent',
    'spiffe://admin@prod.example/agent',
    'spiffe://prod.example/agent/',
    'spiffe://prod.example//agent',
    'spiffe://prod.example/./agent',
    'spiffe://prod.example/agent/../admin',
    'spiffe://prod.example/..',
    'spiffe://prod.example/agent%2fone',
    'spiffe://prod%2eexample/agent',
    'spiffe://prod.example/agent?admin',
    'spiffe://prod.example/agent#admin',
    'spiffe://prod.example/agent one',
    'spiffe://prod.example/agent\n',
    ' spiffe://prod.example/agent',
    'spiffe://prod.example\\agent',
    'spiffe://pröd.example/agent',
    'spiffe:///agent',
    'spiffe:/prod.example/agent',
    'spiffe://',
    'spiffe://prod.example/',
    'spiffe://prod.example',
    `spiffe://prod.example/${'a'.repeat(2048)}`,
    `spiffe://${'a'.repeat(256)}/agent`,
  ])('not %j', async (sub) => {
    await expect(present(await prod.svid({ sub }))).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'The subject token has a subject that is not a well-formed SPIFFE ID.',
    });
  });

  it.each(['spiffe://prod.example/...', 'spiffe://prod.example/a/.hidden', 'spiffe://prod.example/A-Z_a.z-9'])(
    'but %j is one',
    async (sub) => {
      expect((await present(await prod.svid({ sub }))).party.id).toBe(sub);
    },
  );
});

describe('a trust domain speaks for itself alone', () => {
  it('not for another that is trusted as well, under the same key id', async () => {
    expect(lab.key.kid).toBe(prod.key.kid);
    const forged = await lab.svid({ sub: 'spiffe://prod.example/agent/one' });
    await expect(present(forged)).rejects.toThrow('The subject token is not signed by a key of its issuer.');
  });

  it.each([
    'spiffe://staging.example/agent',
    'spiffe://sub.prod.example/agent',
    'spiffe://prod.example.thief.example/agent',
  ])('not for %s, which nobody trusts', async (sub) => {
    await expect(present(await prod.svid({ sub }))).rejects.toThrow('of a trust domain that is not trusted here');
  });
});

it('a JWT-SVID for several audiences is refused: any of them could present it here', async () => {
  const aud = ['http://127.0.0.1:8080', 'https://tickets.example'];
  await expect(present(await prod.svid({ aud }))).rejects.toThrow('must have exactly the audience');
});

it('a JWT-SVID without expiry is refused', async () => {
  const claims = { sub: 'spiffe://prod.example/agent', aud: 'http://127.0.0.1:8080' };
  await expect(present(await signToken(prod.key, claims))).rejects.toThrow('must say when it expires');
});
