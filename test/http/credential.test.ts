/** GET /credentials/{id}: what it is and everything it hangs on, in words; never the credential itself. */
import { beforeAll, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { cause, type Selector } from '../../src/domain/selector.js';
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
    state: 'active',
    live: true,
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

it('each of these selectors is one the token carries, and none is missing', async () => {
  const { causes } = (await broker.get(`/credentials/${id}`, soc)).body as {
    causes: Selector[];
  };
  const carried = decodeJwt(token)['causes'] as string[];
  expect(new Set(causes.map(({ kind, value }) => cause(kind, value)))).toEqual(new Set(carried));
});

it('tells that it is dead', async () => {
  await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
  expect((await broker.get(`/credentials/${id}`, soc)).body).toMatchObject({ live: false });
});

it('an unknown one is 404, and who may not read any hears only that', async () => {
  expectProblem(await broker.get('/credentials/crd_aabbbbbbbbbbbbbb', soc), 404, 'not_found');
  expectProblem(await broker.get('/credentials/x', soc), 404, 'not_found');
  expectProblem(await broker.get(`/credentials/${id}`, agent), 403, 'access_denied');
  expectProblem(await broker.get(`/credentials/${id}`), 401, 'invalid_token');
});
