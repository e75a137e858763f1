/** GET /credentials/{id}: what it is and every selector it hangs on; never the credential itself. */
import { beforeAll, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { causeOf, type Selector } from '../../src/domain/selector.js';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { expectProblem } from '../support/expect-refusal.js';

let broker: TestBroker;
let soc: string;
let agent: string;
let token: string;
let task: string;
let id: string;

beforeAll(async () => {
  broker = await startBroker();
  soc = await broker.identity('soc');
  agent = await broker.identity('agent-7');
  const type = 'urn:ietf:params:oauth:token-type:jwt';
  const { body } = await broker.exchange(await broker.person('ada'), { actor_token: agent, actor_token_type: type });
  ({ access_token: token, task_id: task } = body as { access_token: string; task_id: string });
  id = decodeJwt(token).jti ?? '';
});

it('says what it is, whether it lives, and each selector whose revocation would end it', async () => {
  const { status, body, text } = await broker.get(`/credentials/${id}`, soc);
  expect(status).toBe(200);
  expect(body).toEqual({
    id,
    kind: 'jwt',
    state: 'live',
    task,
    purpose: 'summarise incident 4711',
    target: TICKETS,
    access: [{ type: 'task_access', locations: [TICKETS], identifier: 'incident/4711', actions: ['read'] }],
    issuedAt: new Date(broker.clock.now()).toISOString(),
    expiresAt: new Date(broker.clock.now() + 300_000).toISOString(),
    causes: [
      { kind: 'credential', value: id },
      { kind: 'task', value: task },
      { kind: 'workload', value: 'lab:agent-7' },
      { kind: 'issuer', value: 'lab' },
      { kind: 'owner', value: 'sre' },
      { kind: 'principal', value: 'staff:ada' },
      { kind: 'issuer', value: 'staff' },
      { kind: 'target', value: TICKETS },
      { kind: 'all', value: '' },
    ],
  });
  expect(text).not.toContain(token.split('.')[2]);
});

const selectorsOf = async (accessToken: string): Promise<Selector[]> =>
  ((await broker.get(`/credentials/${decodeJwt(accessToken).jti ?? ''}`, soc)).body as { causes: Selector[] }).causes;
const carried = (accessToken: string) => new Set(decodeJwt(accessToken)['causes'] as string[]);

it('each of these selectors is one the token carries, and none is missing', async () => {
  expect(new Set((await selectorsOf(token)).map(causeOf))).toEqual(carried(token));
});

it('names a person by their address too, where their own token says it', async () => {
  const person = await broker.person('ada', { email: 'Ada@staff.example' });
  const type = 'urn:ietf:params:oauth:token-type:jwt';
  const { body } = await broker.exchange(person, { actor_token: agent, actor_token_type: type });
  const { access_token } = body as { access_token: string };
  const causes = await selectorsOf(access_token);
  expect(causes).toContainEqual({ kind: 'principal', value: 'email:staff/ada@staff.example' });
  expect(new Set(causes.map(causeOf))).toEqual(carried(access_token));
});

it('names those above a child task: their workloads, their teams and whom they serve', async () => {
  const orchestrator = await broker.identity('orchestrator');
  const wish = { purpose: 'summarise incident 4711', workload: 'lab:agent-1' };
  const { body: parent } = await broker.post('/tasks', wish, orchestrator);
  const under = { ...wish, workload: 'lab:agent-7', parent: (parent as { id: string }).id };
  const { body: child } = await broker.post('/tasks', under, orchestrator);
  const { body } = await broker.exchange(agent, { purpose: undefined, task_id: (child as { id: string }).id });
  const { access_token } = body as { access_token: string };
  const causes = await selectorsOf(access_token);
  expect(causes).toEqual(
    expect.arrayContaining([
      { kind: 'workload', value: 'lab:agent-1' },
      { kind: 'principal', value: 'lab:agent-1' },
      { kind: 'workload', value: 'lab:orchestrator' },
    ]),
  );
  expect(new Set(causes.map(causeOf))).toEqual(carried(access_token));
});

it('names what was handed on by: each credential, and the login by which the first of them was asked for', async () => {
  const type = 'urn:ietf:params:oauth:token-type';
  const handOn = async (subject: string, by: string, actor: string, claims = {}) => {
    const wish = { actor_token: await broker.identity(actor, claims), actor_token_type: `${type}:jwt` };
    const { body } = await broker.exchange(subject, { ...wish, subject_token_type: `${type}:${by}` });
    return (body as { access_token: string }).access_token;
  };
  const asAda = async (sid: string, under: object) => {
    const ada = await broker.person('ada', { sid });
    const { body } = await broker.exchange(ada, { actor_token: agent, actor_token_type: `${type}:jwt`, ...under });
    return body as { access_token: string; task_id: string };
  };
  // The task remembers the login of its opening, and the credential that is handed on was asked for by another.
  const { task_id } = await asAda('login-1', {});
  const { access_token: first } = await asAda('login-2', { purpose: undefined, task_id });
  const second = await handOn(first, 'access_token', 'agent-8');
  const third = await handOn(second, 'access_token', 'agent-9');
  const causes = await selectorsOf(third);
  expect(causes).toEqual(
    expect.arrayContaining([
      { kind: 'credential', value: decodeJwt(first).jti },
      { kind: 'credential', value: decodeJwt(second).jti },
      { kind: 'session', value: 'staff:login-2' },
    ]),
  );
  expect(new Set(causes.map(causeOf))).toEqual(carried(third));
});

it('says in one word that it is dead', async () => {
  const stated = async () => {
    const { state, live } = (await broker.get(`/credentials/${id}`, await broker.identity('soc'))).body as {
      state: string;
      live?: boolean;
    };
    return [state, live];
  };
  await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
  expect(await stated()).toEqual(['ended', undefined]);
  await broker.advance(300_000);
  expect(await stated()).toEqual(['expired', undefined]);
  soc = await broker.identity('soc');
  agent = await broker.identity('agent-7');
});

it('an unknown one is 404, and so is every one for a caller that may not read any', async () => {
  expectProblem(await broker.get('/credentials/crd_aabbbbbbbbbbbbbb', soc), 404, 'not_found');
  expectProblem(await broker.get('/credentials/x', soc), 404, 'not_found');
  expectProblem(await broker.get(`/credentials/${id}`, agent), 403, 'access_denied');
  expectProblem(await broker.get(`/credentials/${id}`), 401, 'invalid_token');
});
