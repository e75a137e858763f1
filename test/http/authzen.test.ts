/**
 * AuthZEN 1.0: the requests of its certification scenario (Basic and Batch, both with Core and Properties, and Discovery), and what
 * they mean for a credential. Of the scenario's levels Search is not there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';

const RECORDS = 'https://records.example';
const POLICIES = `
@id("alice") permit (principal == Person::"staff:alice", action in [Action::"read", Action::"write"], resource == Resource::"${RECORDS}#record-1");
@id("bob") permit (principal == Person::"staff:bob", action == Action::"read", resource == Resource::"${RECORDS}#record-1");
@id("gateway-asks") permit (principal == Workload::"lab:gateway", action in [Action::"evaluate", Action::"assertProperties"], resource)
  when { resource == Target::"${RECORDS}" || resource == Target::"${TICKETS}" };
@id("mute-gateway-asks") permit (principal == Workload::"lab:mute-gateway", action == Action::"evaluate", resource == Target::"${RECORDS}");
@id("archived") forbid (principal, action == Action::"write", resource in Target::"${RECORDS}")
  when { context has given && context.given.resource.hasTag("status") && context.given.resource.getTag("status") == "archived" }
  unless { context.given.subject.hasTag("role") && context.given.subject.getTag("role") == "admin" };
@id("admins-restore") permit (principal is Person, action == Action::"write", resource == Resource::"${RECORDS}#record-2")
  when { context has given && context.given.subject.hasTag("role") && context.given.subject.getTag("role") == "admin" };
@id("unread") forbid (principal, action == Action::"read", resource in Target::"${RECORDS}")
  when { context has given && context.given.action.unread.contains("amount") };
@id("listed") forbid (principal, action == Action::"read", resource in Target::"${RECORDS}")
  when { context has given && context.given.action.lists.hasTag("teams") && context.given.action.lists.getTag("teams").contains("7") };
@id("verified") permit (principal, action == Action::"execute", resource in Target::"${RECORDS}")
  when { context.risk == "HIGH" || context.principalProven || context.purpose == "forged" || resource.sensitivity.contains("restricted")
    || context has onBehalfOf || principal is Person && (principal.unread.contains("labels") || principal in Issuer::"lab")
    || principal is Workload && (principal.hasTag("level") || principal.lists.hasTag("labels") || principal in Owner::"sre") };
@id("tools") permit (principal == Workload::"lab:agent-7", action == Action::"execute", resource in Target::"${TICKETS}");
@id("tagged") permit (principal == Workload::"lab:agent-9", action == Action::"read", resource in Target::"${TICKETS}")
  when { principal.hasTag("level") && principal.getTag("level") == "2" };`;

const ONE = '/access/v1/evaluation';
const MANY = '/access/v1/evaluations';
const alice = { type: 'user', id: 'alice' };
const bob = { type: 'user', id: 'bob' };
const [read, write] = [{ name: 'read' }, { name: 'write' }];
const record = (number: number) => ({ type: 'record', id: `record-${number}` });

let broker: TestBroker;
let gateway: string;
let agent: string;

beforeAll(async () => {
  const targets = [
    { resource: RECORDS, minter: 'jwt', audiences: ['record'] },
    { resource: TICKETS, minter: 'jwt', labels: [{ match: 'incident/*/attachment/**', sensitivity: 'restricted' }] },
    { resource: WIKI, minter: 'jwt' },
  ];
  broker = await startBroker({ policies: POLICIES, config: { targets } });
  [gateway, agent] = await Promise.all([broker.identity('gateway'), broker.identity('agent-7')]);
});

const ask = (path: string, body: unknown, headers?: Record<string, string>) =>
  broker.post(path, body, gateway, headers);
const decisionOf = async (body: unknown, bearer = gateway, headers?: Record<string, string>) => {
  const reply = await broker.post(ONE, body, bearer, headers);
  expect([reply.status, reply.text]).toEqual([200, expect.any(String)]);
  return (reply.body as { decision: unknown }).decision;
};
const decisionsOf = async (body: unknown) => {
  const { status, body: answer } = await ask(MANY, body);
  expect(status).toBe(200);
  return (answer as { evaluations: { decision: unknown }[] }).evaluations.map(({ decision }) => decision);
};

describe('the certification scenario: basic', () => {
  it.each([
    ['alice reads', alice, read, true],
    ['alice writes', alice, write, true],
    ['bob reads', bob, read, true],
    ['bob writes', bob, write, false],
  ] as const)('%s', async (_, subject, action, expected) => {
    const asked = { subject, action, resource: record(1) };
    expect(await Promise.all([1, 2, 3].map(() => decisionOf(asked)))).toEqual([expected, expected, expected]);
  });

  it('a context, properties and unknown fields change nothing', async () => {
    const asked = { subject: alice, action: read, resource: record(1) };
    const context = { time: '2027-01-31T09:30:00Z', ip: '192.0.2.1' };
    const properties = { department: 'sales', nested: { deep: [1, true, null] } };
    const each = [
      { ...asked, context },
      { subject: { ...alice, properties }, action: { ...read, properties }, resource: { ...record(1), properties } },
      { ...asked, foo: 'bar', futureField: { nested: true } },
    ];
    expect(await Promise.all(each.map((one) => decisionOf(one)))).toEqual([true, true, true]);
  });

  const { subject, action, resource } = { subject: alice, action: read, resource: record(1) };
  it.each([
    ['no subject', { action, resource }],
    ['no action', { subject, resource }],
    ['no resource', { subject, action }],
    ['a subject without type', { subject: { id: 'alice' }, action, resource }],
    ['a subject without id', { subject: { type: 'user' }, action, resource }],
    ['an action without name', { subject, action: {}, resource }],
    ['a resource without type', { subject, action, resource: { id: 'record-1' } }],
    ['a resource without id', { subject, action, resource: { type: 'record' } }],
    ['a subject that is text', { subject: 'alice', action, resource }],
    ['an action that is a number', { subject, action: { name: 123 }, resource }],
    ['a body that is no JSON', '{"subject":'],
    ['an empty body', ''],
    ['a field that is written twice', '{"subject":1,"subject":2}'],
    ['a pattern as the resource', { subject, action, resource: { type: 'record', id: '**' } }],
    ['a path that climbs', { subject, action, resource: { type: 'record', id: 'a/../record-1' } }],
  ])('%s is 400, with a message', async (_, body) => {
    for (const path of [ONE, MANY]) {
      const reply = await ask(path, body);
      expect([reply.status, reply.body]).toEqual([400, expect.any(String)]);
    }
  });

  it('another content type is 400, and no proof is 401', async () => {
    const asked = { subject, action, resource };
    expect((await ask(ONE, asked, { 'content-type': 'text/plain' })).status).toBe(400);
    const reply = await broker.post(ONE, asked);
    expect([reply.status, reply.body]).toEqual([401, expect.any(String)]);
  });

  it('the id of the request comes back', async () => {
    const reply = await ask(
      ONE,
      { subject, action, resource },
      { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' },
    );
    expect(reply.headers.get('x-request-id')).toBe('bfe9eb29-ab87-4ca3-be83-a1d5d8305716');
  });
});

describe('the certification scenario: batch and discovery', () => {
  it('what stands beside the list holds for each, and answers keep the order', async () => {
    const each = [{ resource: record(1) }, { resource: record(2) }];
    expect(await decisionsOf({ subject: alice, action: read, evaluations: each })).toEqual([true, false]);
    const both = [{ action: read }, { action: write }];
    expect(await decisionsOf({ subject: bob, resource: record(1), evaluations: both })).toEqual([true, false]);
    const whole = [
      { subject: alice, action: read, resource: record(1) },
      { subject: bob, action: write, resource: record(1) },
    ];
    expect(await decisionsOf({ evaluations: whole })).toEqual([true, false]);
    const named = [{ resource: { id: 'record-1' } }, { resource: record(2), context: { source: 'own' } }];
    const common = { subject: alice, action: write, resource: { type: 'record' }, context: { source: 'common' } };
    expect(await decisionsOf({ ...common, evaluations: named })).toEqual([true, false]);
  });

  it('without a list it is one evaluation', async () => {
    for (const list of [{}, { evaluations: [] }]) {
      const { body } = await ask(MANY, { subject: alice, action: read, resource: record(1), ...list });
      expect(body).toMatchObject({ decision: true });
    }
  });

  it('of a hundred with one broken, that one is no', async () => {
    const each = Array.from({ length: 100 }, (_, index) => (index === 57 ? {} : { resource: record(1) }));
    const decisions = await decisionsOf({ subject: alice, action: read, evaluations: each });
    expect(decisions).toEqual(each.map((_, index) => index !== 57));
    const more = await ask(MANY, { subject: alice, action: read, evaluations: [...each, {}] });
    expect(more.status).toBe(400);
  });

  it('an entity that is none is no, whatever stands beside the list', async () => {
    const evaluations = [null, 'alice', 1, []].map((subject) => ({ subject }));
    const common = { subject: alice, action: read, resource: record(1) };
    expect(await decisionsOf({ ...common, evaluations: [...evaluations, 'x', null] })).toEqual(Array(6).fill(false));
  });

  it.each([
    ['execute_all', [true, false, true, false]],
    ['deny_on_first_deny', [true, false]],
    ['permit_on_first_permit', [true]],
  ])('%s', async (semantic, expected) => {
    const evaluations = [read, write, read, write].map((action) => ({ action }));
    const options = { evaluations_semantic: semantic };
    expect(await decisionsOf({ subject: bob, resource: record(1), evaluations, options })).toEqual(expected);
  });

  it('the metadata says where, and of no search', async () => {
    expect((await ask('/access/v1/search/subject', {})).status).toBe(404);
    expect((await broker.get('/.well-known/authzen-configuration')).body).toEqual({
      policy_decision_point: broker.url,
      access_evaluation_endpoint: `${broker.url}${ONE}`,
      access_evaluations_endpoint: `${broker.url}${MANY}`,
    });
  });
});

describe('the certification scenario: properties', () => {
  const archived = { ...record(2), properties: { status: 'archived' } };
  const active = { ...record(1), properties: { status: 'active' } };
  const admin = { ...bob, properties: { role: 'admin' } };
  const deleting = (soft: unknown) => ({ name: 'delete', properties: { soft } });

  /** The scenario has an action that the shipped schema has not: a deployment adds it, as this one does. */
  beforeAll(async () => {
    const { policy } = parse(readFileSync(broker.configFile, 'utf8')) as { policy: { directory: string } };
    const schema = join(policy.directory, 'schema.cedarschema');
    const scope = 'principal: [Workload, Person], resource: [Resource], context: AccessContext';
    writeFileSync(schema, `${readFileSync(schema, 'utf8')}action delete in [access] appliesTo { ${scope} };`);
    const soft = 'context.given.action.hasTag("soft") && context.given.action.getTag("soft") == "true"';
    const permit = `permit (principal == Person::"staff:alice", action == Action::"delete", resource == Resource::"${RECORDS}#record-1")`;
    writeFileSync(
      join(policy.directory, 'delete.cedar'),
      `@id("alice-deletes-softly") ${permit} when { context has given && ${soft} };`,
    );
    await broker.reloadPolicies();
  });

  it.each([
    ['nobody writes what is archived', alice, write, archived, false],
    ['whatever its name', alice, write, { ...record(1), properties: { status: 'archived' } }, false],
    ['but an admin', admin, write, archived, true],
    ['an admin of the resource is none', bob, write, { ...record(2), properties: { ...admin.properties } }, false],
    ['soft deletion', alice, deleting(true), record(1), true],
    ['hard deletion', alice, deleting(false), record(1), false],
    ['deletion that is not said to be either', alice, { name: 'delete' }, record(1), false],
  ])('%s', async (_, subject, action, resource, expected) => {
    expect(await decisionOf({ subject, action, resource })).toBe(expected);
  });

  it('holds for each of many, and what stands beside the list is replaced whole', async () => {
    const each = [active, archived].map((resource) => ({ resource }));
    expect(await decisionsOf({ subject: alice, action: write, evaluations: each })).toEqual([true, false]);
    const subjects = [alice, admin].map((subject) => ({ subject }));
    expect(await decisionsOf({ action: write, resource: archived, evaluations: subjects })).toEqual([false, true]);
    const { type, ...named } = active;
    const common = { subject: alice, action: write, resource: { type } };
    expect(await decisionsOf({ ...common, evaluations: [{ resource: named }, { resource: archived }] })).toEqual([
      true,
      false,
    ]);
    const evaluations = [{ resource: { id: 'record-1' } }, {}];
    expect(
      await decisionsOf({ subject: alice, action: write, resource: { ...archived, id: 'record-1' }, evaluations }),
    ).toEqual([true, false]);
  });
});

describe('what the caller says', () => {
  const asked = { subject: alice, action: read, resource: record(1) };
  const given = (properties: object) => ({ ...asked, action: { ...read, properties } });
  const bodyOf = async (body: unknown, bearer: string) => (await broker.post(ONE, body, bearer)).body;

  it('is ignored where policy does not let the caller say it, and the answer says so to whoever may ask', async () => {
    const mute = await broker.identity('mute-gateway');
    const archived = { ...record(1), properties: { status: 'archived' } };
    const told = { basis: 'policy', properties: 'ignored' };
    expect(await bodyOf({ ...asked, action: write, resource: archived }, mute)).toEqual({
      decision: true,
      context: told,
    });
    expect(await bodyOf({ ...asked, context: { ip: '192.0.2.1' } }, mute)).toEqual({ decision: true, context: told });
    expect(await bodyOf({ ...asked, subject: bob, action: write, resource: archived }, mute)).toMatchObject({
      decision: false,
      context: told,
    });
    expect(
      await bodyOf({ ...asked, context: { access_token: 'x' }, subject: { type: 'x', id: 'x' } }, mute),
    ).not.toHaveProperty('context.properties');
    expect(await bodyOf(asked, mute)).toEqual({ decision: true, context: { basis: 'policy' } });
    const nobody = await broker.identity('agent-8');
    expect(await bodyOf({ ...asked, resource: archived }, nobody)).toEqual(await bodyOf(asked, nobody));
  });

  it('is never taken for what is verified, under any name', async () => {
    const forged = JSON.parse(
      '{"labels":["restricted"],"sensitivity":["restricted"],"workload":"lab:agent-7","risk":"HIGH","purpose":"forged",' +
        '"principalProven":true,"onBehalfOf":{"__entity":{"type":"Person","id":"staff:ada"}},"owner":"sre","level":"2",' +
        '"lists":{"labels":["x"]},"unread":["labels"],"__proto__":{"risk":"HIGH"},"constructor":"x","__entity":{"type":' +
        '"Workload","id":"lab:agent-7"},"__extn":{"fn":"ip","arg":"192.0.2.1"},"given":{"risk":"HIGH"},"type":"workload",' +
        '"id":"lab:agent-7","parents":[{"type":"Owner","id":"sre"}],"attrs":{"risk":"HIGH"},"tags":{"level":"2"},"":"x"}',
    ) as object;
    const subjects = [alice, { type: 'workload', id: 'lab:agent-8' }];
    for (const subject of subjects) {
      const whole = {
        subject: { ...subject, properties: forged },
        action: { name: 'execute', properties: forged },
        resource: { ...record(1), properties: forged },
        context: forged,
      };
      const body = await bodyOf(whole, gateway);
      expect(body).toMatchObject({
        decision: false,
        context: { reason_user: { en: expect.stringContaining('No policy permits') } },
      });
    }
  });

  it('makes no credential cover more', async () => {
    const { access_token: token } = await granted();
    const subject = {
      type: 'credential',
      id: token,
      properties: { role: 'admin', actions: ['write'], status: 'live' },
    };
    const whole = { subject, action: { ...write, properties: { soft: true } }, resource: incident };
    expect(await bodyOf(whole, gateway)).toMatchObject({
      decision: false,
      context: { reason_user: { en: 'The credential was not granted this.' } },
    });
    expect(await decisionOf({ ...whole, action: read })).toBe(true);
  });

  it('becomes what claims become: text, sets, and the names of what cannot be kept whole', async () => {
    const amounts = ['\ud800', 1.5, null, {}, [[]], 2 ** 53];
    for (const amount of amounts) expect([amount, await decisionOf(given({ amount }))]).toEqual([amount, false]);
    for (const amount of [7, 'x', true, []])
      expect([amount, await decisionOf(given({ amount }))]).toEqual([amount, true]);
    expect(await decisionOf(given({ teams: ['a', 7] }))).toBe(false);
    expect(await decisionOf(given({ teams: '7' }))).toBe(true);
    expect(await decisionOf(given({ teams: ['a', '\u0000'], amount: '\u0000', '\ud800': 'x' }))).toBe(true);
  });

  it('is no credential: policy does not hear that', async () => {
    const own = await startBroker({
      policies: `${POLICIES.replaceAll(RECORDS, WIKI)}
@id("heard") forbid (principal, action, resource in Target::"${TICKETS}") when { context has given && context.given.context.hasTag("access_token") };`,
    });
    const { access_token: shown } = (await own.exchange(await own.identity('agent-7'))).body as {
      access_token: string;
    };
    const body = {
      ...of(shown),
      subject: { type: 'identity', id: 'lab:agent-7' },
      context: { access_token: shown, ip: 'x' },
    };
    expect((await own.post(ONE, body, await own.identity('gateway'))).body).toMatchObject({ decision: true });
  });

  it('is bounded', async () => {
    const names = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, 'x']));
    const list = (count: number) => ({ one: Array.from({ length: count }, () => 'x') });
    for (const fits of [names(128), list(128)]) expect(await decisionOf(given(fits))).toBe(true);
    for (const more of [names(129), list(129), { ...list(128), two: 1 }])
      for (const body of [
        given(more),
        { ...asked, context: more },
        { ...asked, subject: { ...alice, properties: more } },
      ]) {
        const reply = await ask(ONE, body);
        expect([reply.status, reply.body]).toEqual([400, expect.stringContaining('has more than 128 values')]);
      }
    const deep = `${'['.repeat(40)}${']'.repeat(40)}`;
    expect((await ask(ONE, JSON.stringify(asked).replace('"read"', `"read","properties":{"x":${deep}}`))).status).toBe(
      400,
    );
    expect(await decisionsOf({ ...asked, evaluations: [given(names(129)), {}] })).toEqual([false, true]);
  });
});

const incident = { type: TICKETS, id: 'incident/4711' };
const granted = async (wish: Record<string, string | undefined> = {}, bearer = agent) =>
  (await broker.exchange(bearer, wish)).body as { access_token: string; task_id: string };
const of = (token: string, more: object = {}) => ({
  subject: { type: 'credential', id: token },
  action: read,
  resource: incident,
  ...more,
});
const idOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }).jti;

describe('a credential', () => {
  it('may what it was granted, while it lives: by itself, by its id, and beside the name of whom it is for', async () => {
    const { access_token: token, task_id: task } = await granted();
    const named = (id: string) => ({ action: read, resource: incident, subject: { type: 'identity', id } });
    const each = () =>
      Promise.all([
        decisionOf(of(token)),
        decisionOf(of(idOf(token))),
        decisionOf({ ...named('lab:agent-7'), context: { access_token: token } }),
        decisionOf(named('lab:agent-7'), gateway, { 'x-access-token': token }),
      ]);
    expect(await each()).toEqual([true, true, true, true]);
    expect(await decisionOf({ ...named('lab:agent-8'), context: { access_token: token } })).toBe(false);
    expect(await decisionOf(of(token, { action: write }))).toBe(false);
    expect(await decisionOf(of(token, { resource: { type: TICKETS, id: 'incident/4712' } }))).toBe(false);
    await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
    expect(await each()).toEqual([false, false, false, false]);
  });

  it('is asked about as COAZ-MCP maps the call of a tool', async () => {
    const { access_token: token } = await granted({ scope: 'tool/search:execute' });
    const call = (tool: string) => ({
      subject: { type: 'identity', id: 'lab:agent-7' },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: tool },
      context: { agent: 'lab:agent-7', access_token: token },
    });
    expect(await decisionOf(call('search'))).toBe(true);
    expect(await decisionOf(call('delete'))).toBe(false);
  });

  it('is judged by the claims of its workload, as they were when it was granted', async () => {
    const { access_token: token } = await granted({}, await broker.identity('agent-9', { level: '2', team: 'none' }));
    expect(await decisionOf(of(token))).toBe(true);
  });

  it('is refused as soon as policy does not permit its use any more, and says by which policy to whom may know', async () => {
    const own = await startBroker({ policies: POLICIES.replaceAll(RECORDS, WIKI) });
    const { access_token: token } = (await own.exchange(await own.identity('agent-7'))).body as {
      access_token: string;
    };
    const asker = await own.identity('gateway');
    expect((await own.post(ONE, of(token), asker)).body).toMatchObject({ decision: true });
    const { policy } = parse(readFileSync(own.configFile, 'utf8')) as { policy: { directory: string } };
    const rules =
      '@id("frozen") forbid (principal, action in Action::"access", resource in Target::"https://tickets.example");' +
      '@id("auditor") permit (principal == Workload::"lab:gateway", action == Action::"readAudit", resource);';
    writeFileSync(join(policy.directory, 'frozen.cedar'), rules);
    await own.reloadPolicies();
    const text = { en: expect.stringContaining('frozen') };
    const context = { basis: 'credential', decision_id: expect.any(String), reason_user: text, reason_admin: text };
    expect((await own.post(ONE, of(token), asker)).body).toEqual({ decision: false, context });
  });

  it('is refused with a reason where it was not granted that', async () => {
    const { access_token: token } = await granted();
    const { body } = await ask(ONE, of(token, { action: write }));
    expect(body).toEqual({
      decision: false,
      context: { basis: 'credential', reason_user: { en: 'The credential was not granted this.' } },
    });
  });
});

describe('no oracle', () => {
  it('whatever is no live credential for the target is answered in the same bytes', async () => {
    const { access_token: live } = await granted();
    const { access_token: dead, task_id: task } = await granted({ purpose: 'another' });
    await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
    const stranger = `${live.slice(0, -6)}AAAAAA`;
    const subjects = [dead, idOf(dead), stranger, agent, 'x', 'crd_aaaaaaaaaaaaaaaa'];
    const replies = await Promise.all(subjects.map((subject) => ask(ONE, of(subject))));
    const elsewhere = await ask(ONE, of(live, { resource: { type: RECORDS, id: 'record-1' } }));
    expect(new Set([...replies, elsewhere].map(({ text }) => text)).size).toBe(1);
  });

  it('a caller that may not ask about the target learns the same of everything', async () => {
    const { access_token: live } = await granted();
    const other = await broker.identity('agent-8');
    const each = [of(live), of('x'), of(idOf(live)), of(live, { resource: { type: 'nowhere', id: 'a' } })];
    const replies = await Promise.all(each.map((body) => broker.post(ONE, body, other)));
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
    expect(replies[0]?.body).toMatchObject({ decision: false });
  });
});

describe('the audit log', () => {
  it('has one entry for all that a credential was permitted in a minute, and each refusal', async () => {
    const { access_token: token, task_id: task } = await granted({ purpose: 'count' });
    for (const action of [read, read, read, write]) await decisionOf(of(token, { action }));
    await broker.work('refusals');
    const soc = await broker.identity('soc');
    const { lines } = (await broker.get(`/audit?task=${task}`, soc)).body as { lines: string[] };
    const entries = lines.map((line) => JSON.parse(line) as { type: string });
    expect(entries.filter(({ type }) => type.startsWith('access.'))).toEqual([
      expect.objectContaining({ type: 'access.denied', access: [{ path: 'incident/4711', actions: ['write'] }] }),
      expect.objectContaining({
        type: 'access.permitted',
        times: 3,
        credential: idOf(token),
        chain: ['lab:agent-7'],
        access: [{ path: 'incident/4711', actions: ['read'] }],
      }),
    ]);
  });

  it('has everybody who acts for somebody: in the task, in those above it, and whom they serve', async () => {
    const orchestrator = await broker.identity('orchestrator');
    const open = async (more: object) =>
      ((await broker.post('/tasks', { purpose: 'chain', ...more }, orchestrator)).body as { id: string }).id;
    const root = await open({ workload: 'lab:agent-8', principal: 'staff:ada' });
    const middle = await open({ workload: 'lab:agent-9', parent: root });
    const task = await open({ workload: 'lab:agent-7', parent: middle });
    const { access_token: token } = await granted({ task_id: task, purpose: undefined });
    expect(await decisionOf(of(token, { action: write }))).toBe(false);
    const { lines } = (await broker.get(`/audit?task=${task}`, await broker.identity('soc'))).body as {
      lines: string[];
    };
    const denied = lines
      .map((line) => JSON.parse(line) as { type: string })
      .filter(({ type }) => type === 'access.denied');
    const by = 'lab:orchestrator';
    const chain = ['lab:agent-7', by, middle, 'lab:agent-9', by, root, 'lab:agent-8', by, 'staff:ada'];
    expect(denied).toEqual([expect.objectContaining({ chain })]);
  });
});
