/** POST /revoke (RFC 7009): a holder gives its token back, and everybody gets the same answer. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

let broker: TestBroker;
let agent: string;
let api: string;
let token: string;

beforeAll(async () => {
  broker = await startBroker();
  agent = await broker.identity('agent-7');
  api = await broker.identity('tickets-api');
});
beforeEach(async () => {
  token = ((await broker.exchange(agent)).body as { access_token: string }).access_token;
});

const giveBack = (what: string, bearer: string, more: Record<string, string> = {}) =>
  broker.form('/revoke', { token: what, ...more }, { authorization: `Bearer ${bearer}` });

const isActive = async () => ((await broker.introspect(token, api)).body as { active: boolean }).active;

describe('an empty 200', () => {
  it('for its holder: the token is dead at once, and giving it back again changes nothing', async () => {
    for (let times = 0; times < 2; times += 1) {
      const reply = await giveBack(token, agent, { token_type_hint: 'refresh_token' });
      expect([reply.status, reply.text]).toEqual([200, '']);
      expect(await isActive()).toBe(false);
    }
  });

  it('for whoever else sends it: the token lives on', async () => {
    const reply = await giveBack(token, await broker.identity('agent-8'));
    expect([reply.status, reply.text]).toEqual([200, '']);
    expect(await isActive()).toBe(true);
  });

  it.each(['x', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.'])('for %s, which is no token', async (what) => {
    const reply = await giveBack(what, agent);
    expect([reply.status, reply.text]).toEqual([200, '']);
  });

  it('for a token that has expired', async () => {
    await broker.advance(301_000);
    const fresh = await broker.identity('agent-7');
    expect((await giveBack(token, fresh)).status).toBe(200);
    agent = fresh;
    api = await broker.identity('tickets-api');
  });
});

describe('a refusal', () => {
  it('without proof of who asks', async () => {
    expectOAuthRefusal(await broker.form('/revoke', { token }), 401, 'invalid_client');
    expect(await isActive()).toBe(true);
  });

  it('without a token', async () => {
    const reply = await broker.form('/revoke', {}, { authorization: `Bearer ${agent}` });
    expectOAuthRefusal(reply, 400, 'invalid_request', /token is missing/);
  });
});
