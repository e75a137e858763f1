/** The sweep: deadlines and heartbeats, safe to run twice and everywhere. */
import { expect, it } from '@jest/globals';
import { recordKey } from '../../../src/ledger/keys.js';
import { readTask } from '../../../src/ledger/tasks.js';
import { readTaskState } from '../../../src/ledger/task-state.js';
import { sweep } from '../../../src/tasks/sweep.js';
import { AGENT, wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { heartbeat, completeTask, liftHold, revokeBySelector, resumeTask, suspendTask } from '../../support/verbs.js';

const BEATS = { intervalSeconds: 10, missesAllowed: 3 };

async function after(broker: WholeBroker, seconds: number) {
  for (let second = 0; second < seconds; second += 5) {
    broker.clock.advance(5_000);
    await sweep(broker.deps.ledger);
  }
}
const taskState = async ({ deps }: WholeBroker, id: string) =>
  readTaskState(deps.ledger, (await readTask(deps.ledger, id))!.value);

it('a deadline ends a task as expired, and its credentials are dead even before the sweep', async () => {
  const broker = await wholeBroker();
  const { task } = await broker.open({ deadlineSeconds: 60 });
  const issued = await broker.under(task.id);
  broker.clock.set(task.deadline);
  expect(await broker.isActive(issued)).toBe(false);
  expect(await sweep(broker.deps.ledger)).toEqual({ ended: 1, lagMs: 0, unreadable: [] });
  expect((await readTask(broker.deps.ledger, task.id))?.value).toMatchObject({
    ended: { as: 'expired' },
    credentials: [],
  });
});

it('G3: two sweeps at once end a task once', async () => {
  const broker = await wholeBroker();
  await Promise.all(Array.from({ length: 20 }, () => broker.open({ deadlineSeconds: 60 })));
  broker.clock.advance(61_000);
  await Promise.all([sweep(broker.deps.ledger), sweep(broker.deps.ledger), sweep(broker.deps.ledger)]);
  await sweep(broker.deps.ledger);
  expect(await broker.store.log.entries(0, 100)).toHaveLength(20);
  expect((await broker.audited()).filter(({ outcome }) => outcome === 'expired')).toHaveLength(20);
});

it('heartbeats keep a task alive, and missing them ends it with everything below', async () => {
  const broker = await wholeBroker();
  const { task } = await broker.open({ heartbeat: BEATS });
  const child = await broker.open({ parent: task.id });
  const issued = await broker.under(child.task.id);
  for (let beat = 0; beat < 5; beat += 1) {
    await after(broker, 25);
    await heartbeat(broker.deps, broker.operator, { taskId: task.id, requestId: 'r' });
  }
  expect(await broker.isActive(issued)).toBe(true);
  await after(broker, 30);
  expect(await taskState(broker, task.id)).toBe('expired');
  expect(await broker.isActive(issued)).toBe(false);
});

it('heartbeats are not missed while the task is suspended', async () => {
  const broker = await wholeBroker();
  const { task } = await broker.open({ heartbeat: BEATS });
  await suspendTask(broker.deps, broker.operator, { taskId: task.id, requestId: 'r' });
  await after(broker, 120);
  expect(await taskState(broker, task.id)).toBe('suspended');
  await resumeTask(broker.deps, broker.operator, { taskId: task.id, requestId: 'r' });
  await after(broker, 25);
  expect(await taskState(broker, task.id)).toBe('open');
  await after(broker, 5);
  expect(await taskState(broker, task.id)).toBe('expired');
});

it('nor while its workload is held, which then cannot send any: tasks survive a hold', async () => {
  const broker = await wholeBroker();
  const { task } = await broker.open({ heartbeat: BEATS });
  const what = { kind: 'workload', value: AGENT } as const;
  const { seq } = await revokeBySelector(broker.deps, broker.operator, { what, reason: 'soc', requestId: 'r' });
  await after(broker, 120);
  await liftHold(broker.deps, broker.operator, { seq, requestId: 'r' });
  await after(broker, 10);
  expect(await taskState(broker, task.id)).toBe('open');
  await after(broker, 30);
  expect(await taskState(broker, task.id)).toBe('expired');
});

it('a suspended task ends at its deadline all the same', async () => {
  const broker = await wholeBroker();
  const { task } = await broker.open({ deadlineSeconds: 60, heartbeat: BEATS });
  await suspendTask(broker.deps, broker.operator, { taskId: task.id, requestId: 'r' });
  await after(broker, 60);
  expect((await readTask(broker.deps.ledger, task.id))?.value.ended?.as).toBe('expired');
});

it('remembers how a child ended that fell with its parent, when its own time comes', async () => {
  const broker = await wholeBroker();
  const { task } = await broker.open();
  const child = await broker.open({ parent: task.id, deadlineSeconds: 60 });
  await completeTask(broker.deps, broker.operator, { taskId: task.id, outcome: 'completed', requestId: 'r' });
  await after(broker, 60);
  expect((await readTask(broker.deps.ledger, child.task.id))?.value.ended?.as).toBe('cancelled');
  expect(await broker.store.log.entries(0, 10)).toHaveLength(1);
});

it('a task record that cannot be read stops no other of its shard, is reported, and is looked at again later', async () => {
  const broker = await wholeBroker();
  const { task } = await broker.open({ deadlineSeconds: 60 });
  const child = await broker.open({ parent: task.id, deadlineSeconds: 60 });
  await broker.store.records.commit({ put: [[recordKey(task.id), '{"id":"damaged"}']] });
  broker.clock.advance(61_000);
  expect(await sweep(broker.deps.ledger)).toMatchObject({ ended: 1, unreadable: [expect.any(Error)] });
  expect((await readTask(broker.deps.ledger, child.task.id))?.value.ended?.as).toBe('expired');
  expect(await sweep(broker.deps.ledger)).toEqual({ ended: 0, lagMs: 0, unreadable: [] });
  broker.clock.advance(60_000);
  expect((await sweep(broker.deps.ledger)).unreadable).toHaveLength(1);
});

it('reports how far behind it is', async () => {
  const broker = await wholeBroker();
  const { task } = await broker.open({ deadlineSeconds: 60 });
  broker.clock.set(task.deadline + 7_000);
  expect((await sweep(broker.deps.ledger)).lagMs).toBe(7_000);
});
