/** AuthZEN 1.0: the requests of its certification scenario (Basic, Batch, Discovery), and what they mean for a credential. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';

const RECORDS = 'https://records.example';
const POLICIES = `
@id("alice") permit (principal == Person::"staff:alice", action in [Action::"read", Action::"write"], resource == Resource::"${RECORDS}#record-1");
@id("bob") permit (principal == Person::"staff:bob", action == Action::"read", resource == Resource::"${RECORDS}#record-1");
@id("gateway-asks") permit (principal == Workload::"lab:gateway", action == Action::"evaluate", resource)
  when { resource == Target::"${RECORDS}" || resource == Target::"${TICKETS}" };
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

  it('the metadata says where', async () => {
    expect((await broker.get('/.well-known/authzen-configuration')).body).toEqual({
      policy_decision_point: broker.url,
      access_evaluation_endpoint: `${broker.url}${ONE}`,
      access_evaluations_endpoint: `${broker.url}${MANY}`,
    });
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
