/** Ending what is not one's own: somebody else's token handed to /revoke, or a task id guessed. */
import { expect, it } from '@jest/globals';
import { startBroker } from '../support/brokers/http.js';

it('is answered like success, and changes nothing', async () => {
  const broker = await startBroker();
  const [agent, thief, api] = await Promise.all(
    ['agent-7', 'agent-8', 'tickets-api'].map((sub) => broker.identity(sub)),
  );
  const { body } = await broker.exchange(agent ?? '');
  const { access_token: token, task_id: task } = body as { access_token: string; task_id: string };
  const revoke = (what: string, by = thief) =>
    broker.form('/revoke', { token: what }, { authorization: `Bearer ${by}`, 'x-request-id': 'same' });
  const seen = async () => {
    const stolen = await revoke(token);
    const unknown = await revoke('x');
    return [stolen.status, stolen.text, stolen.status === unknown.status && stolen.text === unknown.text];
  };
  expect(await seen()).toEqual([200, '', true]);
  expect((await broker.post(`/tasks/${task}/complete`, { outcome: 'failed' }, thief)).status).toBe(404);
  expect((await broker.post('/revocations', { leaked: token, reason: 'x' }, thief)).status).toBe(403);
  expect((await broker.introspect(token, api ?? '')).body).toMatchObject({ active: true });
  expect((await revoke(token, agent)).status).toBe(200);
  expect((await broker.introspect(token, api ?? '')).text).toBe('{"active":false}');
});
