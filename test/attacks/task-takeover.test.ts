/** Getting more out of a task than it was opened for: as another workload, for another person, or by a wider path. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const detail = (identifier: string, actions = ['read'], target = TICKETS) => ({
  ...{ type: 'task_access', locations: [target] },
  ...{ identifier, actions },
});
let broker: TestBroker;
let boss: string;
let agent: string;
beforeAll(async () => {
  const policies = '@id("all") permit (principal in Owner::"sre", action in Action::"access", resource);';
  broker = await startBroker({ policies });
  [boss, agent] = [await broker.identity('orchestrator'), await broker.identity('agent-7')];
});
const open = async (wish: object = {}) =>
  ((await broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x', ...wish }, boss)).body as { id: string }).id;
const renew = (task_id: string, identity: string, wish: Record<string, string | undefined> = {}) =>
  broker.exchange(identity, { purpose: undefined, task_id, ...wish });
const forPerson = async (sub: string) => ({
  subject_token: await broker.person(sub),
  actor_token: agent,
  actor_token_type: JWT,
});

it('another workload cannot renew under it, not even the one that opened it', async () => {
  const task = await open();
  for (const sub of ['agent-8', 'orchestrator', 'agent-7\n', 'AGENT-7', 'agent-7 ']) {
    expectOAuthRefusal(
      await renew(task, await broker.identity(sub)),
      400,
      sub === sub.trim() ? 'invalid_grant' : 'invalid_request', // What is no name is refused at the door.
    );
  }
  expect((await renew(task, agent)).status).toBe(200);
});

describe('the person it serves cannot be swapped', () => {
  it('for another one, nor brought into a task that serves none', async () => {
    const first = await broker.exchange(agent, await forPerson('ada'));
    const task = (first.body as { task_id: string }).task_id;
    expectOAuthRefusal(await renew(task, agent, await forPerson('eve')), 400, 'invalid_grant');
    expectOAuthRefusal(await renew(await open(), agent, await forPerson('eve')), 400, 'invalid_grant');
    const renewed = await renew(task, agent, await forPerson('ada'));
    expect(decodeJwt((renewed.body as { access_token: string }).access_token).sub).toBe('staff:ada');
  });
});

describe('a person cannot be brought in by name', () => {
  const claim = { workload: 'lab:agent-7', purpose: 'x', principal: 'staff:ceo' };

  it('by the workload itself; an orchestrator may', async () => {
    expectProblem(await broker.post('/tasks', claim, agent), 403, 'access_denied');
    expect((await broker.post('/tasks', claim, boss)).status).toBe(201);
    expect((await broker.post('/tasks', { ...claim, principal: undefined }, agent)).status).toBe(201);
  });

  it('in place of whom the parent serves', async () => {
    const parent = await open({ principal: 'staff:ada' });
    expectProblem(await broker.post('/tasks', { ...claim, parent }, boss), 400, 'invalid_request', /parent/);
  });
});

describe('its ceiling cannot be widened', () => {
  it.each([
    ['incident/**'],
    ['**'],
    ['*/4711'],
    ['incident/4711/notes'],
    ['incident/4712'],
    ['incident'],
    ['INCIDENT/4711'],
  ])('by asking for %s', async (path) => {
    const task = await open({ access: [detail('incident/4711')] });
    expectOAuthRefusal(await renew(task, agent, { scope: `${path}:read` }), 400, 'invalid_scope', /beyond/);
    const child = { workload: 'lab:agent-7', purpose: 'x', parent: task, access: [detail(path)] };
    expectProblem(await broker.post('/tasks', child, boss), 400, 'invalid_scope', /beyond/);
  });

  it('by another action, another target, one more pair, or a child without a ceiling', async () => {
    const task = await open({ access: [detail('incident/*')] });
    expectOAuthRefusal(await renew(task, agent, { scope: 'incident/1:write' }), 400, 'invalid_scope');
    expectOAuthRefusal(await renew(task, agent, { resource: WIKI }), 400, 'invalid_scope');
    expectOAuthRefusal(await renew(task, agent, { scope: 'incident/1:read customer/1:read' }), 400, 'invalid_scope');
    const child = await open({ parent: task });
    expectOAuthRefusal(await renew(child, agent, { scope: 'customer/1:read' }), 400, 'invalid_scope');
    expect((await renew(child, agent, { scope: 'incident/*:read' })).status).toBe(200);
  });
});
