/**
 * Requests that ask policy more than once: about each row of a list, each part of an answer, each subject of a bulk order. Where policy
 * refuses one, the answer has one less. Where policy gives no answer about one, there is no answer, and nothing was done in part; but
 * a list is shown without the row, and says so: an agent chooses what its rows say. Where an engine elsewhere answers nothing, there is
 * no list either.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { evaluated, push } from '../support/brokers/signals.js';
import type { Reply } from '../support/calls.js';
import { PUBLIC } from '../support/contracts.js';
import { expectProblem } from '../support/expect-refusal.js';
import { createTransmitter, RISK, workload } from '../support/issuers/transmitter.js';
import { bodyOf, json, serve, type EvaluationRequest } from '../support/policy-engines/decision-point.js';
import { handClock } from '../support/clock.js';

const REACTIONS = [
  { name: 'stop', event: 'session-revoked', do: 'hold', covers: 'workload' },
  { name: 'freeze', event: 'risk-level-change', do: 'hold', covers: 'workload' },
];

interface World {
  broker: TestBroker;
  /** A task with another one below it, and the approval that a third one waits for. */
  task: string;
  approval: string;
  /** That of a workload about which some policies here cannot be evaluated. */
  odd: string;
  /** A live credential. */
  token: string;
}

/** A broker in which there are two of everything: tasks, approvals, holds of a reaction and signals that wait. */
async function populated(wish: { config?: object; policies?: string }): Promise<World> {
  const clock = handClock();
  const idp = await createTransmitter('idp', clock, { perMinute: 100_000 });
  const edr = await createTransmitter('edr', clock);
  const signals = { transmitters: [idp.config, edr.config], reactions: REACTIONS, maxPartiesPerMinute: 2 };
  const { policies, config } = wish;
  const broker = await startBroker({
    clock,
    config: { signals, ...config },
    ...(policies !== undefined && { policies }),
  });
  const by = (sub: string) => broker.identity(sub);
  const opened = async (body: object, sub: string) =>
    ((await broker.post('/tasks', body, await by(sub))).body as { id: string }).id;
  const task = await opened({ purpose: 'look' }, 'agent-7');
  await opened({ workload: 'lab:odd', purpose: 'look', parent: task }, 'orchestrator');
  const { body } = await broker.exchange(await by('agent-7'), { purpose: undefined, task_id: task });
  const waits = async (sub: string) =>
    (await broker.exchange(await by(sub), { scope: 'incident/1:export' })).body as { approval_id: string };
  const { approval_id: approval } = await waits('agent-7');
  const { approval_id: odd } = await waits('odd');
  for (const sub of ['a-1', 'odd']) await push(broker, await idp.set(workload(sub)));
  // The first two are all that it may hit in a minute: the others wait.
  for (const sub of ['b-1', 'b-2', 'a-1', 'odd']) await push(broker, await edr.set(workload(sub), { event: RISK }));
  await evaluated(broker, 6);
  return { broker, task, approval, odd, token: (body as { access_token: string }).access_token };
}

type Request = (world: World) => Promise<Reply>;

const as = async ({ broker }: World, name: string) =>
  name.startsWith('staff:') ? broker.person(name.slice(6), { groups: ['sre-oncall'] }) : broker.identity(name);
const get =
  (path: string | ((world: World) => string), name: string): Request =>
  async (world) =>
    world.broker.get(typeof path === 'string' ? path : path(world), await as(world, name));
const post =
  (path: string, body: (world: World) => object, name: string): Request =>
  async (world) =>
    world.broker.post(path, body(world), await as(world, name));

const use = ({ token }: World) => ({
  subject: { type: 'credential', id: token },
  action: { name: 'read' },
  resource: { type: TICKETS, id: 'incident/4711', properties: { colour: 'red' } },
});

/** By the endpoint. Who asks has no right but that to what is asked one by one. */
const REQUESTS: Record<string, Request> = {
  'GET /tasks': get('/tasks', 'reader'),
  'GET /tasks/:id/tree': get(({ task }) => `/tasks/${task}/tree`, 'reader'),
  'GET /workloads': get('/workloads', 'reader'),
  'GET /workloads/:id': get('/workloads/lab:agent-7', 'half'),
  'GET /approvals': get('/approvals', 'staff:ann'),
  'GET /approvals/:id': get(({ approval }) => `/approvals/${approval}`, 'staff:ann'),
  'POST /revocations/lift': post('/revocations/lift', () => ({ reaction: 'stop' }), 'lead'),
  'POST /signals/dismiss': post('/signals/dismiss', () => ({ source: 'edr' }), 'lead'),
  'POST /access/v1/evaluation': post('/access/v1/evaluation', use, 'tickets-api'),
  'POST /access/v1/evaluations': post(
    '/access/v1/evaluations',
    (world) => ({ evaluations: [use(world), use(world)] }),
    'tickets-api',
  ),
  'POST /introspect': async (world) => world.broker.introspect(world.token, await as(world, 'api')),
  'POST /token': async ({ broker }) =>
    broker.exchange(await broker.identity('agent-7'), { scope: 'incident/1:read incident/2:read incident/3:read' }),
};

/** Endpoints that ask about each of many say so where their contract names what they need. */
const ASKING_EACH = PUBLIC.filter(({ handle: { contract } }) => / each\b/.test(contract.needs ?? '')).map(
  ({ method, path }) => `${method} ${path.replaceAll(/\*(\w+)/g, ':$1')}`,
);

it('every endpoint that asks policy about each of many is among these requests', () => {
  expect(ASKING_EACH.length).toBeGreaterThan(3);
  expect(Object.keys(REQUESTS)).toEqual(expect.arrayContaining(ASKING_EACH));
});

describe('An engine elsewhere that is silent about one question of a request', () => {
  let world: World;
  /** The questions of a request, in the order in which they were asked first. */
  let questions: string[] = [];
  let silentAt = Infinity;
  let silences = 0;
  /** Not even the plainest question is answered. */
  let isAway = false;
  const refused: string[] = [];

  beforeAll(async () => {
    const { url } = await serve((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end();
      void bodyOf(request).then((body) => {
        const { subject, action, resource } = body as EvaluationRequest;
        const isProbe = subject.id === 'mayfly:probe';
        const question = JSON.stringify(body);
        if (!isProbe && !questions.includes(question)) questions.push(question);
        const isSilent = isProbe ? isAway : questions.indexOf(question) === silentAt;
        if (isSilent) silences += 1;
        const asks = action.name === 'export' && { context: { approvals: ['sre-oncall'] } };
        if (isSilent) response.writeHead(500).end();
        else json(response, { decision: resource.type === 'resource' || !refused.includes(action.name), ...asks });
      });
    });
    world = await populated({ config: { policy: { engine: 'authzen', url } } });
  });

  /** How many of its first questions need an answer: the others are about a row, or about one part of what may be answered. */
  const LISTS: Record<string, number> = {
    'GET /tasks': 0,
    'GET /tasks/:id/tree': 1,
    'GET /workloads': 1,
    'GET /approvals': 0,
    'GET /approvals/:id': 0,
  };

  it.each(Object.keys(REQUESTS))('has %s refused, or says so, and has it answered in whole once it speaks', async (name) => {
    // What is asked row by row is asked only of who may not have all.
    refused.splice(0, Infinity, ...(name === 'GET /workloads' ? ['readRevocations'] : ['introspect']));
    questions = [];
    for (silentAt = 0; ; silentAt += 1) {
      silences = 0;
      const reply = await REQUESTS[name]!(world);
      if (silences === 0) break;
      if (silentAt >= (LISTS[name] ?? Infinity)) {
        expectInPart(reply, name);
        isAway = true;
        expectRefused(await REQUESTS[name]!(world));
        isAway = false;
      } else expectRefused(reply);
    }
    expect(silentAt).toBeGreaterThan(1);
    silentAt = Infinity;
    const { status, body } = await REQUESTS[name]!(world);
    expect(status).toBe(200);
    expect(body).not.toHaveProperty('unknown');
    if (/lift|dismiss/.test(name)) expect(Object.values(body as object)).toEqual([0, 0]);
  }); // prettier-ignore

  function expectRefused(reply: Reply): void {
    expect([silentAt, reply.status]).toEqual([silentAt, 503]);
    expect(reply.text).toContain('Policy cannot be asked now.');
    expect(reply.headers.get('retry-after')).toBe('2');
  }

  /** What of a row is not known is a part of it, or of the list. */
  function expectInPart({ status, text }: Reply, name: string): void {
    expect([silentAt, status]).toEqual([silentAt, 200]);
    const why =
      'The policy engine does not answer this question, though it answers others, so the answer is not known.';
    if (name.startsWith('GET /approvals')) expect(text).toContain(JSON.stringify({ unknown: [why] }).slice(1, -1));
    else expect(JSON.parse(text)).toMatchObject({ unknown: [why] });
  }

  it('has lifted and dismissed all there was, with one entry each', async () => {
    const { body } = await world.broker.get('/audit?limit=1000', await world.broker.identity('soc'));
    const lines = (body as { lines: string[] }).lines.map(
      (line) => JSON.parse(line) as { type: string; together?: object },
    );
    for (const type of ['revocation.lifted_all', 'signal.decided_all'])
      expect(lines.filter((line) => line.type === type)).toMatchObject([{ together: { count: 2 } }]);
  });
});

/** AuthZEN says nothing of how an error is told but its status. */
const expectUnavailable = ({ status, text }: Reply, why: string): void =>
  expect([status, JSON.parse(text)]).toEqual([503, why]);

const OVERFLOWS = '1 < 0 + 9223372036854775807 + 1';
/** Cedar cannot evaluate these for what is about `lab:odd`, nor for the part of an answer that `lab:half` may not have. */
const BROKEN = `
@id("reader-reads") permit (principal == Workload::"lab:reader", action == Action::"readTask", resource);
@id("half-reads") permit (principal == Workload::"lab:half", action == Action::"readRevocations", resource);
@id("lead-reads") permit (principal == Workload::"lab:lead", action in [Action::"readRevocations", Action::"revoke"], resource);
@id("members-answer") permit (principal in Issuer::"staff", action == Action::"approve", resource);
@id("broken-reading") forbid (principal == Workload::"lab:reader", action == Action::"readTask", resource)
  when { resource.workload == Workload::"lab:odd" && ${OVERFLOWS} };
@id("broken-part") forbid (principal == Workload::"lab:half", action == Action::"readAudit", resource)
  when { principal.unread.contains("team") || ${OVERFLOWS} };
@id("broken-answering") forbid (principal in Issuer::"staff", action == Action::"approve", resource)
  when { resource.workload == Workload::"lab:odd" && ${OVERFLOWS} };
@id("broken-glass") forbid (principal in Issuer::"staff", action == Action::"breakGlass", resource)
  when { resource.workload == Workload::"lab:agent-7" && ${OVERFLOWS} };
@id("broken-revoking") forbid (principal == Workload::"lab:lead", action == Action::"revoke", resource)
  when { context.value == "lab:odd" && ${OVERFLOWS} };
@id("broken-listening") forbid (principal, action == Action::"assertProperties", resource)
  when { principal.unread.contains("team") || ${OVERFLOWS} };
@id("broken-introspecting") forbid (principal == Workload::"lab:api", action in [Action::"introspect", Action::"evaluate"], resource)
  when { principal.unread.contains("team") || ${OVERFLOWS} };
@id("broken-reasons") forbid (principal == Workload::"lab:tickets-api", action == Action::"readAudit", resource)
  when { principal.unread.contains("team") || ${OVERFLOWS} };`;

describe('A policy of the broker that cannot be evaluated for one of them', () => {
  let world: World;
  beforeAll(async () => {
    world = await populated({ policies: BROKEN });
  });

  const whyUnknown = (verb: string, policy: string): string =>
    `Policy cannot be evaluated for "${verb}", because of "${policy}", so the answer is not known.`;

  it.each([
    ['GET /tasks', 'tasks', 'lab:agent-7'],
    ['GET /tasks/:id/tree', 'tasks', 'lab:agent-7'],
    ['GET /workloads', 'workloads', 'lab:agent-7'],
  ])('%s has the others, and says why one may be missing', async (name, member, known) => {
    const { status, body } = await REQUESTS[name]!(world);
    expect([status, body]).toMatchObject([200, { unknown: [whyUnknown('readTask', 'broken-reading')] }]);
    const rows = (body as Record<string, { workload: string }[]>)[member]?.map(({ workload: of }) => of);
    expect(rows).toContain(known);
    expect(rows).not.toContain('lab:odd');
  });

  it.each([
    ['GET /workloads/:id', 'readAudit', 'broken-part', ''],
    ['POST /revocations/lift', 'revoke', 'broken-revoking', / Nothing was done: it is about revocation \d+\.$/],
    ['POST /signals/dismiss', 'revoke', 'broken-revoking', / Nothing was done: it is about signal \S+\.$/],
  ])('%s says so, and leaves nothing out', async (name, verb, policy, about) => {
    const reply = await REQUESTS[name]!(world);
    expect([reply.status, reply.body]).toMatchObject([503, { detail: expect.stringContaining(whyUnknown(verb, policy)) }]);
    expect((reply.body as { detail: string }).detail).toMatch(about);
  }); // prettier-ignore

  it('POST /access/v1/evaluation does not decide without what it was told', async () => {
    const reply = await REQUESTS['POST /access/v1/evaluation']!(world);
    expect(reply.status).toBe(503);
  });

  const ofAgent = { subject: { type: 'workload', id: 'lab:agent-7' }, resource: { type: TICKETS, id: 'incident/1' } };
  const evaluations: Record<string, Request> = {
    '/access/v1/evaluation': post('/access/v1/evaluation', () => ({ ...ofAgent, action: { name: 'read' } }), 'api'),
    '/access/v1/evaluations': post(
      '/access/v1/evaluations',
      () => ({ ...ofAgent, evaluations: [{ action: { name: 'read' } }] }),
      'api',
    ),
  };
  it.each(Object.keys(evaluations))('POST %s tells nobody for that reason that they may not ask', async (path) => {
    const why =
      'Policy cannot be evaluated for "evaluate", because of "broken-introspecting", so the answer is not known.';
    expectUnavailable(await evaluations[path]!(world), why);
  });

  it('POST /access/v1/evaluation leaves no reason out of a refusal', async () => {
    const refused = () => ({ ...ofAgent, action: { name: 'drop' } });
    const reply = await post('/access/v1/evaluation', refused, 'tickets-api')(world);
    const why = 'Policy cannot be evaluated for "readAudit", because of "broken-reasons", so the answer is not known.';
    expectUnavailable(reply, why);
  });

  it('POST /introspect calls no credential dead because of that', async () => {
    expect((await REQUESTS['POST /introspect']!(world)).status).toBe(503);
  });

  const UNKNOWN = {
    approve: 'Policy cannot be evaluated for "approve", because of "broken-answering", so the answer is not known.',
    breakGlass: 'Policy cannot be evaluated for "breakGlass", because of "broken-glass", so the answer is not known.',
  };

  it('GET /approvals has the others, and says why one may be missing', async () => {
    const { status, body } = await REQUESTS['GET /approvals']!(world);
    expect([status, body]).toMatchObject([
      200,
      { approvals: [{ id: world.approval, workload: 'lab:agent-7' }], unknown: [UNKNOWN.approve] },
    ]);
  });

  it('GET /approvals/{id} of that one does not say that there is none', async () => {
    const reply = await get(`/approvals/${world.odd}`, 'staff:ann')(world);
    expectProblem(reply, 503, 'temporarily_unavailable', UNKNOWN.approve);
  });

  it('what is said of emergencies keeps nobody from agreeing as always', async () => {
    const [path, by] = [`/approvals/${world.approval}`, await as(world, 'staff:ann')];
    const { body } = await world.broker.get(path, by);
    const { answer } = body as { answer: { digest: string } };
    expect(answer).toMatchObject({ mayAnswerFor: ['sre-oncall'], mayBreakGlass: false, unknown: [UNKNOWN.breakGlass] });
    const said = { digest: answer.digest, reason: 'it cannot wait' };
    const emergency = await world.broker.post(`${path}/decision`, { ...said, decision: 'emergency' }, by);
    expectProblem(emergency, 503, 'temporarily_unavailable', UNKNOWN.breakGlass);
    const yes = await world.broker.post(`${path}/decision`, { ...said, decision: 'approve' }, by);
    expect([yes.status, yes.body]).toMatchObject([200, { state: 'approved' }]);
  });

  it('nothing was lifted, dismissed or entered', async () => {
    const soc = await world.broker.identity('soc');
    const { body: holds } = await world.broker.get('/revocations?state=held&reaction=stop', soc);
    expect((holds as { revocations: unknown[] }).revocations).toHaveLength(2);
    const { body: waiting } = await world.broker.get('/signals/pending', soc);
    expect((waiting as { signals: unknown[] }).signals).toHaveLength(2);
    const { text } = await world.broker.get('/audit?limit=1000', soc);
    expect(text).not.toMatch(/lifted_all|decided_all|operation\.refused/);
  });
});
