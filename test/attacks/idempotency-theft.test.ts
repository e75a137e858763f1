/** An Idempotency-Key that is guessed or stolen finds nothing of anybody else's. */
import { beforeAll, expect, it } from '@jest/globals';
import { shardOf } from '../../src/domain/id.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';

const KEY = { 'idempotency-key': 'stolen' };
let broker: TestBroker;
beforeAll(async () => (broker = await startBroker()));
const taskOf = ({ body }: { body: unknown }) =>
  (body as { task_id?: string; id?: string }).task_id ?? (body as { id: string }).id;

it('at /token: another workload gets a task of its own', async () => {
  const [mine, theirs] = [await broker.identity('agent-7'), await broker.identity('agent-8')];
  const first = taskOf(await broker.exchange(mine, {}, KEY));
  const stolen = taskOf(await broker.exchange(theirs, {}, KEY));
  expect(stolen).not.toBe(first);
  expect(taskOf(await broker.exchange(mine, {}, KEY))).toBe(first);
});

it('at /token: with another request, or in the name of somebody else, it is refused', async () => {
  const mine = await broker.identity('agent-7');
  expectOAuthRefusal(await broker.exchange(mine, { scope: 'incident/1:read' }, KEY), 409, 'conflict');
  const actor = { actor_token: mine, actor_token_type: 'urn:ietf:params:oauth:token-type:jwt' };
  expectOAuthRefusal(await broker.exchange(await broker.person('eve'), actor, KEY), 409, 'conflict');
  const key = { 'idempotency-key': 'for-ada' };
  const forAda = await broker.exchange(await broker.person('ada'), actor, key);
  expect(forAda.text).toContain('access_token');
  expectOAuthRefusal(await broker.exchange(await broker.person('eve'), actor, key), 409, 'conflict');
});

it('at /tasks: another caller opens another task, another body is a conflict, and /token shares no keys with it', async () => {
  const boss = await broker.identity('orchestrator');
  const wish = { workload: 'lab:agent-7', purpose: 'x' };
  const first = taskOf(await broker.post('/tasks', wish, boss, KEY));
  expect(taskOf(await broker.post('/tasks', wish, boss, KEY))).toBe(first);
  expectProblem(await broker.post('/tasks', { ...wish, purpose: 'y' }, boss, KEY), 409, 'conflict');
  const agent = await broker.identity('agent-7');
  expectProblem(await broker.post('/tasks', wish, agent, KEY), 409, 'conflict'); // its own key, used at /token
});

it('at /tasks: another parent is another request, wherever the child would be stored', async () => {
  const boss = await broker.identity('orchestrator');
  const wish = { workload: 'lab:agent-7', purpose: 'x' };
  const parents = await Promise.all(
    Array.from({ length: 6 }, async () => taskOf(await broker.post('/tasks', wish, boss))),
  );
  expect(new Set(parents.map(shardOf)).size).toBeGreaterThan(1);
  for (const [at, under] of [undefined, ...parents].entries()) {
    const key = { 'idempotency-key': `family-${at}` };
    const body = under === undefined ? wish : { ...wish, parent: under };
    const first = taskOf(await broker.post('/tasks', body, boss, key));
    for (const other of [undefined, ...parents].filter((one) => one !== under)) {
      const changed = other === undefined ? wish : { ...wish, parent: other };
      expectProblem(await broker.post('/tasks', changed, boss, key), 409, 'conflict');
    }
    expect(taskOf(await broker.post('/tasks', body, boss, key))).toBe(first);
  }
});

it('at /tasks: of two attempts at once under two parents, one opens a task', async () => {
  const boss = await broker.identity('orchestrator');
  const wish = { workload: 'lab:agent-7', purpose: 'x' };
  const parents = await Promise.all(
    Array.from({ length: 6 }, async () => taskOf(await broker.post('/tasks', wish, boss))),
  );
  const key = { 'idempotency-key': 'race' };
  const replies = await Promise.all(parents.map((parent) => broker.post('/tasks', { ...wish, parent }, boss, key)));
  expect(replies.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
});

it.each(['', 'a b', 'ä', 'x'.repeat(256)])('a key of %j is refused or ignored, never shortened', async (key) => {
  const reply = await broker.exchange(
    await broker.identity('agent-9'),
    {},
    { 'idempotency-key': encodeURI(key) === key ? key : encodeURI(key) },
  );
  expect([200, 400]).toContain(reply.status);
  if (key.length > 255) expectOAuthRefusal(reply, 400, 'invalid_request', /1 to 255/);
});
