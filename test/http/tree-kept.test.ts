/** How long a tree shows what has ended: as long as the audit log can have entries of it, as that is set. */
import { expect, it } from '@jest/globals';
import { startBroker } from '../support/brokers/http.js';

const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000];

it.each([1, 60])('with audit.retentionDays %s', async (retentionDays) => {
  const broker = await startBroker({ config: { audit: { retentionDays } } });
  const orchestrator = () => broker.identity('orchestrator');
  const opened = async (body: object) =>
    ((await broker.post('/tasks', body, await orchestrator())).body as { id: string }).id;
  const root = await opened({ workload: 'lab:agent-7', purpose: 'x' });
  const child = await opened({ workload: 'lab:agent-8', purpose: 'x', parent: root });
  for (const id of [child, root])
    await broker.post(`/tasks/${id}/complete`, { outcome: 'completed' }, await orchestrator());
  const tree = async () => {
    const { status, body } = await broker.get(`/tasks/${child}/tree`, await orchestrator());
    return status === 200 ? (body as { tasks: { id: string }[] }).tasks.map(({ id }) => id) : status;
  };
  // Whatever goes on with it does so within a day, and ends within eight hours.
  await broker.advance(DAY_MS + 8 * HOUR_MS + retentionDays * DAY_MS - HOUR_MS);
  expect(await tree()).toEqual([root, child]);
  await broker.advance(2 * HOUR_MS);
  expect(await tree()).toBe(404);
});
