/** Guessing task ids: a foreign task and one that never was answer alike, byte for byte. */
import { beforeAll, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';

const NONE = 'tsk_aabbbbbbbbbbbbbb';
let broker: TestBroker;
let foreign: string;
beforeAll(async () => {
  broker = await startBroker();
  const { body } = await broker.exchange(await broker.identity('agent-7'));
  foreign = (body as { task_id: string }).task_id;
});

it.each([
  ['GET', '', undefined],
  ['POST', '/complete', { outcome: 'completed' }],
  ['POST', '/suspend', {}],
  ['POST', '/resume', {}],
  ['POST', '/heartbeat', {}],
])('%s /tasks/{id}%s', async (method, verb, body) => {
  const thief = await broker.identity('agent-8');
  const headers = { authorization: `Bearer ${thief}`, 'content-type': 'application/json', 'x-request-id': 'same' };
  const ask = async (id: string) => {
    const reply = await broker.send(`/tasks/${id}${verb}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return [reply.status, reply.text, [...reply.headers].filter(([name]) => name !== 'date')];
  };
  const answer = await ask(foreign);
  expect(answer[0]).toBe(404);
  expect(await ask(NONE)).toEqual(answer);
  expect(await ask('not-an-id')).toEqual(answer);
});

it('as a parent, and under /token', async () => {
  const thief = await broker.identity('agent-8');
  const child = (parent: string) =>
    broker.post('/tasks', { workload: 'lab:agent-8', purpose: 'x', parent }, thief, { 'x-request-id': 'same' });
  const renewal = (task_id: string) => broker.exchange(thief, { purpose: undefined, task_id });
  expect((await child(foreign)).text).toBe((await child(NONE)).text);
  expect((await renewal(foreign)).text).toBe((await renewal(NONE)).text);
  const own = await broker.get(`/tasks/${foreign}`, await broker.identity('agent-7'));
  expect([own.status, (own.body as { state: string }).state]).toEqual([200, 'open']);
});
