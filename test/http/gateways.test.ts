/**
 * What gateways and platforms send to /token, as they send it: made from the source of agentgateway, OpenShell and ToolHive and
 * from the documentation of AgentCore, none of which runs here. They name no purpose and no task.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { createIssuer, type TestIssuer } from '../support/issuers/issuer.js';
import { createTrustDomain, type TestTrustDomain } from '../support/issuers/trust-domain.js';

const GRANT = 'urn:ietf:params:oauth:grant-type:';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:';
const TOKEN = 'urn:ietf:params:oauth:token-type:';
const GATEWAY = 'agentgateway';
const ROLE = 'arn:aws:iam::111122223333:role/Agent';
const BASIC = { authorization: `Basic ${Buffer.from(`${GATEWAY}:hunter2`).toString('base64')}` };
const WISH = { resource: TICKETS, scope: 'tickets.read' };

let broker: TestBroker;
let gateway: TestIssuer;
let aws: TestIssuer;
let spire: TestTrustDomain;

beforeAll(async () => {
  const clock = handClock();
  gateway = await createIssuer({ clock, url: GATEWAY, algorithms: ['RS256'] });
  aws = await createIssuer({ clock, url: 'https://4f2b.tokens.sts.global.api.aws', algorithms: ['ES384'] });
  spire = await createTrustDomain({ clock });
  const directory = temporaryDirectory();
  const file = (name: string, content: object) => {
    writeFileSync(join(directory, name), JSON.stringify(content));
    return { file: join(directory, name) };
  };
  broker = await startBroker({
    clock,
    trust: [
      { name: 'gateways', kind: 'oidc', issuer: GATEWAY, jwks: file('gateway', gateway.jwks()) },
      { name: 'aws', kind: 'oidc', issuer: aws.url, algorithms: ['ES384'], jwks: file('aws', aws.jwks()) },
      { name: 'spire', kind: 'spiffe', trustDomain: spire.name, bundle: file('spire', spire.bundle()) },
    ],
    policies: `@id("all") permit (principal, action in [Action::"read", Action::"openTask"], resource);`,
    config: {
      clientIds: { 'agentcore-provider': `aws:${ROLE}` },
      targets: [
        {
          resource: TICKETS,
          minter: 'jwt',
          audiences: ['tickets'],
          scopes: { 'tickets.read': ['incident/**:read'] },
          defaultPurpose: 'tool-use',
        },
      ],
    },
  });
});

type Form = Record<string, string>;

/** `client_secret_basic` is a header, the others are parameters. agentgateway signs for the audience that it is told. */
const privateKeyJwt = async (): Promise<Form> => ({
  client_id: GATEWAY,
  client_assertion_type: `${ASSERTION}jwt-bearer`,
  client_assertion: await gateway.token({ sub: GATEWAY, aud: `${broker.url}/token`, jti: '1' }),
});
const roleToken = () => aws.token({ sub: ROLE, aud: broker.url, jti: '1' });
const iamIdToken = async (): Promise<Form> => ({
  client_assertion_type: `${ASSERTION}jwt-bearer`,
  client_assertion: await roleToken(),
});
const svid = async (type = 'jwt-spiffe'): Promise<Form> => ({
  client_assertion_type: `${ASSERTION}${type}`,
  client_assertion: await spire.svid({ aud: broker.url }),
});
/** The token of the person, which both agentgateway and OpenShell call an access token unless told otherwise. */
const person = async (type = 'access_token'): Promise<Form> => ({
  grant_type: `${GRANT}token-exchange`,
  subject_token: await broker.person('ada', { header: { typ: 'at+jwt' } }),
  subject_token_type: `${TOKEN}${type}`,
});
const actor = async (type: string): Promise<Form> => ({
  actor_token: await broker.identity('agent-7'),
  actor_token_type: `${TOKEN}${type}`,
});
const asAssertion = async (): Promise<Form> => ({
  grant_type: `${GRANT}jwt-bearer`,
  assertion: await broker.person('ada', { jti: 'ada' }),
});
const openShell = { audience: 'tickets', scope: 'tickets.read' };

interface Granted {
  name: string;
  form: () => Promise<Form>;
  /** Who acts, and for whom. */
  introspected: object;
}

const forAda = (workload: string) => ({ sub: 'staff:ada', act: { sub: workload } });
const SPIFFE_ID = 'spiffe://prod.example/agent/one';

const GRANTED: Granted[] = [
  {
    name: 'agentgateway, token exchange with privateKeyJwt and resources',
    form: async () => ({ ...(await person()), ...WISH, ...(await privateKeyJwt()) }),
    introspected: forAda('gateways:agentgateway'),
  },
  {
    name: 'agentgateway, token exchange with privateKeyJwt and audiences',
    form: async () => ({ ...(await person()), ...openShell, ...(await privateKeyJwt()) }),
    introspected: forAda('gateways:agentgateway'),
  },
  {
    name: 'agentgateway, token exchange without clientAuth, with an actorToken of type jwt',
    form: async () => ({ ...(await person()), ...(await actor('jwt')), ...WISH }),
    introspected: forAda('lab:agent-7'),
  },
  {
    name: 'AgentCore, TOKEN_EXCHANGE with AWS_IAM_ID_TOKEN_JWT',
    form: async () => ({ ...(await person()), ...WISH, ...(await iamIdToken()) }),
    introspected: forAda(`aws:${ROLE}`),
  },
  {
    name: 'AgentCore, TOKEN_EXCHANGE with AWS_IAM_ID_TOKEN_JWT as client and as actor',
    form: async () => ({
      ...(await person('jwt')),
      actor_token: await roleToken(),
      actor_token_type: `${TOKEN}jwt`,
      ...WISH,
      ...(await iamIdToken()),
    }),
    introspected: forAda(`aws:${ROLE}`),
  },
  {
    name: 'AgentCore, client_credentials with AWS_IAM_ID_TOKEN_JWT',
    form: async () => ({ grant_type: 'client_credentials', ...WISH, ...(await iamIdToken()) }),
    introspected: { sub: `aws:${ROLE}` },
  },
  {
    name: 'AgentCore, AWS_IAM_ID_TOKEN_JWT with the role as clientId',
    form: async () => ({ grant_type: 'client_credentials', ...WISH, ...(await iamIdToken()), client_id: ROLE }),
    introspected: { sub: `aws:${ROLE}` },
  },
  {
    name: 'AgentCore, AWS_IAM_ID_TOKEN_JWT with a clientId that clientIds has',
    form: async () => ({ ...(await person()), ...WISH, ...(await iamIdToken()), client_id: 'agentcore-provider' }),
    introspected: forAda(`aws:${ROLE}`),
  },
  {
    name: 'OpenShell, client_credentials with a JWT-SVID',
    form: async () => ({ grant_type: 'client_credentials', ...(await svid('jwt-bearer')), ...openShell }),
    introspected: { sub: SPIFFE_ID },
  },
  {
    name: 'OpenShell, client_credentials with a JWT-SVID of type jwt-spiffe',
    form: async () => ({ grant_type: 'client_credentials', ...(await svid()), ...openShell }),
    introspected: { sub: SPIFFE_ID },
  },
  {
    name: 'OpenShell, token exchange with a JWT-SVID',
    form: async () => ({
      ...(await person()),
      ...(await svid()),
      requested_token_type: `${TOKEN}access_token`,
      ...openShell,
    }),
    introspected: forAda(SPIFFE_ID),
  },
  {
    name: 'ToolHive, jwt-bearer without a client',
    form: async () => ({
      grant_type: `${GRANT}jwt-bearer`,
      assertion: await broker.identity('agent-7', { jti: 'toolhive' }),
      scope: 'tickets.read',
    }),
    introspected: { sub: 'lab:agent-7' },
  },
];

interface Refused {
  name: string;
  form: () => Promise<Form>;
  headers?: Record<string, string>;
  answer: [number, string, RegExp];
}

const NO_SECRETS: Refused['answer'] = [401, 'invalid_client', /no client secrets here; send a client_assertion/];

const REFUSED: Refused[] = [
  {
    name: 'agentgateway, token exchange with clientSecretBasic',
    form: async () => ({ ...(await person()), ...WISH }),
    headers: BASIC,
    answer: NO_SECRETS,
  },
  {
    name: 'agentgateway, token exchange with clientSecretPost',
    form: async () => ({ ...(await person()), ...WISH, client_id: GATEWAY, client_secret: 'hunter2' }),
    answer: NO_SECRETS,
  },
  {
    name: 'agentgateway, token exchange with a client_id and no secret',
    form: async () => ({ ...(await person()), ...WISH, client_id: GATEWAY }),
    answer: [400, 'invalid_request', /actor/],
  },
  {
    name: 'agentgateway, token exchange with an actorToken of its default type',
    form: async () => ({ ...(await person()), ...(await actor('access_token')), ...WISH }),
    answer: [400, 'invalid_request', /is not of the declared token type/],
  },
  {
    name: 'agentgateway, jwt-bearer with the token of a person',
    form: async () => ({ ...(await asAssertion()), ...WISH, ...(await privateKeyJwt()) }),
    answer: [400, 'invalid_grant', /must be a workload/],
  },
  {
    name: 'AgentCore, AWS_IAM_ID_TOKEN_JWT with another clientId',
    form: async () => ({ ...(await person()), ...WISH, ...(await iamIdToken()), client_id: 'your-client-id' }),
    answer: [401, 'invalid_client', /client_id is not the workload/],
  },
  {
    name: 'AgentCore, TOKEN_EXCHANGE with M2M as actor',
    form: async () => {
      const form = { grant_type: 'client_credentials', ...WISH, ...(await iamIdToken()) };
      const { access_token: token } = (await send({ form: () => Promise.resolve(form) })).body as {
        access_token: string;
      };
      const actor = { actor_token: token, actor_token_type: `${TOKEN}access_token` };
      return { ...(await person()), ...actor, ...WISH, ...(await iamIdToken()) };
    },
    answer: [400, 'invalid_request', /what the broker issues proves no identity/],
  },
  {
    name: 'AgentCore, JWT_AUTHORIZATION_GRANT',
    form: async () => ({ ...(await asAssertion()), ...WISH, ...(await iamIdToken()) }),
    answer: [400, 'invalid_grant', /must be a workload/],
  },
  {
    name: 'AgentCore, CLIENT_SECRET_BASIC',
    form: async () => ({ ...(await person()), ...WISH }),
    headers: BASIC,
    answer: NO_SECRETS,
  },
  {
    name: 'ToolHive, jwt-bearer with a client secret',
    form: async () => ({
      grant_type: `${GRANT}jwt-bearer`,
      assertion: await broker.identity('agent-7', { jti: 'toolhive-secret' }),
      scope: 'tickets.read',
    }),
    headers: BASIC,
    answer: NO_SECRETS,
  },
];

const send = async ({ form, headers }: Pick<Refused, 'form' | 'headers'>): Promise<Reply> =>
  broker.form('/token', await form(), headers);

describe('a gateway gets a credential as it asks', () => {
  it.each(GRANTED)('$name', async ({ form, introspected }) => {
    const reply = await send({ form });
    expect(reply.body).toMatchObject({ token_type: 'Bearer', issued_token_type: `${TOKEN}access_token` });
    const { access_token: token } = reply.body as { access_token: string };
    const { body } = await broker.introspect(token, await broker.identity('tickets-api'));
    expect(body).toMatchObject({ active: true, task: { purpose: 'tool-use' }, ...introspected });
    expect((body as { scope: string }).scope.split(' ')).toContain('tickets.read');
  });
});

describe('a gateway that asks in another way is refused, and told what to do', () => {
  it.each(REFUSED)('$name', async ({ form, headers, answer }) => {
    expectOAuthRefusal(await send({ form, ...(headers && { headers }) }), ...answer);
  });
});
