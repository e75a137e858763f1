/** The main job over real HTTP, on both stores: a credential is born for one task, and dies with it. */
import { describe, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { anyRedis } from '../support/redis.js';

describe.each<[string, () => Promise<TestBroker>]>([
  ['LMDB', () => startBroker()],
  ['Redis', async () => startBroker({ redisUrl: await anyRedis() })],
])('a credential for one task, on %s', (_, start) => {
  it('is born in an exchange, lives, and is dead once its task is completed', async () => {
    const broker = await start();
    const agent = await broker.identity('agent-7');
    const api = await broker.identity('tickets-api');

    const issued = await broker.exchange(agent);
    expect(issued.body).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'incident/4711:read' });
    const { access_token: token, task_id: task } = issued.body as { access_token: string; task_id: string };

    const alive = await broker.introspect(token, api);
    expect(alive.body).toMatchObject({ active: true, client_id: 'lab:agent-7', task: { id: task } });

    const completed = await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
    expect(completed.body).toMatchObject({ task: { id: task, state: 'completed' }, revocation: { effect: 'end' } });
    expect((await broker.introspect(token, api)).text).toBe('{"active":false}');
    await broker.close();
  });
});
