/** ID-JAGs: an identity provider grants a client that it may act here for a person. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as sdk2 from '@modelcontextprotocol/client';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { createIssuer, type TestIssuer, type TokenWish } from '../support/issuers/issuer.js';
import { anyRedis } from '../support/redis.js';

const CLIENT_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const PERMITS = `
@id("reads") permit (principal, action == Action::"read", resource);
@id("opens") permit (principal, action == Action::"openTask", resource);`;

let broker: TestBroker;
let idp: TestIssuer;
let otherIdp: TestIssuer;
let twin: TestIssuer;

beforeAll(async () => {
  // Lifetimes are whole seconds.
  const clock = handClock(Math.floor(Date.now() / 1000) * 1000);
  const urls = ['https://idp.example', 'https://other-idp.example', 'https://twin.example'];
  [idp, otherIdp, twin] = (await Promise.all(urls.map((url) => createIssuer({ clock, url })))) as [
    TestIssuer,
    TestIssuer,
    TestIssuer,
  ];
  const person = { kind: 'oidc', represents: 'person' };
  broker = await startBroker({
    clock,
    redisUrl: await anyRedis(),
    policies: PERMITS,
    trust: [
      { ...person, ...of(idp, 'idp'), audiences: ['portal'], idJag: { publicClients: ['public-portal'] } },
      { ...person, ...of(otherIdp, 'other-idp'), require: { tenant: ['t-1'] }, idJag: {} },
      { kind: 'oidc', ...of(twin, 'twin') },
    ],
    config: {
      clientIds: { portal: 'lab:agent-7', 'public-portal': 'lab:desktop' },
      targets: [
        {
          resource: TICKETS,
          minter: 'jwt',
          audiences: ['tickets'],
          scopes: { 'tickets.read': ['incident/**:read'], 'tickets.four': ['incident/4/**:read'] },
          defaultAccess: ['incident/1:read'],
          defaultPurpose: 'tool-use',
        },
        { resource: WIKI, minter: 'jwt', scopes: { 'wiki.read': ['page/**:read'] } },
      ],
    },
  });
});

/** The settings of an issuer whose keys stand in a file. */
function of(issuer: TestIssuer, name: string) {
  const file = join(temporaryDirectory(), 'jwks.json');
  writeFileSync(file, JSON.stringify(issuer.jwks()));
  return { name, issuer: issuer.url, jwks: { file } };
}

let number = 0;
const idJag = (wish: TokenWish = {}, from = idp) =>
  from.token({
    sub: 'ada',
    aud: broker.url,
    client_id: 'portal',
    jti: `jag-${(number += 1)}`,
    header: { typ: 'oauth-id-jag+jwt' },
    ...wish,
  });
const asClient = async (sub = 'agent-7') => ({
  client_assertion_type: CLIENT_ASSERTION,
  client_assertion: await broker.identity(sub),
});
const show = (assertion: string, wish: Record<string, string | undefined>, at = broker) =>
  at.form('/token', { grant_type: BEARER, assertion, resource: TICKETS, ...wish });
const ask = async (jag: TokenWish = {}, wish: Record<string, string | undefined> = {}) =>
  show(await idJag(jag), { ...(await asClient()), ...wish });
interface Granted {
  access_token: string;
  scope: string;
  task_id: string;
  expires_in: number;
}
const granted = (reply: Reply): Granted => {
  if (reply.status !== 200) throw new Error(reply.text);
  return reply.body as Granted;
};
const introspected = async (reply: Reply) =>
  (await broker.introspect(granted(reply).access_token, await broker.identity('tickets-api'))).body;

describe('an ID-JAG', () => {
  it('lets its client act for the person, who is the subject', async () => {
    expect(await introspected(await ask())).toMatchObject({ sub: 'idp:ada', act: { sub: 'lab:agent-7' } });
    expect((await broker.get('/.well-known/oauth-authorization-server')).body).toMatchObject({
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
    });
  });

  it('is taken once, by whichever broker it is shown to, and within five minutes of its issue', async () => {
    const beside = await broker.beside(handClock(broker.clock.now()));
    const assertion = await idJag();
    const client = await asClient();
    const replies = await Promise.all([broker, beside, broker, beside].map((at) => show(assertion, client, at)));
    const statuses = replies.map(({ status }) => status).toSorted();
    expect(statuses[0]).toBe(200);
    // A loser is told so, or to come later, where a busy store did not say in time who won.
    for (const status of statuses.slice(1)) expect([400, 503]).toContain(status);
    for (const one of replies.filter(({ status }) => status === 400))
      expectOAuthRefusal(one, 400, 'invalid_grant', /used before/);
    const late = await idJag({ iat: Math.floor(broker.clock.now() / 1000) - 306 });
    expectOAuthRefusal(await show(late, await asClient()), 400, 'invalid_grant', /too old/);
  });

  it('gives no credential that outlives it by more than a minute', async () => {
    expect(granted(await ask({ expiresInSeconds: 30 })).expires_in).toBe(90);
  });

  it.each<[string, TokenWish, RegExp]>([
    ['without a client', { client_id: undefined }, /client_id/],
    ['for another client', { client_id: 'lab:agent-8' }, /another client/],
    // twin has a workload with this sub as well.
    ['for a client that more than one could be', { client_id: 'agent-7' }, /another client/],
    ['for the token endpoint', { aud: () => `${broker.url}/token` }, /audience/],
    ['for what other tokens of its issuer are for', { aud: 'portal' }, /audience/],
    ['for this broker and somebody else', { aud: () => [broker.url, 'https://other.example'] }, /audience/],
    ['without a number', { jti: undefined }, /jti/],
    ['that names another actor', { act: { sub: 'agent-9' } }, /claim act/],
    ['for the holder of a key', { cnf: { jkt: 'x' } }, /claim cnf/],
    ['of one tenant of several', { tenant: 't-1' }, /claim tenant/],
    ['for one tenant of several', { aud_tenant: 't-1' }, /claim aud_tenant/],
    ['whose scope is no text', { scope: ['tickets.read'] }, /scope/],
    ['whose resource is no text', { resource: [1] }, /resource/],
    ['whose details are no list', { authorization_details: {} }, /no list/],
    ['whose details say what is not understood', { authorization_details: [{ type: 'payment' }] }, /cannot be read/],
    ['that was made for a login', { nonce: 'n' }, /ID token/],
    ['that has expired', { expiresInSeconds: -60 }, /expired/],
  ])('is refused %s', async (_what, wish, why) => {
    const { aud } = wish;
    const claims = typeof aud === 'function' ? { ...wish, aud: (aud as () => unknown)() } : wish;
    expectOAuthRefusal(await ask(claims), 400, 'invalid_grant', why);
  });

  it('is refused from an issuer that does not issue them, also one of workloads', async () => {
    for (const from of [broker.staff, broker.lab, twin]) {
      const reply = await show(await idJag({}, from), await asClient());
      expectOAuthRefusal(reply, 400, 'invalid_grant', /of a type/);
    }
  });

  it('is taken with a tenant where the configuration pins that one', async () => {
    const shown = async (tenant: string) => show(await idJag({ tenant }, otherIdp), await asClient());
    expect(await introspected(await shown('t-1'))).toMatchObject({ sub: 'other-idp:ada' });
    expectOAuthRefusal(await shown('t-2'), 400, 'invalid_grant', /claim tenant/);
  });

  it('is no token of the person or of a client anywhere else, before it was used and after', async () => {
    const assertion = await idJag();
    const elsewhere = async () => {
      const bearer = { authorization: `Bearer ${await broker.identity('agent-7')}` };
      const form = { grant_type: EXCHANGE, resource: TICKETS };
      const [subject, actor] = [await broker.person('eve'), assertion];
      expectOAuthRefusal(
        await broker.form('/token', { ...form, subject_token: assertion, subject_token_type: JWT }, bearer),
        400,
        'invalid_request',
        /ID-JAG|audience/,
      );
      const both = { subject_token: subject, subject_token_type: JWT, actor_token: actor, actor_token_type: JWT };
      expectOAuthRefusal(await broker.form('/token', { ...form, ...both }), 400, 'invalid_request', /ID-JAG|audience/);
      const asAssertion = { client_assertion_type: CLIENT_ASSERTION, client_assertion: assertion };
      const reply = await broker.form('/token', {
        grant_type: 'client_credentials',
        resource: TICKETS,
        ...asAssertion,
      });
      expectOAuthRefusal(reply, 401, 'invalid_client', /ID-JAG/);
      expect((await broker.post('/tasks', { purpose: 'x' }, assertion)).status).toBe(401);
    };
    await elsewhere();
    granted(await show(assertion, await asClient()));
    await elsewhere();
  });

  it('is not replaced by another token of the person, nor by that of a workload', async () => {
    const login = await idp.token({ sub: 'ada', aud: 'portal', jti: 'login-1' });
    expectOAuthRefusal(await show(login, await asClient()), 400, 'invalid_grant', /must be a workload/);
    const posing = await broker.identity('agent-7', { client_id: 'portal', jti: 'w-1' });
    expect(await introspected(await show(posing, await asClient()))).toMatchObject({ sub: 'lab:agent-7' });
  });

  it('is of no use while the person or the client is held', async () => {
    const soc = await broker.identity('soc');
    for (const [kind, value] of [
      ['principal', 'idp:mallory'],
      ['workload', 'lab:agent-11'],
    ] as const) {
      const hold = { selector: { kind, value }, effect: 'hold', reason: 'test', unseen: true };
      expect((await broker.post('/revocations', hold, soc)).status).toBe(200);
    }
    expectOAuthRefusal(await ask({ sub: 'mallory' }), 400, 'access_denied', /hold/);
    const held = await show(await idJag({ client_id: 'lab:agent-11' }), await asClient('agent-11'));
    expectOAuthRefusal(held, 400, 'access_denied', /hold/);
  });
});

describe('what an ID-JAG grants', () => {
  const details = (...paths: string[]) =>
    paths.map((identifier) => ({ type: 'task_access', locations: [TICKETS], identifier, actions: ['read'] }));

  it.each<[string, TokenWish, Record<string, string | undefined>, string]>([
    ['what the target gives, where neither names any', {}, {}, 'incident/1:read'],
    [
      'what it names, where the request names none',
      { scope: 'tickets.four openid' },
      {},
      'incident/4/**:read tickets.four',
    ],
    ['what the request names', { scope: 'tickets.read' }, { scope: 'incident/7:read' }, 'incident/7:read'],
    ['what its details name', { authorization_details: details('incident/7') }, {}, 'incident/7:read'],
    [
      'what either names',
      { scope: 'tickets.four', authorization_details: details('incident/7') },
      { scope: 'incident/7:read' },
      'incident/7:read',
    ],
    [
      'its one resource, where the request names none',
      { resource: 'tickets', scope: 'incident/4:read' },
      { resource: undefined },
      'incident/4:read',
    ],
    ['one of its resources', { resource: [WIKI, TICKETS] }, { scope: 'incident/4:read' }, 'incident/4:read'],
  ])('is %s', async (_what, jag, wish, scope) => {
    expect(granted(await ask(jag, wish)).scope).toBe(scope);
  });

  it.each<[string, TokenWish, Record<string, string>, string]>([
    ['other access', { scope: 'tickets.four' }, { scope: 'incident/7:read' }, 'invalid_scope'],
    ['wider access', { scope: 'tickets.four' }, { scope: 'tickets.read' }, 'invalid_scope'],
    ['access where it names none here', { scope: 'wiki.read openid' }, { scope: 'incident/7:read' }, 'invalid_scope'],
    ['access where its scope is empty', { scope: '' }, {}, 'invalid_scope'],
    [
      'other access than its details',
      { authorization_details: details('incident/7') },
      { scope: 'incident/8:read' },
      'invalid_scope',
    ],
    ['another resource', { resource: WIKI }, {}, 'invalid_target'],
    ['any resource where it names none', { resource: [] }, {}, 'invalid_target'],
  ])('is not %s', async (_what, jag, wish, code) => {
    expectOAuthRefusal(await ask(jag, wish), 400, code);
  });

  it('bounds what the client gets later under the task that it opened, with a proof of its own alone', async () => {
    const later = async (task_id: string, wish: Record<string, string>) =>
      broker.form('/token', {
        grant_type: 'client_credentials',
        ...(await asClient()),
        task_id,
        resource: TICKETS,
        ...wish,
      });
    for (const jag of [{ scope: 'tickets.four' }, { resource: TICKETS }]) {
      const { task_id } = granted(await ask(jag, { scope: 'incident/4/x:read' }));
      expect((await later(task_id, { scope: 'incident/4/x:read' })).status).toBe(200);
      expectOAuthRefusal(await later(task_id, { scope: 'incident/7:read' }), 400, 'invalid_scope', /opened for/);
      expectOAuthRefusal(await later(task_id, { resource: WIKI, scope: 'page/1:read' }), 400, 'invalid_scope');
    }
  });

  it('proves the person for no task that may have more, which the client could then ask for alone', async () => {
    const opened = async (...paths: string[]) => {
      const access = paths.length > 0 ? details(...paths) : undefined;
      const wish = { workload: 'lab:agent-7', principal: 'idp:hopper', purpose: 'x', access };
      return ((await broker.post('/tasks', wish, await broker.identity('orchestrator'))).body as { id: string }).id;
    };
    const shown = async (task_id: string) =>
      ask({ sub: 'hopper', authorization_details: details('incident/4/**') }, { task_id, scope: 'incident/4/x:read' });
    for (const wide of [await opened(), await opened('incident/4/x', 'incident/7')])
      expectOAuthRefusal(await shown(wide), 400, 'invalid_grant', /ask without task_id/);
    expect((await shown(await opened('incident/4/x'))).status).toBe(200);
  });

  it('is one task for all ID-JAGs that grant the same, and another for one that grants more', async () => {
    const task = async (scope: string) =>
      granted(await ask({ scope, sub: 'grace' }, { scope: 'incident/4/x:read' })).task_id;
    const first = await task('tickets.four');
    expect(await task('tickets.four')).toBe(first);
    expect(await task('tickets.read')).not.toBe(first);
  });
});

describe('the client of an ID-JAG', () => {
  it('may be public where the issuer of the ID-JAG may vouch for it', async () => {
    const reply = await show(await idJag({ client_id: 'public-portal' }), { client_id: 'public-portal' });
    expect(await introspected(reply)).toMatchObject({ sub: 'idp:ada', act: { sub: 'lab:desktop' } });
  });

  it('may sign for itself: as the issuer of its assertions it is nobody else', async () => {
    const client_assertion = await twin.token({ sub: twin.url, aud: broker.url });
    const client = { client_assertion_type: CLIENT_ASSERTION, client_assertion };
    const reply = await show(await idJag({ client_id: twin.url }), client);
    expect(await introspected(reply)).toMatchObject({ act: { sub: `twin:${twin.url}` } });
    expectOAuthRefusal(await show(await idJag({ client_id: idp.url }), client), 400, 'invalid_grant', /another client/);
  });

  it.each<[string, string, Record<string, string>, number, string]>([
    ['says no client_id', 'public-portal', {}, 401, 'invalid_client'],
    ['says that of another', 'public-portal', { client_id: 'portal' }, 400, 'invalid_grant'],
    [
      'sends a secret',
      'public-portal',
      { client_id: 'public-portal', client_secret: 'hunter2' },
      401,
      'invalid_client',
    ],
    ['is not public', 'portal', { client_id: 'portal' }, 401, 'invalid_client'],
    ['is not public, and known by its id', 'lab:agent-7', { client_id: 'lab:agent-7' }, 401, 'invalid_client'],
  ])('is refused where it %s', async (_what, client_id, wish, status, code) => {
    expectOAuthRefusal(await show(await idJag({ client_id }), wish), status, code);
  });

  it('is public for no other identity provider', async () => {
    const assertion = await idJag({ client_id: 'public-portal', tenant: 't-1' }, otherIdp);
    expectOAuthRefusal(await show(assertion, { client_id: 'public-portal' }), 401, 'invalid_client');
  });

  it('is a person for nobody', async () => {
    const assertion = await idJag({ client_id: 'staff:eve' });
    const client_assertion = await broker.person('eve');
    const reply = await show(assertion, { client_assertion_type: CLIENT_ASSERTION, client_assertion });
    expectOAuthRefusal(reply, 400, 'invalid_grant', /another client/);
  });

  it('may use the provider of the MCP SDK 2 for it, which sends no secret where the metadata know none', async () => {
    const sent: URLSearchParams[] = [];
    const provider = new sdk2.CrossAppAccessProvider({
      clientId: 'public-portal',
      clientSecret: 'never-sent',
      expectedIssuer: broker.url,
      assertion: async ({ resourceUrl }) => idJag({ client_id: 'public-portal', resource: resourceUrl }),
    });
    const fetchFn: typeof fetch = async (url, init) => {
      if (new Request(url).url.startsWith(TICKETS)) {
        return Response.json({ resource: TICKETS, authorization_servers: [broker.url] });
      }
      if (init?.body instanceof URLSearchParams) sent.push(init.body);
      return fetch(url, init);
    };
    expect(await sdk2.auth(provider, { serverUrl: TICKETS, fetchFn })).toBe('AUTHORIZED');
    const token = provider.tokens()?.access_token ?? '';
    expect((await broker.introspect(token, await broker.identity('tickets-api'))).body).toMatchObject({
      sub: 'idp:ada',
      act: { sub: 'lab:desktop' },
    });
    expect(sent.map((form) => [...form.keys()].toSorted())).toEqual([
      ['assertion', 'client_id', 'grant_type', 'resource'],
    ]);
  });
});
