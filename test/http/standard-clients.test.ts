/** Unmodified standard clients, oauth4webapi and openid-client, work with the broker as their standards say. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { exchangeForm } from '../support/calls.js';

// The broker under test is on loopback, without TLS.
/* eslint-disable @typescript-eslint/no-deprecated */
const insecure = { [oauth.allowInsecureRequests]: true };
const execute = [openid.allowInsecureRequests];
/* eslint-enable @typescript-eslint/no-deprecated */
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

let broker: TestBroker;
let as: oauth.AuthorizationServer;

beforeAll(async () => {
  broker = await startBroker();
  const issuer = new URL(broker.url);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  as = await oauth.processDiscoveryResponse(issuer, response);
});

/** RFC 7523 client authentication with an identity token. */
const asserted =
  (token: string) =>
  (_as: unknown, client: { client_id: string }, body: URLSearchParams): void => {
    body.set('client_id', client.client_id);
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    body.set('client_assertion', token);
  };

async function exchanged(): Promise<oauth.TokenEndpointResponse> {
  const client = { client_id: 'lab:agent-7' };
  const { grant_type: grantType, ...parameters } = exchangeForm(await broker.identity('agent-7'));
  const response = await oauth.genericTokenEndpointRequest(as, client, oauth.None(), grantType, parameters, insecure);
  return oauth.processGenericTokenEndpointResponse(as, client, response);
}

describe('oauth4webapi', () => {
  it('discovers the broker as an authorization server (RFC 8414) and as an OpenID provider', async () => {
    const issuer = new URL(broker.url);
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure });
    const again = await oauth.processDiscoveryResponse(issuer, response);
    expect(again).toEqual(as);
    expect(as.grant_types_supported).toContain(EXCHANGE);
  });

  it('exchanges a token (RFC 8693), and reads what was granted (RFC 9396)', async () => {
    expect(await exchanged()).toMatchObject({
      token_type: 'bearer',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      scope: 'incident/4711:read',
      authorization_details: [
        { type: 'task_access', locations: [TICKETS], identifier: 'incident/4711', actions: ['read'] },
      ],
    });
  });

  it('gets a credential with client_credentials, and a client assertion', async () => {
    const client = { client_id: 'lab:agent-7' };
    const auth = asserted(await broker.identity('agent-7'));
    const wish = { resource: TICKETS, scope: 'incident/4711:read', purpose: 'summarise' };
    const response = await oauth.clientCredentialsGrantRequest(as, client, auth, wish, insecure);
    const granted = await oauth.processClientCredentialsResponse(as, client, response);
    expect(granted).toMatchObject({ token_type: 'bearer', scope: 'incident/4711:read' });
  });

  it('validates the access token as a resource server does (RFC 9068), by the published keys', async () => {
    const { access_token: token } = await exchanged();
    const request = new Request(`${TICKETS}/incident/4711`, { headers: { authorization: `Bearer ${token}` } });
    const skew = Math.round((broker.clock.now() - Date.now()) / 1000);
    const options = { ...insecure, [oauth.clockSkew]: skew };
    const claims = await oauth.validateJwtAccessToken(as, request, TICKETS, options);
    expect(claims).toMatchObject({ iss: broker.url, client_id: 'lab:agent-7', sub: 'lab:agent-7' });
    await expect(oauth.validateJwtAccessToken(as, request, 'https://other.example', options)).rejects.toThrow();
  });

  it('introspects it (RFC 7662), revokes it (RFC 7009), and introspects it again', async () => {
    const { access_token: token } = await exchanged();
    const api = { client_id: 'lab:tickets-api' };
    const asApi = asserted(await broker.identity('tickets-api'));
    const ask = async () =>
      oauth.processIntrospectionResponse(as, api, await oauth.introspectionRequest(as, api, asApi, token, insecure));
    expect(await ask()).toMatchObject({ active: true, token_type: 'Bearer' });

    const holder = { client_id: 'lab:agent-7' };
    const asHolder = asserted(await broker.identity('agent-7'));
    const revoked = await oauth.revocationRequest(as, holder, asHolder, token, insecure);
    await oauth.processRevocationResponse(revoked);
    expect(await ask()).toEqual({ active: false });
  });
});

describe('openid-client', () => {
  it('discovers, exchanges, introspects and revokes', async () => {
    const discovered = async (clientId: string, token: string) =>
      openid.discovery(new URL(broker.url), clientId, undefined, asserted(token), {
        algorithm: 'oauth2',
        execute,
      });
    const identity = await broker.identity('agent-7');
    const agent = await discovered('lab:agent-7', identity);
    const api = await discovered('lab:tickets-api', await broker.identity('tickets-api'));
    const { grant_type: grantType, ...parameters } = exchangeForm(identity);

    const { access_token: token } = await openid.genericGrantRequest(agent, grantType, parameters);
    expect(await openid.tokenIntrospection(api, token)).toMatchObject({ active: true });
    await openid.tokenRevocation(agent, token);
    expect(await openid.tokenIntrospection(api, token)).toEqual({ active: false });
  });

  it('discovers it as an OpenID provider, and gets a credential with client_credentials', async () => {
    const auth = asserted(await broker.identity('agent-7'));
    const agent = await openid.discovery(new URL(broker.url), 'lab:agent-7', undefined, auth, { execute });
    const wish = { resource: TICKETS, scope: 'incident/4711:read', purpose: 'summarise' };
    expect(await openid.clientCredentialsGrant(agent, wish)).toMatchObject({ scope: 'incident/4711:read' });
  });

  it('sees a refusal with its code and sentence', async () => {
    const identity = await broker.identity('agent-7');
    const config = await openid.discovery(new URL(broker.url), 'lab:agent-7', undefined, openid.None(), {
      algorithm: 'oauth2',
      execute,
    });
    const { grant_type: grantType, ...parameters } = exchangeForm(identity);
    const refused = openid.genericGrantRequest(config, grantType, { ...parameters, scope: 'incident/4711:write' });
    await expect(refused).rejects.toMatchObject({
      error: 'access_denied',
      error_description: "No policy permits 'write' on incident/4711.",
    });
  });
});
