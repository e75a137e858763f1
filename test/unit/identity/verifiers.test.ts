/** Each issuer's verifier keeps its own rules, so that a mistake in routing alone yields nobody's identity. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { configSchema } from '../../../src/config/schema.js';
import type { OidcTrust, SpiffeTrust } from '../../../src/config/trust-schema.js';
import type { readKeySet } from '../../../src/identity/key-set.js';
import { createOidcIssuer } from '../../../src/identity/oidc.js';
import { createSpiffeIssuer } from '../../../src/identity/spiffe.js';
import { createTrustKeys } from '../../../src/identity/trust-keys.js';
import type { TrustedIssuer } from '../../../src/identity/proof.js';
import { readToken } from '../../../src/identity/token.js';
import { handClock } from '../../support/clock.js';
import { BROKER, createIssuer, type TestIssuer } from '../../support/issuers/issuer.js';
import { createTrustDomain, type TestTrustDomain } from '../../support/issuers/trust-domain.js';

const clock = handClock();
const keysOf = (document: object, kind: Parameters<typeof readKeySet>[1]) =>
  createTrustKeys(
    { read: () => Promise.resolve(JSON.stringify(document)), freshForMs: 1_000, missPauseMs: 0 },
    kind,
    clock,
  );
const verify = (issuer: TrustedIssuer, token: string) => issuer.verify(readToken(token));

let lab: TestIssuer;
let prod: TestTrustDomain;
let oidc: TrustedIssuer;
let spiffe: TrustedIssuer;

beforeAll(async () => {
  lab = await createIssuer({ clock });
  prod = await createTrustDomain({ clock });
  const [oidcTrust, spiffeTrust] = configSchema.shape.trust.parse([
    { kind: 'oidc', name: 'lab', issuer: lab.url },
    { kind: 'spiffe', name: 'prod', trustDomain: prod.name, bundle: { file: 'unused' } },
  ]) as [OidcTrust, SpiffeTrust];
  oidc = createOidcIssuer(oidcTrust, keysOf(lab.jwks(), 'jwks'), [BROKER]);
  spiffe = createSpiffeIssuer(spiffeTrust, keysOf(prod.bundle(), 'spiffe-bundle'), [BROKER]);
});

describe('an OIDC verifier', () => {
  it('takes what its issuer signed', async () => {
    expect((await verify(oidc, await lab.token())).party.id).toBe('lab:agent-1');
  });

  it('vouches for no SPIFFE ID', async () => {
    await expect(verify(oidc, await lab.token({ sub: 'spiffe://prod.example/agent' }))).rejects.toThrow(
      'names a SPIFFE ID',
    );
  });

  it('takes no other iss, even under its own signature', async () => {
    await expect(verify(oidc, await lab.token({ iss: 'https://other.example' }))).rejects.toThrow('another issuer');
  });
});

describe('a SPIFFE verifier', () => {
  it('takes what its trust domain signed', async () => {
    expect((await verify(spiffe, await prod.svid())).party.id).toBe('spiffe://prod.example/agent/one');
  });

  it.each(['spiffe://lab.example/agent', 'spiffe://prod.example/../agent', 'agent-1', undefined])(
    'takes no other subject, even under its own signature: %s',
    async (sub) => {
      await expect(verify(spiffe, await prod.svid({ sub }))).rejects.toThrow('not for a workload of its trust domain');
    },
  );
});
