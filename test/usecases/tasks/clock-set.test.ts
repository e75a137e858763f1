/** A clock that is set ahead and back again, on the store whose clock it also is, revives nothing. */
import { expect, it } from '@jest/globals';
import { startBroker } from '../../support/brokers/http.js';

it('what was revoked stays dead: nothing is forgotten, swept or pruned by a clock that was set', async () => {
  const broker = await startBroker();
  const soc = await broker.identity('soc');
  const { access_token: token, task_id: task } = (await broker.exchange(await broker.identity('agent-7'))).body as {
    access_token: string;
    task_id: string;
  };
  await broker.post('/revocations', { selector: { kind: 'task', value: task }, reason: 'r' }, soc);
  const other = ((await broker.exchange(await broker.identity('agent-7'))).body as { task_id: string }).task_id;

  for (const look of [false, true]) {
    broker.clock.jump(400 * 86_400_000);
    if (look) await broker.work('fitness');
    await broker.work('sweep');
    await broker.work('receipts');
    await broker.work('forget');
    await broker.work('prune');
    broker.clock.jump(-400 * 86_400_000);
  }

  await broker.work('fitness');
  expect((await broker.introspect(token, await broker.identity('tickets-api'))).body).toEqual({ active: false });
  expect((await broker.get(`/tasks/${other}`, await broker.identity('agent-7'))).body).toMatchObject({ state: 'open' });
  expect((await broker.get('/audit?type=audit.pruned', soc)).body).toEqual({ lines: [] });
});
