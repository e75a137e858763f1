/** POST /introspect (RFC 7662): the truth, or `{"active":false}` and nothing else. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startBroker, WIKI, type TestBroker } from '../support/brokers/http.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { until } from '../support/until.js';

const WIKI_READERS = `
@id("wiki") permit (principal == Workload::"lab:agent-7", action == Action::"read", resource in Target::"${WIKI}");`;
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let broker: TestBroker;
let agent: string;
let api: string;
let token: string;
let task: string;

beforeAll(async () => {
  broker = await startBroker({ policies: WIKI_READERS });
  agent = await broker.identity('agent-7');
  api = await broker.identity('tickets-api');
  const { body } = await broker.exchange(agent);
  ({ access_token: token, task_id: task } = body as { access_token: string; task_id: string });
});

describe('a live token', () => {
  it('is active, with all its claims', async () => {
    const reply = await broker.introspect(token, api);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.body).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(token) });
  });

  it('is so for a caller that proves itself by a client assertion', async () => {
    const form = { token, client_assertion: api, client_assertion_type: ASSERTION };
    expect((await broker.form('/introspect', form)).body).toMatchObject({ active: true });
    const named = await broker.form('/introspect', { ...form, client_id: 'lab:tickets-api', token_type_hint: 'x' });
    expect(named.body).toMatchObject({ active: true });
  });
});

describe('with an action and a resource', () => {
  const asked = (action: string | undefined, resource: string | undefined, shown = token) =>
    broker.form('/introspect', { token: shown, action, resource }, { authorization: `Bearer ${api}` });

  it('is active only for what the credential covers', async () => {
    expect((await asked('read', 'incident/4711')).body).toMatchObject({ active: true, sub: 'lab:agent-7' });
    for (const [action, resource] of [
      ['write', 'incident/4711'],
      ['read', 'incident/4712'],
    ] as const)
      expect((await asked(action, resource)).text).toBe('{"active":false}');
  });

  it('one without the other, and a pattern, are refused, whatever the token', async () => {
    for (const shown of [token, 'x'])
      for (const [action, resource] of [
        ['read', undefined],
        [undefined, 'incident/4711'],
        ['read', 'incident/*'],
      ] as const)
        expectOAuthRefusal(await asked(action, resource, shown), 400, 'invalid_request');
  });
});

describe('its own holder', () => {
  const own = async (wish?: Record<string, string>) =>
    ((await broker.exchange(agent, wish)).body as { access_token: string }).access_token;

  it('may ask without a permit, and learns when it is dead', async () => {
    const mine = await own();
    expect((await broker.introspect(mine, agent)).body).toMatchObject({ active: true });
    await broker.form('/revoke', { token: mine }, { authorization: `Bearer ${agent}` });
    expect((await broker.introspect(mine, agent)).text).toBe('{"active":false}');
  });

  it('is the workload alone: not another of the same team, nor the person whom it serves', async () => {
    const mine = await own();
    const ada = await broker.person('ada');
    const forAda = await broker.exchange(agent, {
      subject_token: ada,
      actor_token: agent,
      actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    });
    const theirs = (forAda.body as { access_token: string }).access_token;
    expect((await broker.introspect(theirs, agent)).body).toMatchObject({ active: true, sub: 'staff:ada' });
    const others = [await broker.identity('agent-8'), ada];
    for (const other of others) {
      expect((await broker.introspect(mine, other)).text).toBe('{"active":false}');
      expect((await broker.introspect(theirs, other)).text).toBe('{"active":false}');
    }
  });
});

describe('waiting for the end', () => {
  const own = async () => ((await broker.exchange(agent)).body as { access_token: string }).access_token;
  const metrics = async () => (await fetch(`${broker.operationsUrl}/metrics`)).text();
  const waitWith = (bearer: string, body: object) => broker.post('/introspect/wait', body, bearer);

  it('is answered when the credential is revoked, for its holder and for its target; the receipt says when they knew', async () => {
    const [soc, mine] = [await broker.identity('soc'), await own()];
    const waits = [agent, api].map((bearer) => waitWith(bearer, { token: mine, instance: 'pod-1' }));
    await until(async () => (await metrics()).includes('\nmayfly_feed_waiting 2\n'), 'nobody waits');
    const { body } = await broker.post('/revocations', { leaked: mine, reason: 'found in a log' }, soc);
    for (const { status, text } of await Promise.all(waits)) expect([status, text]).toEqual([200, '{"active":false}']);
    await waitWith(agent, { token: mine, instance: 'pod-1', deniedMs: 0 });
    await broker.work('feed');
    const { seq } = body as { seq: number };
    expect((await broker.get(`/revocations/${seq}`, soc)).body).toMatchObject({
      verifiers: [
        { verifier: 'lab:agent-7', instance: 'pod-1', by: 'wait', afterMs: 0 },
        { verifier: 'lab:tickets-api', instance: 'pod-1', by: 'wait' },
      ],
    });
  });

  it('is for those alone who may ask: others are told nothing, and wait for nothing', async () => {
    const mine = await own();
    const stranger = await broker.identity('agent-8');
    expect((await waitWith(stranger, { token: mine })).text).toBe('{"active":false}');
    expect((await waitWith(stranger, { token: mine, deniedMs: 0 })).text).toBe('{"active":false}');
    expect((await waitWith(agent, { token: 'x' })).text).toBe('{"active":false}');
  });

  it('ends after as long as was asked for, with a yes; a dead caller has a no', async () => {
    const mine = await own();
    expect((await waitWith(agent, { token: mine, seconds: 1 })).body).toEqual({ active: true, waitedMs: 0 });
    expect((await waitWith(agent, { token: mine, seconds: 21 })).status).toBe(400);
  });
});

describe('exactly {"active":false}, without a reason', () => {
  const expectInactive = async (asked: string, bearer = api) => {
    const reply = await broker.introspect(asked, bearer);
    expect([reply.status, reply.text]).toEqual([200, '{"active":false}']);
  };

  it('for what is no token, a forged one, and an identity token', async () => {
    await expectInactive('x');
    await expectInactive(`${token.slice(0, -4)}AAAA`);
    await expectInactive(agent);
  });

  it('for a caller that policy does not let ask, and the audit log says who asked', async () => {
    const other = await broker.identity('agent-8');
    await expectInactive(token, other);
    const { body } = await broker.exchange(agent, { resource: WIKI, scope: 'page/1:read' });
    await expectInactive((body as { access_token: string }).access_token);
    const soc = await broker.identity('soc');
    const { lines } = (await broker.get(`/audit?task=${task}&type=operation.refused`, soc)).body as {
      lines: string[];
    };
    expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({ verb: 'introspect', actor: { id: 'lab:agent-8' } });
  });

  it('once it has expired', async () => {
    const short = await broker.exchange(agent, { lifetime: '30' });
    const asked = (short.body as { access_token: string }).access_token;
    await broker.advance(29_999);
    expect((await broker.introspect(asked, api)).body).toMatchObject({ active: true });
    await broker.advance(1);
    await expectInactive(asked);
  });

  it('once its task has ended', async () => {
    await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
    await expectInactive(token);
  });
});

describe('a caller that does not prove who it is gets a 401, and nothing about the token', () => {
  it('no proof at all', async () => {
    const reply = await broker.form('/introspect', { token });
    expectOAuthRefusal(reply, 401, 'invalid_client');
    expect(reply.headers.get('www-authenticate')).toBeNull();
  });

  it('a bearer that proves nothing is challenged', async () => {
    const reply = await broker.introspect(token, 'a.b.c');
    expectOAuthRefusal(reply, 401, 'invalid_token');
    expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="mayfly", error="invalid_token"');
  });

  it("the broker's own credential is no identity", async () => {
    expectOAuthRefusal(await broker.introspect(token, token), 401, 'invalid_token');
  });

  it.each([
    ['Basic bGFiOng=', 'invalid_client'],
    ['Bearer', 'invalid_token'],
    ['Bearer a b', 'invalid_token'],
  ])('Authorization: %s', async (authorization, error) => {
    expectOAuthRefusal(await broker.form('/introspect', { token }, { authorization }), 401, error);
  });

  it('both ways at once, an unknown way, and another name', async () => {
    const form = { token, client_assertion: api, client_assertion_type: ASSERTION };
    const both = await broker.form('/introspect', form, { authorization: `Bearer ${api}` });
    expectOAuthRefusal(both, 400, 'invalid_request', /one way/);
    const unknown = await broker.form('/introspect', { ...form, client_assertion_type: 'urn:x' });
    expectOAuthRefusal(unknown, 401, 'invalid_client');
    const renamed = await broker.form('/introspect', { ...form, client_id: 'lab:soc' });
    expectOAuthRefusal(renamed, 401, 'invalid_client');
    const halved = await broker.form('/introspect', { ...form, client_assertion_type: undefined });
    expectOAuthRefusal(halved, 400, 'invalid_request', /client_assertion_type is missing/);
  });

  it('no token to ask about', async () => {
    const reply = await broker.form('/introspect', {}, { authorization: `Bearer ${api}` });
    expectOAuthRefusal(reply, 400, 'invalid_request', /token is missing/);
  });
});
