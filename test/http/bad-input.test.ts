/**
 * Everything that is wrong with what strangers send: a 4xx with one helpful sentence, nothing written but the audit entry of
 * a proven caller, and no line of log that says more than it may.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { createIssuer, forgeToken, newSigningKey, signToken } from '../support/issuers/issuer.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';

let broker: TestBroker;
let agent: string;
let claims: Record<string, unknown>;

beforeAll(async () => {
  const restricted = `@id("records") forbid (principal, action, resource in Resource::"${TICKETS}#incident/secret");`;
  broker = await startBroker({ policies: restricted });
  agent = await broker.identity('agent-7');
  claims = JSON.parse(Buffer.from(agent.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
});

const signed = (header: Record<string, unknown>, over: object = {}) =>
  signToken(broker.lab.key(), { ...claims, ...over }, header);
const unsigned = (header: object, sign: (input: string) => Buffer | string = () => '') =>
  forgeToken(header, claims, sign);

const FORGERIES: [string, () => string | Promise<string>][] = [
  ['alg none', () => unsigned({ alg: 'none' })],
  ['alg none in capitals', () => unsigned({ alg: 'NONE', typ: 'JWT' }, () => randomBytes(64))],
  [
    'HS256 with the public key as the secret',
    () => {
      const secret = JSON.stringify(broker.lab.key().publicJwk);
      return unsigned({ alg: 'HS256', kid: broker.lab.key().kid }, (input) =>
        createHmac('sha256', secret).update(input).digest(),
      );
    },
  ],
  ['a kid that is a path', () => signed({ kid: '../../etc/passwd' })],
  ['a kid that is SQL', () => signed({ kid: "x' UNION SELECT 'k" })],
  [
    'an embedded jwk, signed by it',
    async () => {
      const own = await newSigningKey('ES256', 'own');
      return signToken(own, claims, { jwk: own.publicJwk });
    },
  ],
  ['a jku', () => signed({ jku: 'http://127.0.0.1:1/keys', kid: 'other' })],
  ['an x5u', () => signed({ x5u: 'http://127.0.0.1:1/cert', kid: 'other' })],
  ['another typ', () => signed({ typ: 'secevent+jwt' })],
  ['several audiences', () => signed({}, { aud: [broker.url, 'https://other.example'] })],
  ['another audience', () => signed({}, { aud: 'https://other.example' })],
  ['exp as text', () => signed({}, { exp: String(claims['exp']) })],
  ['no exp', () => signed({}, { exp: undefined })],
  ['an exp that has passed', () => signed({}, { exp: 1_000_000_000 })],
  ['no subject', () => signed({}, { sub: undefined })],
  [
    'an issuer nobody trusts',
    async () => (await createIssuer({ clock: broker.clock, url: 'https://evil.example' })).token(),
  ],
  ['the issuer of the broker', () => signed({}, { iss: broker.url })],
  [
    'the right name and another key',
    async () => (await createIssuer({ clock: broker.clock })).token({ aud: broker.url }),
  ],
  ['17 KiB', () => 'x'.repeat(17 * 1024)],
  ['white space around it', () => ` ${agent}`],
  ['padding', () => `${agent}=`],
  ['four parts', () => `${agent}.x`],
];

describe.each(FORGERIES)('an identity token with %s', (_, forged) => {
  it('is refused as a subject token, and as a bearer', async () => {
    const token = await forged();
    // What says that the broker made it is no identity, whoever did.
    const said = /^(The subject token|A credential of this broker proves no identity) ?/;
    expectOAuthRefusal(await broker.exchange(token), 400, 'invalid_request', said);
    const bearer = await broker.get('/tasks/tsk_aabbbbbbbbbbbbbb', token.trim() === token ? token : 'x');
    expectProblem(bearer, bearer.status, bearer.status === 401 ? 'invalid_token' : 'unreachable');
  });
});

describe('a pattern that would cover a forbidden record', () => {
  it.each(['incident/*:read', 'incident/**:read', 'incident/secret/**:read', 'incident/secret:read'])(
    '%s',
    async (scope) => {
      expectOAuthRefusal(await broker.exchange(agent, { scope }), 400, 'access_denied');
    },
  );

  it('and one that covers none is granted', async () => {
    expect((await broker.exchange(agent, { scope: 'incident/4711/*:read' })).status).toBe(200);
  });
});

it('none of it was a 5xx, was written, or was logged in full', async () => {
  const soc = await broker.identity('soc');
  const { lines } = (await broker.get('/audit?limit=1000', soc)).body as { lines: string[] };
  const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
  const granted = types.filter((type) => type === 'credential.granted');
  expect(granted).toHaveLength(1);
  expect(new Set(types)).toEqual(
    new Set(['log.replaced', 'policy.loaded', 'credential.refused', 'credential.granted', 'audit.read']),
  );
  expect(broker.logged()).not.toMatch(/"level":"(error|fatal)"/);
  expect(broker.logged() + lines.join()).not.toMatch(/eyJ[\w-]{8,}/);
});
