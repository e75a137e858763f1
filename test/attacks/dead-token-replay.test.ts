/** A token that died is presented again, everywhere a token can be presented: it opens nothing. */
import { expect, it } from '@jest/globals';
import { startBroker } from '../support/brokers/http.js';

it('is inactive, no identity, no subject, no actor and no client', async () => {
  const broker = await startBroker();
  const [agent, soc, api] = await Promise.all(['agent-7', 'soc', 'tickets-api'].map((sub) => broker.identity(sub)));
  const { body } = await broker.exchange(agent ?? '');
  const { access_token: token, task_id: task } = body as { access_token: string; task_id: string };
  const replays = async () => [
    (await broker.exchange(token)).status,
    (
      await broker.exchange(await broker.person('ada'), {
        actor_token: token,
        actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      })
    ).status,
    (await broker.introspect(token, token)).status,
    (await broker.get(`/tasks/${task}`, token)).status,
    (await broker.post('/revocations', { selector: { kind: 'all' }, reason: 'x' }, token)).status,
  ];
  expect(await replays()).toEqual([400, 400, 401, 401, 401]);
  await broker.post('/revocations', { leaked: token, reason: 'x' }, soc);
  expect(await replays()).toEqual([400, 400, 401, 401, 401]);
  for (let minutes = 0; minutes < 3; minutes += 1) {
    expect((await broker.introspect(token, api ?? '')).text).toBe('{"active":false}');
    await broker.advance(60_000);
    await broker.work('sweep');
    await broker.work('forget');
  }
});
