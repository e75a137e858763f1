/** The public documents. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startBroker();
});

describe('the metadata (RFC 8414)', () => {
  it('says exactly what there is, under the issuer, and may be cached', async () => {
    const { status, headers, body } = await broker.get('/.well-known/oauth-authorization-server');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch('application/json');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(body).toMatchObject({
      issuer: broker.url,
      token_endpoint: `${broker.url}/token`,
      revocation_endpoint: `${broker.url}/revoke`,
      introspection_endpoint: `${broker.url}/introspect`,
      jwks_uri: `${broker.url}/jwks`,
      authorization_endpoint: `${broker.url}/authorize`,
      response_types_supported: ['none'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      grant_types_supported: [
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:deferred',
      ],
      authorization_details_types_supported: ['task_access'],
    });
    // Nothing of this is configured here.
    for (const name of ['authorization_grant_profiles_supported', 'client_id_metadata_document_supported'])
      expect(body).not.toHaveProperty(name);
    expect(JSON.stringify({ ...(body as object), response_types_supported: [] })).not.toContain('"none"]');
  });

  it('names only endpoints that exist', async () => {
    const { body } = await broker.get('/.well-known/openid-configuration');
    for (const [name, value] of Object.entries(body as Record<string, unknown>)) {
      if (!/_(endpoint|uri)$/.test(name)) continue;
      const { status } = await broker.get(String(value).slice(broker.url.length));
      expect([name, status]).not.toEqual([name, 404]);
    }
  });
});

describe('GET /authorize', () => {
  it.each([
    ['a program', 'application/json', 'application/json', '"error":"unsupported_response_type"'],
    ['a browser', 'text/html,*/*', 'text/html', '<p>Nobody logs in here'],
  ])('tells %s that nobody logs in here, and sends it nowhere', async (_who, accept, type, text) => {
    const path = '/authorize?response_type=code&redirect_uri=https://evil.example&state=<script>';
    const reply = await broker.get(path, undefined, { accept });
    expect(reply.status).toBe(400);
    expect(reply.headers.get('content-type')).toMatch(type);
    expect(reply.headers.get('location')).toBeNull();
    expect(reply.text).toContain(text);
    expect(reply.text).not.toMatch(/evil|<script/);
  });
});

describe('the key set (RFC 7517)', () => {
  it('has public halves only, each with kid, use and alg', async () => {
    const { headers, body } = await broker.get('/jwks');
    expect(headers.get('content-type')).toMatch('application/jwk-set+json');
    const { keys } = body as { keys: object[] };
    expect(keys).toHaveLength(1);
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      expect(key).toMatchObject({ alg: 'ES256', use: 'sig', kty: 'EC', crv: 'P-256' });
    }
  });
});

it('the error page is what error_uri points to', async () => {
  const refused = await broker.get('/nowhere');
  const { pathname, hash } = new URL((refused.body as { type: string }).type);
  const page = await broker.get(pathname);
  expect(page.status).toBe(200);
  expect(page.text).toContain(`## ${hash.slice(1)}`);
});
