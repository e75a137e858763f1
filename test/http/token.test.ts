/** POST /token (RFC 8693, 8707, 9396): what is granted, and every way to be refused. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import { exchangeForm } from '../support/calls.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const CLIENT_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const POLICIES = `
@id("caps") permit (principal == Workload::"lab:capped", action == Action::"read", resource in Target::"${WIKI}");
@id("caps-lifetime") @lifetime("60") forbid (principal == Workload::"lab:capped", action, resource)
  when { context has lifetimeSeconds && context.lifetimeSeconds > 60 };
`;

let broker: TestBroker;
let agent: string;

beforeAll(async () => {
  broker = await startBroker({ policies: POLICIES, config: { limits: { perWorkloadPerMinute: 1_000 } } });
});
beforeEach(async () => {
  agent = await broker.identity('agent-7');
});

describe('what is granted', () => {
  it('is answered as RFC 8693 §2.2.1 says, and never cached', async () => {
    const reply = await broker.exchange(agent);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('etag')).toBeNull();
    expect(reply.body).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'incident/4711:read',
      authorization_details: [
        { type: 'task_access', locations: [TICKETS], identifier: 'incident/4711', actions: ['read'] },
      ],
      task_id: expect.stringMatching(/^tsk_[a-z2-7]{16}$/),
    });
  });

  it('is the union of scope and authorization_details', async () => {
    const details = [{ type: 'task_access', locations: [TICKETS], identifier: 'incident/4712', actions: ['read'] }];
    const { body } = await broker.exchange(agent, { authorization_details: JSON.stringify(details) });
    expect(body).toHaveProperty('scope', 'incident/4711:read incident/4712:read');
    expect(body).toHaveProperty('authorization_details.length', 2);
  });

  it('can be asked by authorization_details alone', async () => {
    const details = [{ type: 'task_access', locations: [TICKETS], identifier: 'incident/4712', actions: ['read'] }];
    const reply = await broker.exchange(agent, {
      scope: undefined,
      authorization_details: JSON.stringify(details),
    });
    expect(reply.body).toHaveProperty('authorization_details', details);
  });

  it('lives as long as asked, and never longer than policy or the configuration allow', async () => {
    const short = await broker.exchange(agent, { lifetime: '60' });
    expect(short.body).toHaveProperty('expires_in', 60);
    const long = await broker.exchange(agent, { lifetime: '999999999' });
    expect(long.body).toHaveProperty('expires_in', 3_600);
    const capped = await broker.exchange(await broker.identity('capped'), {
      resource: WIKI,
      scope: 'page/1:read',
      lifetime: '300',
    });
    expect(capped.body).toHaveProperty('expires_in', 60);
  });

  it('may be renewed under the same task with task_id, and then hangs on it', async () => {
    const first = await broker.exchange(agent);
    const task = (first.body as { task_id: string }).task_id;
    const renewed = await broker.exchange(agent, { purpose: undefined, task_id: task });
    expect(renewed.body).toHaveProperty('task_id', task);
    expect(decodeJwt((renewed.body as { access_token: string }).access_token)).toMatchObject({ task: { id: task } });
  });

  it('says for whom: a person as the subject, the workload as the actor', async () => {
    const reply = await broker.exchange(await broker.person('ada'), { actor_token: agent, actor_token_type: JWT });
    expect(decodeJwt((reply.body as { access_token: string }).access_token)).toMatchObject({
      sub: 'staff:ada',
      client_id: 'lab:agent-7',
      act: { sub: 'lab:agent-7' },
    });
  });

  it('is the same task for a retry with the same Idempotency-Key, even with a fresh identity token', async () => {
    const key = { 'idempotency-key': 'retry-1' };
    const first = await broker.exchange(agent, {}, key);
    broker.clock.advance(1_000);
    const again = await broker.exchange(await broker.identity('agent-7'), {}, key);
    expect((again.body as { task_id: string }).task_id).toBe((first.body as { task_id: string }).task_id);
  });

  it.each([
    ['empty parameters count as absent', { audience: '', task_id: '', client_id: '' }],
    ['audience may equal the resource', { audience: TICKETS }],
    ['audience may stand in its place', { resource: '', audience: TICKETS }],
    ['requested_token_type may name an access token', { requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' }],
    ['client_id may name the same workload', { client_id: 'lab:agent-7' }],
  ])('%s', async (_, wish) => {
    expect((await broker.exchange(agent, wish)).status).toBe(200);
  });

  it.each([
    [{}, undefined],
    [{ flavour: 'vanilla' }, ['The parameter flavour is not read.']],
    [{ ttl: '30' }, ['The parameter ttl is not read. Did you mean lifetime?']],
    [{ lifetme: '30' }, ['The parameter lifetme is not read. Did you mean lifetime?']],
    [{ ttl: '30', lifetime: '60' }, ['The parameter ttl is not read.']],
    [{ ['x'.repeat(33)]: 'y', 'a b': 'z' }, ['Further parameters that are not read, and not named here: 2.']],
    [
      { a: '1', b: '1', c: '1', d: '1', e: '1' },
      [
        ...['a', 'b', 'c', 'd'].map((name) => `The parameter ${name} is not read.`),
        'Further parameters that are not read, and not named here: 1.',
      ],
    ],
  ])('the answer to %j names what nothing has read', async (wish, warnings) => {
    const { status, body } = await broker.exchange(agent, wish);
    expect([status, (body as { warnings?: string[] }).warnings]).toEqual([200, warnings]);
  });

  it('every parameter that the broker knows is read, so none of them is warned of', async () => {
    const ada = await broker.person('ada');
    const all = {
      ...{ actor_token: agent, actor_token_type: JWT, client_id: 'lab:agent-7', audience: TICKETS, lifetime: '60' },
      ...{ client_assertion: agent, client_assertion_type: CLIENT_ASSERTION, requested_token_type: JWT },
      authorization_details: details({}),
    };
    const opened = await broker.exchange(ada, all);
    const { task_id } = opened.body as { task_id: string };
    const again = await broker.exchange(ada, { ...all, task_id, purpose: undefined });
    for (const { status, body } of [opened, again]) {
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('warnings');
    }
  });

  it('every token may have the newline at its end that the file had from which it was sent', async () => {
    const ada = await broker.person('ada');
    const proofs = {
      ...{ actor_token: `${agent}\r\n`, actor_token_type: JWT },
      ...{ client_assertion: `${agent}\n`, client_assertion_type: CLIENT_ASSERTION },
    };
    const { status, body } = await broker.exchange(`${ada}\n`, proofs);
    expect(status).toBe(200);
    const { access_token: token } = body as { access_token: string };
    const api = { client_assertion: `${await broker.identity('tickets-api')}\n` };
    const asked = { token: `${token}\n`, client_assertion_type: CLIENT_ASSERTION };
    expect((await broker.form('/introspect', { ...asked, ...api })).body).toMatchObject({ active: true });
    expect((await broker.form('/revoke', { ...asked, client_assertion: agent })).status).toBe(200);
    expect((await broker.form('/introspect', { ...asked, ...api })).body).toEqual({ active: false });
  });

  it('a client assertion of the same workload is accepted beside the subject token', async () => {
    const reply = await broker.exchange(agent, {
      client_assertion: agent,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expect(reply.status).toBe(200);
  });
});

describe('what is refused', () => {
  const ABSENT = undefined;
  it.each([
    ['no grant_type', { grant_type: ABSENT }, 'invalid_request', 'The parameter grant_type is missing.'],
    ['another grant', { grant_type: 'authorization_code' }, 'unsupported_grant_type', /token-exchange/],
    ['no subject token', { subject_token: ABSENT }, 'invalid_request', /subject_token is missing/],
    ['no subject token type', { subject_token_type: ABSENT }, 'invalid_request', /subject_token_type is missing/],
    [
      'a subject token type that is none of ours',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
      'invalid_request',
      /token type/,
    ],
    ['an actor token type without a token', { actor_token_type: JWT }, 'invalid_request', /actor_token is missing/],
    ['an actor token without its type', { actor_token: 'x' }, 'invalid_request', /actor_token_type is missing/],
    ['another requested_token_type', { requested_token_type: 'urn:x:saml' }, 'invalid_request', /requested_token_type/],
    ['no resource', { resource: ABSENT }, 'invalid_request', /resource is missing/],
    [
      'a misspelt name',
      { resource: ABSENT, resorce: TICKETS },
      'invalid_request',
      /is missing, and resorce is no parameter\.$/,
    ],
    ['a name that may be a secret', { resource: ABSENT, ['resource ']: 'x' }, 'invalid_request', /is missing\.$/],
    ['a slash too many', { resource: `${TICKETS}/` }, 'invalid_target', /broker; https:\/\/tickets\.example is one\.$/],
    [
      'another case',
      { resource: 'HTTP://Tickets.example' },
      'invalid_target',
      /broker; https:\/\/tickets\.example is one\.$/,
    ],
    ['a letter less', { resource: 'https://ticket.example' }, 'invalid_target', /of this broker\.$/],
    ['a scope with the action first', { scope: 'read:incident/4711' }, 'invalid_scope', /write incident\/4711:read\.$/],
    ['an unknown resource', { resource: 'https://nowhere.example' }, 'invalid_target', /not a target/],
    ['an audience that differs', { audience: WIKI }, 'invalid_target', /must name one target/],
    ['neither scope nor details', { scope: ABSENT }, 'invalid_request', /Send the access as scope/],
    ['neither purpose nor task', { purpose: ABSENT }, 'invalid_request', /Send purpose .* no default purpose\.$/],
    ['purpose and task', { task_id: 'tsk_aabbbbbbbbbbbbbb' }, 'invalid_request', /purpose .* or task_id .*, not both/],
    ['an unknown task', { purpose: ABSENT, task_id: 'tsk_aabbbbbbbbbbbbbb' }, 'invalid_grant', /No open task/],
    ['a task id that is none', { purpose: ABSENT, task_id: '../../etc' }, 'invalid_grant', /No open task/],
    ['a purpose with a line break', { purpose: 'a\nb' }, 'invalid_request', /printable/],
    ['a purpose that is too long', { purpose: 'x'.repeat(257) }, 'invalid_request', /1 to 256 printable/],
    ['lifetime 0', { lifetime: '0' }, 'invalid_request', /lifetime/],
    ['a lifetime that is no number', { lifetime: '5m' }, 'invalid_request', /lifetime/],
    ['a negative lifetime', { lifetime: '-1' }, 'invalid_request', /lifetime/],
    ['a lifetime with a fraction', { lifetime: '1.5' }, 'invalid_request', /lifetime/],
    ['a lifetime of ten digits', { lifetime: '1000000000' }, 'invalid_request', /lifetime/],
    ['another client_id', { client_id: 'lab:other' }, 'invalid_request', /client_id/],
    ['an unknown action', { scope: 'incident/4711:fly' }, 'invalid_scope', /'fly' does not exist/],
    ['an operator verb as action', { scope: 'incident/4711:revoke' }, 'invalid_scope', /does not exist/],
    ['an action policy denies', { scope: 'incident/4711:write' }, 'access_denied', /No policy permits 'write'/],
    ['a path policy denies', { scope: 'customer/1:read' }, 'access_denied', /No policy permits 'read' on customer/],
    ['one denied pair among permitted ones', { scope: 'incident/1:read customer/1:read' }, 'access_denied', /customer/],
    ['what needs an approval', { scope: 'incident/4711:export' }, 'access_denied', /People must agree to this first/],
    ['more than 32 pairs', { scope: scopes(33) }, 'invalid_request', /At most 32 pairs/],
  ])('%s', async (_, wish, code, description) => {
    expectOAuthRefusal(await broker.exchange(agent, wish), 400, code, description);
  });

  it.each([
    ['..', 'incident/../secret:read'],
    ['.', 'incident/./4711:read'],
    ['an empty segment', 'incident//4711:read'],
    ['a leading slash', '/incident/4711:read'],
    ['an encoded slash', 'incident%2f4711:read'],
    ['an alternative', 'incident/a|b:read'],
    ['a backslash', 'incident\\4711:read'],
    ['** in the middle', 'incident/**/4711:read'],
    ['a null byte', 'incident/\0:read'],
    ['nine segments', 'a/b/c/d/e/f/g/h/i:read'],
    ['257 characters', `${'x'.repeat(257)}:read`],
    ['no action', 'incident/4711'],
    ['no path', ':read'],
    ['two spaces', 'incident/1:read  incident/2:read'],
  ])('a scope with %s', async (_, scope) => {
    expectOAuthRefusal(await broker.exchange(agent, { scope }), 400, 'invalid_scope');
  });

  it.each([
    ['no JSON', '{', 'must be a JSON array'],
    ['no array', '{}', 'there is a mistake'],
    ['an empty array', '[]', 'there is a mistake'],
    ['another type', details({ type: 'other' }), 'at 0.type'],
    ['a misspelt field', details({ acton: ['read'] }), 'there is a mistake'],
    ['two locations', details({ locations: [TICKETS, WIKI] }), 'at 0.locations'],
    ['another location', details({ locations: [WIKI] }), 'must name the requested resource'],
    ['no actions', details({ actions: [] }), 'at 0.actions'],
    ['a path with ..', details({ identifier: 'a/../b' }), 'segment'],
    ['an unknown action', details({ actions: ['fly'] }), 'does not exist'],
    ['actions that are no list', details({ actions: 'read' }), 'at 0.actions'],
  ])('authorization_details with %s', async (_, text, sentence) => {
    const reply = await broker.exchange(agent, { scope: undefined, authorization_details: text });
    expectOAuthRefusal(reply, 400, 'invalid_authorization_details', new RegExp(sentence));
  });

  it.each([
    ['resource', 'invalid_target'],
    ['audience', 'invalid_target'],
    ['scope', 'invalid_request'],
    ['subject_token', 'invalid_request'],
    ['purpose', 'invalid_request'],
    ['flavour', 'invalid_request'],
  ])('%s sent twice is %s', async (name, code) => {
    const form = Object.entries({ ...exchangeForm(agent), audience: TICKETS, flavour: 'x' });
    const value = form.find(([key]) => key === name)?.[1] ?? '';
    expectOAuthRefusal(await broker.form('/token', [...form, [name, value]]), 400, code);
  });

  it('an expired identity, at the very second that the allowance for clocks ends', async () => {
    const token = await broker.identity('agent-7', { expiresInSeconds: 10 });
    await broker.advance(14_000);
    expect((await broker.exchange(token)).status).toBe(200);
    await broker.advance(1_000);
    expectOAuthRefusal(await broker.exchange(token), 400, 'invalid_request', /The subject token has expired/);
  });

  it('a person who asks without a workload, and a workload that acts for a workload', async () => {
    expectOAuthRefusal(
      await broker.exchange(await broker.person('ada')),
      400,
      'invalid_request',
      /needs the workload that acts for them/,
    );
    const forWorkload = await broker.exchange(agent, { actor_token: agent, actor_token_type: JWT });
    expectOAuthRefusal(forWorkload, 400, 'invalid_request', /token of a person/);
  });

  it('a credential of the broker itself as the subject: it is no identity', async () => {
    const { body } = await broker.exchange(agent);
    const { access_token: credential } = body as { access_token: string };
    const why = /names this broker as its issuer.*present the identity token that your platform gives you/;
    expectOAuthRefusal(await broker.exchange(credential), 400, 'invalid_request', /proves no identity\. To hand it on/);
    expectProblem(await broker.get('/tasks/x', credential), 401, 'invalid_token', why);
  });

  it("another workload's task, with the text for one that does not exist", async () => {
    const task = ((await broker.exchange(agent)).body as { task_id: string }).task_id;
    const foreign = await broker.exchange(await broker.identity('agent-8'), { purpose: undefined, task_id: task });
    const unknown = await broker.exchange(agent, { purpose: undefined, task_id: 'tsk_aabbbbbbbbbbbbbb' });
    expectOAuthRefusal(foreign, 400, 'invalid_grant');
    expect(foreign.body).toEqual(unknown.body);
  });

  it('a client assertion that proves another workload, or nothing', async () => {
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const other = await broker.identity('agent-8');
    const wish = { client_assertion_type: type, client_assertion: other };
    expectOAuthRefusal(await broker.exchange(agent, wish), 400, 'invalid_request', /client is not the workload/);
    const named = await broker.exchange(agent, { ...wish, client_id: 'lab:agent-7' });
    expectOAuthRefusal(named, 401, 'invalid_client');
    const forged = await broker.exchange(agent, { ...wish, client_assertion: 'a.b.c' });
    expectOAuthRefusal(forged, 401, 'invalid_client');
    const foreign = await broker.exchange(agent, { ...wish, client_assertion_type: 'urn:x' });
    expectOAuthRefusal(foreign, 401, 'invalid_client');
    expectOAuthRefusal(await broker.exchange(agent, { client_secret: 'x' }), 401, 'invalid_client');
    expect(forged.headers.get('www-authenticate')).toBeNull();
  });

  it('an Authorization header that proves another workload, or is of another scheme', async () => {
    const other = { authorization: `Bearer ${await broker.identity('agent-8')}` };
    expectOAuthRefusal(await broker.exchange(agent, {}, other), 400, 'invalid_request', /client is not the workload/);
    const basic = await broker.exchange(agent, {}, { authorization: 'Basic bGFiOng=' });
    expectOAuthRefusal(basic, 401, 'invalid_client', /no client secrets/);
    expect(basic.headers.get('www-authenticate')).toMatch(/^Bearer /);
    const same = await broker.exchange(agent, {}, { authorization: `Bearer ${agent}` });
    expect(same.status).toBe(200);
  });

  it.each([
    ['two words', 'a b'],
    ['too long', 'x'.repeat(256)],
  ])('an Idempotency-Key of %s', async (_, key) => {
    const reply = await broker.exchange(agent, {}, { 'idempotency-key': key });
    expectOAuthRefusal(reply, 400, 'invalid_request', /Idempotency-Key/);
  });

  it('an Idempotency-Key used for another request', async () => {
    const key = { 'idempotency-key': 'used' };
    await broker.exchange(agent, {}, key);
    expectOAuthRefusal(await broker.exchange(agent, { purpose: 'something else' }, key), 409, 'conflict');
  });

  it('a denial names the decision, an approval says what to wait for', async () => {
    const denied = await broker.exchange(agent, { scope: 'incident/4711:write' });
    expect(denied.body).toMatchObject({ decision_id: expect.stringMatching(/^dec_/), retry: 'never' });
    const approval = await broker.exchange(agent, { scope: 'incident/4711:export' });
    expect(approval.body).toMatchObject({
      decision_id: expect.stringMatching(/^dec_/),
      retry: 'after-approval',
      approval_id: expect.stringMatching(/^apr_/),
      task_id: expect.stringMatching(/^tsk_/),
    });
  });
});

it('the seventeenth live credential of a task: 429 with Retry-After until one expires', async () => {
  const task = ((await broker.exchange(agent)).body as { task_id: string }).task_id;
  const more = () => broker.exchange(agent, { purpose: undefined, task_id: task });
  for (let live = 1; live < 16; live += 1) expect((await more()).status).toBe(200);
  const refused = await more();
  expectOAuthRefusal(refused, 429, 'slow_down', /16 live credentials/);
  expect(refused.headers.get('retry-after')).toBe('300');
});

it('who asks too often: 429 with Retry-After, and nobody else is slowed down', async () => {
  const slow = await startBroker({ config: { limits: { perWorkloadPerMinute: 3 } } });
  const [eager, calm] = [await slow.identity('agent-7'), await slow.identity('agent-8')];
  for (let asked = 0; asked < 3; asked += 1) expect((await slow.exchange(eager)).status).toBe(200);
  const refused = await slow.exchange(eager);
  expectOAuthRefusal(refused, 429, 'slow_down');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await slow.exchange(calm)).status).toBe(200);
});

it('who has all the open tasks that it may have: 429 for an exchange and for POST /tasks, audited once each, until one ends', async () => {
  const small = await startBroker({ config: { limits: { openTasks: { perWorkload: 2 } } } });
  const boss = await small.identity('orchestrator');
  const open = () => small.post('/tasks', { workload: 'lab:agent-7', purpose: 'x' }, boss);
  const opened = [await open(), await open()];
  expect(await open()).toMatchObject({ status: 429, body: { code: 'quota_exceeded', retry: 'later' } });
  const agent = await small.identity('agent-7');
  for (let granted = 0; granted < 2; granted += 1) expect((await small.exchange(agent)).status).toBe(200);
  const refused = await small.exchange(agent);
  expectOAuthRefusal(refused, 429, 'quota_exceeded', /may have 2 open tasks/);
  expect(refused.headers.get('retry-after')).toBe('60');
  const { lines } = (await small.get('/audit?limit=1000', await small.identity('soc'))).body as { lines: string[] };
  const refusals = lines.filter((line) => line.includes('"error":"quota_exceeded"'));
  expect(refusals.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
    'operation.refused',
    'credential.refused',
  ]);
  const { id } = opened[0]!.body as { id: string };
  expect((await small.post(`/tasks/${id}/complete`, { outcome: 'completed' }, boss)).status).toBe(200);
  expect((await open()).status).toBe(201);
});

it('purposes that the operator has listed are the only ones', async () => {
  const purposes = { summarise: { description: 'Summarise an incident' } };
  const strict = await startBroker({ config: { purposes } });
  const token = await strict.identity('agent-7');
  expect((await strict.exchange(token, { purpose: 'summarise' })).status).toBe(200);
  for (const purpose of ['tidy up', 'constructor', '__proto__']) {
    expectOAuthRefusal(await strict.exchange(token, { purpose }), 400, 'invalid_request', /must be one of/);
  }
});

function scopes(count: number): string {
  return Array.from({ length: count }, (_, index) => `incident/${index}:read`).join(' ');
}

function details(over: object): string {
  const detail = { type: 'task_access', locations: [TICKETS], identifier: 'incident/1', actions: ['read'] };
  return JSON.stringify([{ ...detail, ...over }]);
}
