/** POST /token: a token must be of the type that the request declares (RFC 8693 §3, RFC 7523 §2.2). */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { createTrustDomain } from '../support/issuers/trust-domain.js';

const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;
const assertionType = (name: string) => `urn:ietf:params:oauth:client-assertion-type:${name}`;

const PROD = `
@id("prod-opens") permit (principal in Issuer::"prod", action == Action::"openTask", resource);
@id("prod-reads") permit (principal in Issuer::"prod", action == Action::"read", resource in Target::"${TICKETS}");`;

let broker: TestBroker;
/** Identity tokens: of a workload by OpenID Connect, of a workload by SPIFFE, and of a person. */
let tokens: Record<'oidc' | 'spiffe' | 'person', string>;

beforeAll(async () => {
  const clock = handClock();
  const prod = await createTrustDomain({ clock });
  const bundle = join(temporaryDirectory(), 'bundle.json');
  writeFileSync(bundle, JSON.stringify(prod.bundle()));
  const trust = [{ name: 'prod', kind: 'spiffe', trustDomain: prod.name, bundle: { file: bundle } }];
  broker = await startBroker({ clock, trust, policies: PROD, config: { limits: { perWorkloadPerMinute: 1_000 } } });
  const [oidc, spiffe, person] = await Promise.all([
    broker.identity('agent-7'),
    prod.svid({ aud: [new URL(broker.url).origin] }),
    broker.person('ada'),
  ]);
  tokens = { oidc, spiffe, person };
});

const NOT_DECLARED = /is not of the declared token type/;
const UNSUPPORTED = /The token type must be/;

describe('subject_token_type', () => {
  it.each([
    ['oidc', 'jwt'],
    ['oidc', 'id_token'],
    ['spiffe', 'jwt'],
  ] as const)('a workload by %s may be declared as %s', async (by, type) => {
    expect(await broker.exchange(tokens[by], { subject_token_type: tokenType(type) })).toMatchObject({ status: 200 });
  });

  it.each([
    ['oidc', tokenType('access_token'), NOT_DECLARED],
    ['spiffe', tokenType('access_token'), NOT_DECLARED],
    ['spiffe', tokenType('id_token'), NOT_DECLARED],
    ['oidc', tokenType('refresh_token'), UNSUPPORTED],
    ['oidc', assertionType('jwt-bearer'), UNSUPPORTED],
    ['oidc', 'constructor', UNSUPPORTED],
  ] as const)('a workload by %s may not be declared as %s', async (by, type, description) => {
    const reply = await broker.exchange(tokens[by], { subject_token_type: type });
    expectOAuthRefusal(reply, 400, 'invalid_request', description);
  });

  it.each(['jwt', 'id_token', 'access_token'])("a person's token may be declared as %s", async (type) => {
    const actor = { actor_token: tokens.oidc, actor_token_type: tokenType('jwt') };
    const reply = await broker.exchange(tokens.person, { subject_token_type: tokenType(type), ...actor });
    expect(reply.status).toBe(200);
  });
});

describe('actor_token_type', () => {
  const exchangeAs = (by: 'oidc' | 'spiffe', type: string) =>
    broker.exchange(tokens.person, { actor_token: tokens[by], actor_token_type: type });

  it.each([
    ['oidc', 'jwt'],
    ['oidc', 'id_token'],
    ['spiffe', 'jwt'],
  ] as const)('a workload by %s may be declared as %s', async (by, type) => {
    expect(await exchangeAs(by, tokenType(type))).toMatchObject({ status: 200 });
  });

  it.each([
    ['oidc', tokenType('access_token'), NOT_DECLARED],
    ['spiffe', tokenType('access_token'), NOT_DECLARED],
    ['spiffe', tokenType('id_token'), NOT_DECLARED],
    ['oidc', tokenType('saml2'), UNSUPPORTED],
  ] as const)('a workload by %s may not be declared as %s', async (by, type, description) => {
    expectOAuthRefusal(await exchangeAs(by, type), 400, 'invalid_request', description);
  });

  it('is named by a refusal, where it fits', async () => {
    const wrong = await exchangeAs('oidc', tokenType('access_token'));
    const [named = ''] = /\S+(?= fits)/.exec((wrong.body as { error_description: string }).error_description) ?? [];
    expect(await exchangeAs('oidc', named)).toMatchObject({ status: 200 });
  });
});

describe('client_assertion_type', () => {
  const exchangeAs = (by: 'oidc' | 'spiffe', type: string) =>
    broker.exchange(tokens[by], { client_assertion: tokens[by], client_assertion_type: type });

  it.each([
    ['oidc', 'jwt-bearer'],
    ['spiffe', 'jwt-bearer'],
    ['spiffe', 'jwt-spiffe'],
  ] as const)('a workload by %s may authenticate as %s', async (by, type) => {
    expect(await exchangeAs(by, assertionType(type))).toMatchObject({ status: 200 });
  });

  it.each([
    ['oidc', assertionType('jwt-spiffe'), NOT_DECLARED],
    ['oidc', assertionType('saml2-bearer'), /client_assertion_type is not supported/],
    ['oidc', tokenType('jwt'), /client_assertion_type is not supported/],
  ] as const)('a workload by %s may not authenticate as %s', async (by, type, description) => {
    expectOAuthRefusal(await exchangeAs(by, type), 401, 'invalid_client', description);
  });

  it('is named by a refusal, where it fits', async () => {
    const wrong = await exchangeAs('oidc', assertionType('jwt-spiffe'));
    const [named = ''] = /\S+(?= fits)/.exec((wrong.body as { error_description: string }).error_description) ?? [];
    expect(await exchangeAs('oidc', named)).toMatchObject({ status: 200 });
  });

  it.each(['/introspect', '/revoke'])('holds at %s too', async (path) => {
    const assertion = { client_assertion: tokens.oidc, client_assertion_type: assertionType('jwt-spiffe') };
    const reply = await broker.form(path, { token: 'x', ...assertion });
    expectOAuthRefusal(reply, 401, 'invalid_client', NOT_DECLARED);
  });
});
