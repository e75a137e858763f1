/** The grants of RFC 6749 and RFC 7523: one exchange under other names, for clients that know no other. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { BROKER, createIssuer, type TokenWish } from '../support/issuers/issuer.js';

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const WISH = { resource: TICKETS, scope: 'incident/4711:read', purpose: 'summarise' };

let broker: TestBroker;
const ALIASES = { 'f53f191f-9311': 'lab:agent-7', 'f53f191f-9312': 'lab:agent-8' };
beforeAll(async () => void (broker = await startBroker({ config: { clientIds: ALIASES } })));

const atTokenEndpoint = () => ({ aud: `${broker.url}/token` });
const introspected = async (reply: Reply) => {
  expect(reply.status).toBe(200);
  const { access_token: token } = reply.body as { access_token: string };
  return (await broker.introspect(token, await broker.identity('tickets-api'))).body;
};

describe('client_credentials', () => {
  const ask = async (wish: Record<string, string> = {}, proof?: TokenWish) =>
    broker.form('/token', {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION,
      client_assertion: await broker.identity('agent-7', proof),
      ...WISH,
      ...wish,
    });

  it('gives the workload that the assertion proves what an exchange gives it', async () => {
    expect(await introspected(await ask())).toMatchObject({
      sub: 'lab:agent-7',
      scope: 'incident/4711:read',
      task: { purpose: 'summarise' },
    });
  });

  it.each([
    ['its id', 'lab:agent-7', 200],
    ['its sub', 'agent-7', 200],
    ['its alias', 'f53f191f-9311', 200],
    ['another', 'lab:agent-8', 401],
    ['the alias of another', 'f53f191f-9312', 401],
    ['the sub at another issuer', 'staff:agent-7', 401],
    ['its issuer', 'lab', 401],
  ])('takes as client_id %s: %s → %i', async (_what, client_id, status) => {
    const reply = await ask({ client_id });
    expect(reply.status).toBe(status);
    if (status !== 200) expectOAuthRefusal(reply, 401, 'invalid_client', /client_id is not the workload/);
  });

  it('takes an assertion for the token endpoint, which proves nothing elsewhere, before and after', async () => {
    const token = await broker.identity('agent-7', atTokenEndpoint());
    const asBearer = async () => (await broker.post('/tasks', { purpose: 'summarise' }, token)).status;
    expect(await asBearer()).toBe(401);
    expect((await ask({ client_assertion: token })).status).toBe(200);
    expect(await asBearer()).toBe(401);
    expectOAuthRefusal(await broker.exchange(token), 400, 'invalid_request', /audience/);
  });

  it.each<[string, Record<string, string>, TokenWish]>([
    ['nothing', { client_assertion: '', client_assertion_type: '' }, {}],
    ['a secret', { client_secret: 'hunter2' }, {}],
    ['an assertion for another audience', {}, { aud: 'https://other.example' }],
    [
      'an assertion for the token endpoint and somebody else',
      {},
      { aud: [`${BROKER}/token`, 'https://other.example'] },
    ],
  ])('refuses %s', async (_what, wish, proof) => {
    expectOAuthRefusal(await ask(wish, proof), 401, 'invalid_client');
  });

  it.each(['subject_token', 'actor_token', 'assertion'])(
    'refuses a %s beside it, and does not ignore whose it is',
    async (name) => {
      const person = await broker.person('ada');
      expectOAuthRefusal(await ask({ [name]: person }), 400, 'invalid_request', /belongs to another grant/);
    },
  );

  it('refuses the token of a person, and a secret in the header', async () => {
    expectOAuthRefusal(await ask({ client_assertion: await broker.person('ada') }), 401, 'invalid_client', /workload/);
    const basic = { authorization: 'Basic bGFiOng=' };
    const form = { grant_type: 'client_credentials', ...WISH };
    expectOAuthRefusal(await broker.form('/token', form, basic), 401, 'invalid_client', /no client secrets/);
  });
});

describe('jwt-bearer', () => {
  let number = 0;
  const signed = (sub = 'agent-7', proof: TokenWish = {}) =>
    broker.identity(sub, { jti: `one-${(number += 1)}`, ...proof });
  const ask = (assertion: string, wish: Record<string, string> = {}) =>
    broker.form('/token', { grant_type: BEARER, assertion, ...WISH, ...wish });

  it('gives the workload that signed the assertion what an exchange gives it', async () => {
    expect(await introspected(await ask(await signed()))).toMatchObject({ sub: 'lab:agent-7' });
    expect((await ask(await signed('agent-7', atTokenEndpoint()))).status).toBe(200);
  });

  it('takes an assertion once, also where it is refused for something else, and however many come at once', async () => {
    const assertion = await signed();
    const replies = await Promise.all([1, 2, 3, 4].map(() => ask(assertion)));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400]);
    const refused = await signed();
    expectOAuthRefusal(await ask(refused, { scope: 'incident/4711:write' }), 400, 'access_denied');
    expectOAuthRefusal(await ask(refused), 400, 'invalid_grant', /used before/);
  });

  it('keeps apart what two issuers number alike', async () => {
    const claims = { jti: 'same' };
    expect((await ask(await broker.identity('agent-7', claims))).status).toBe(200);
    // The proof is a person's, so it is refused for that, and not because the number was used.
    expectOAuthRefusal(await ask(await broker.person('ada', claims)), 400, 'invalid_grant', /must be a workload/);
  });

  it('gives no credential that outlives the assertion by more than a minute', async () => {
    const { body } = await ask(await signed('agent-7', { expiresInSeconds: 30 }));
    expect(body).toMatchObject({ expires_in: 90 });
  });

  it.each<[string, TokenWish, RegExp]>([
    ['without an id', { jti: undefined }, /jti/],
    ['whose id is no name', { jti: 'a  b' }, /jti/],
    ['that is an ID token of a login', { jti: 'login-1', nonce: 'n' }, /ID token/],
  ])('refuses an assertion %s', async (_what, proof, why) => {
    expectOAuthRefusal(await ask(await signed('agent-7', proof)), 400, 'invalid_grant', why);
  });

  it('refuses an assertion that is older than an hour, so that used ones can be forgotten', async () => {
    const assertion = await signed('agent-7', { expiresInSeconds: 28_000 });
    await broker.advance(3_606_000);
    expectOAuthRefusal(await ask(assertion), 400, 'invalid_grant', /too old/);
  });

  it('takes no notice of client_id, and much of a client that authenticates itself', async () => {
    expect((await ask(await signed(), { client_id: 'whoever' })).status).toBe(200);
    const other = { client_assertion_type: ASSERTION, client_assertion: await broker.identity('agent-8') };
    expectOAuthRefusal(await ask(await signed(), other), 400, 'invalid_request', /client is not the workload/);
  });

  it('refuses what is no token of anybody', async () => {
    expectOAuthRefusal(await ask('a.b.c'), 400, 'invalid_grant');
    expectOAuthRefusal(
      await broker.form('/token', { grant_type: BEARER, ...WISH }),
      400,
      'invalid_request',
      /assertion/,
    );
  });
});

describe('an assertion that proves nothing', () => {
  /** Whoever wants to be an issuer can sign in its name. */
  const forged = async (url: string, wish: TokenWish = {}) =>
    (await createIssuer({ clock: broker.clock, url })).token({
      sub: 'agent-7',
      aud: broker.url,
      jti: 'forged',
      ...wish,
    });

  it.each<[string, () => Promise<string>, RegExp]>([
    ['of a type for APIs', () => broker.identity('agent-7', { jti: 'at', header: { typ: 'at+jwt' } }), /of a type/],
    [
      'of a type for a key that must be proven',
      () => broker.identity('a', { jti: 'w', header: { typ: 'wit+jwt' } }),
      /of a type/,
    ],
    [
      'of the type of an ID-JAG',
      () => broker.identity('a', { jti: 'j', header: { typ: 'oauth-id-jag+jwt' } }),
      /of a type/,
    ],
    ['for the holder of a key', () => broker.identity('a', { jti: 'cnf', cnf: { jkt: 'x' } }), /holder of a key/],
    [
      'of the type for client assertions alone',
      () => broker.identity('a', { jti: 'c', header: { typ: 'client-authentication+jwt' } }),
      /of a type/,
    ],
    ['of a type for events', () => broker.identity('a', { jti: 's', header: { typ: 'secevent+jwt' } }), /of a type/],
    ['for another audience', () => broker.identity('a', { jti: 'aud', aud: 'https://other.example' }), /audience/],
    ['that has expired', () => broker.identity('a', { jti: 'exp', expiresInSeconds: -60 }), /expired/],
    ['that does not say when it was issued', () => broker.identity('a', { jti: 'iat', iat: undefined }), /iat/],
    ['by a key that its issuer does not have', () => forged(broker.lab.url), /key of its issuer/],
    ['by an issuer that nobody trusts', () => forged('https://nobody.example'), /no issuer that is trusted/],
    ['by a client that signs for itself, and that nobody trusts', () => forged('me', { sub: 'me' }), /no issuer/],
    ['by the broker itself', () => forged(broker.url), /names this broker/],
    ['that is no token', () => Promise.resolve('a.b.c'), /base64url|compact form/],
    ['of a person', () => broker.person('ada', { jti: 'ada' }), /must be a workload/],
  ])('%s is refused by the code of its grant', async (_what, token, why) => {
    const asGrant = { grant_type: BEARER, assertion: await token(), ...WISH };
    expectOAuthRefusal(await broker.form('/token', asGrant), 400, 'invalid_grant', why);
    const asClient = { client_assertion_type: ASSERTION, client_assertion: await token() };
    const form = { grant_type: 'client_credentials', ...asClient, ...WISH };
    expectOAuthRefusal(await broker.form('/token', form), 401, 'invalid_client', why);
  });
});

describe('a token of a person, shown by a client that authenticates itself', () => {
  let person: string;
  beforeEach(async () => void (person = await broker.person('ada')));
  const ask = (wish: Record<string, string>, headers = {}) =>
    broker.form(
      '/token',
      { grant_type: EXCHANGE, subject_token: person, subject_token_type: JWT, ...WISH, ...wish },
      headers,
    );

  it.each(['client assertion', 'bearer'])('serves the person, and the client is the actor: %s', async (way) => {
    const proof = await broker.identity('agent-7');
    const reply =
      way === 'bearer'
        ? await ask({}, { authorization: `Bearer ${proof}` })
        : await ask({ client_assertion_type: ASSERTION, client_assertion: proof });
    expect(await introspected(reply)).toMatchObject({ sub: 'staff:ada', act: { sub: 'lab:agent-7' } });
  });

  it('has its Idempotency-Key for itself: with it nobody gets the task of the person for somebody else, or for nobody', async () => {
    const headers = { authorization: `Bearer ${await broker.identity('agent-7')}`, 'idempotency-key': 'for-ada' };
    const [first, again] = [await ask({}, headers), await ask({}, headers)];
    expect(again.body).toMatchObject({ task_id: (first.body as { task_id: string }).task_id });
    const eve = { subject_token: await broker.person('eve') };
    expectOAuthRefusal(await ask(eve, headers), 409, 'conflict');
    const forNobody = await broker.form('/token', { grant_type: 'client_credentials', ...WISH }, headers);
    expectOAuthRefusal(forNobody, 409, 'conflict');
  });

  it.each<[string, unknown, number]>([
    ['by the subject at its issuer', { iss: 'https://issuer.lab.example', sub: 'agent-7' }, 200],
    ['by its id', { sub: 'lab:agent-7' }, 200],
    ['by its client id', { sub: 'f53f191f-9311' }, 200],
    ['by a subject that another may have too', { sub: 'agent-7' }, 400],
    [
      'by a subject at its issuer that is only its client id',
      { iss: 'https://issuer.lab.example', sub: 'f53f191f-9311' },
      400,
    ],
    ['by the subject at another issuer', { iss: 'https://staff.example', sub: 'agent-7' }, 400],
    ['no more than another', { sub: 'lab:agent-8' }, 400],
    ['in no way that can be read', 'lab:agent-7', 400],
    ['nowhere', {}, 400],
  ])('is honoured where it names who may act, the client %s', async (_how, may_act, status) => {
    person = await broker.person('ada', { may_act });
    const actor = { actor_token: await broker.identity('agent-7'), actor_token_type: JWT };
    const bearer = { authorization: `Bearer ${await broker.identity('agent-7')}` };
    for (const reply of [await ask({}, bearer), await ask(actor)]) {
      if (status === 200) expect(await introspected(reply)).toMatchObject({ act: { sub: 'lab:agent-7' } });
      else expectOAuthRefusal(reply, 400, 'invalid_request', /may_act/);
    }
  });

  it('is refused where the client is no workload, or another than the actor', async () => {
    const other = await broker.person('eve');
    expectOAuthRefusal(await ask({}, { authorization: `Bearer ${other}` }), 400, 'invalid_request');
    const actor = { actor_token: await broker.identity('agent-7'), actor_token_type: JWT };
    const bearer = { authorization: `Bearer ${await broker.identity('agent-8')}` };
    expectOAuthRefusal(await ask(actor, bearer), 400, 'invalid_request', /client is not the workload/);
  });

  it('is no retry for the client itself, nor the other way round', async () => {
    const headers = { authorization: `Bearer ${await broker.identity('agent-7')}` };
    const itself = (key: string) =>
      broker.form('/token', { grant_type: 'client_credentials', ...WISH }, { ...headers, 'idempotency-key': key });
    const forHer = (key: string) => ask({}, { ...headers, 'idempotency-key': key });
    for (const [key, first, then] of [
      ['her-first', forHer, itself],
      ['itself-first', itself, forHer],
    ] as const) {
      const task = (await introspected(await first(key))) as { task: { id: string } };
      expect(await introspected(await first(key))).toMatchObject({ task: { id: task.task.id } });
      expectOAuthRefusal(await then(key), 409, 'conflict', /different request/);
    }
  });
});
