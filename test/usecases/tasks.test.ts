/** Tasks through their life: opened, suspended, resumed, completed; what each does to what hangs on them. */
import { describe, expect, it } from '@jest/globals';
import { completeTask } from '../../src/revoker/complete-task.js';
import { resumeTask, suspendTask } from '../../src/revoker/suspend-task.js';
import { heartbeat } from '../../src/broker/heartbeat.js';
import { readTask } from '../../src/ledger/tasks.js';
import { lookAtTask } from '../../src/ledger/vitals.js';
import { revokeBySelector } from '../../src/revoker/revocations.js';
import { refusal, withPersons } from '../support/refusal.js';
import { AGENT, TARGET, wholeBroker, type WholeBroker } from '../support/whole-broker.js';

const request = (taskId: string) => ({ taskId, requestId: 'r' });
const complete = ({ deps, operator }: WholeBroker, taskId: string, outcome: 'completed' | 'failed' = 'completed') =>
  completeTask(deps, operator, { ...request(taskId), outcome });
const suspend = ({ deps, operator }: WholeBroker, taskId: string) => suspendTask(deps, operator, request(taskId));
const resume = ({ deps, operator }: WholeBroker, taskId: string) => resumeTask(deps, operator, request(taskId));
const stateOf = async ({ deps }: WholeBroker, taskId: string) =>
  lookAtTask(deps.ledger, (await readTask(deps.ledger, taskId))!.value);

describe('completion', () => {
  it('G2: completion ends every credential of the task and of every task below it, whoever holds them', async () => {
    const broker = await wholeBroker();
    const root = await broker.open();
    const child = await broker.open({ parent: root.task.id });
    const grandchild = await broker.open({ parent: child.task.id });
    const other = await broker.open();
    const doomed = await Promise.all([root, child, grandchild].map(({ task }) => broker.under(task.id)));
    const spared = await broker.under(other.task.id);
    await complete(broker, root.task.id);
    expect(await Promise.all(doomed.map(broker.isActive))).toEqual([false, false, false]);
    expect(await broker.isActive(spared)).toBe(true);
    expect(await refusal(broker.under(grandchild.task.id))).toBe('invalid_grant');
    expect(await stateOf(broker, grandchild.task.id)).toBe('cancelled');
  });

  it('the first outcome stands, and is published once', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const [one, two] = await Promise.all([complete(broker, task.id), complete(broker, task.id, 'failed')]);
    expect(one.task.ended?.as ?? one.state).toBe(two.task.ended?.as ?? two.state);
    const again = await complete(broker, task.id, 'failed');
    expect([again.state, again.entry]).toEqual([await stateOf(broker, task.id), undefined]);
    expect(await broker.store.log.entries(0, 10)).toHaveLength(1);
  });

  it('a child cannot be opened under a parent that is over, or held', async () => {
    const broker = await wholeBroker();
    const [over, asleep] = [await broker.open(), await broker.open()];
    await complete(broker, over.task.id);
    await suspend(broker, asleep.task.id);
    expect(await refusal(broker.open({ parent: over.task.id }))).toBe('conflict');
    expect(await refusal(broker.open({ parent: asleep.task.id }))).toBe('conflict');
  });
});

describe('suspension', () => {
  it('kills what was minted before it for good, lets nothing be born, and resuming allows new ones', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const before = await broker.under(task.id);
    await suspend(broker, task.id);
    expect(await broker.isActive(before)).toBe(false);
    expect(await refusal(broker.under(task.id))).toBe('access_denied');
    await resume(broker, task.id);
    expect(await broker.isActive(before)).toBe(false);
    expect(await broker.isActive(await broker.under(task.id))).toBe(true);
  });

  it('holds children too', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const child = await broker.open({ parent: task.id });
    const issued = await broker.under(child.task.id);
    await suspend(broker, task.id);
    expect(await broker.isActive(issued)).toBe(false);
    expect(await refusal(broker.under(child.task.id))).toBe('access_denied');
    await resume(broker, child.task.id);
    expect(await refusal(broker.under(child.task.id))).toBe('access_denied');
  });

  it('resuming lifts its own hold and no other', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const what = { kind: 'task', value: task.id } as const;
    await revokeBySelector(broker.deps, broker.operator, { what, effect: 'hold', reason: 'soc', requestId: 'r' });
    await suspend(broker, task.id);
    expect((await resume(broker, task.id)).state).toBe('suspended');
    expect(await refusal(broker.under(task.id))).toBe('access_denied');
  });

  it('twice is one hold, again after resuming is another', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    for (let round = 0; round < 2; round += 1) {
      await Promise.all([suspend(broker, task.id), suspend(broker, task.id)]);
      await suspend(broker, task.id);
      await Promise.all([resume(broker, task.id), resume(broker, task.id)]);
      await resume(broker, task.id);
    }
    const effects = (await broker.store.log.entries(0, 10)).map(({ effect }) => effect);
    expect(effects).toEqual(['hold', 'lift', 'hold', 'lift']);
    expect(await stateOf(broker, task.id)).toBe('open');
  });

  it('what is over is neither suspended, resumed nor kept alive', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open({ heartbeat: { intervalSeconds: 10, missesAllowed: 3 } });
    await complete(broker, task.id);
    expect(await refusal(suspend(broker, task.id))).toBe('conflict');
    expect(await refusal(resume(broker, task.id))).toBe('conflict');
    expect((await heartbeat(broker.deps, broker.operator, request(task.id))).state).toBe('completed');
  });
});

describe('a child', () => {
  it('is never wider than its parent', async () => {
    const broker = await wholeBroker();
    const access = [{ target: TARGET, path: 'incident/*', actions: ['read'] }];
    const { task } = await broker.open({ access });
    const wider = [
      [{ target: TARGET, path: 'incident/**', actions: ['read'] }],
      [{ target: TARGET, path: '**', actions: ['read'] }],
      [{ target: TARGET, path: 'incident/1', actions: ['read', 'write'] }],
      [{ target: 'https://wiki.example', path: 'incident/1', actions: ['read'] }],
      [...access, { target: TARGET, path: 'customer/1', actions: ['read'] }],
    ];
    for (const wish of wider)
      expect(await refusal(broker.open({ parent: task.id, access: wish }))).toBe('invalid_scope');
    const child = await broker.open({ parent: task.id });
    expect(child.task.ceiling).toEqual(access);
    const beyond = { under: { taskId: child.task.id }, access: [{ path: 'incident/**', actions: ['read'] }] };
    expect(await refusal(broker.exchange(beyond))).toBe('invalid_scope');
  });

  it('nests at most eight deep', async () => {
    const broker = await wholeBroker();
    let parent = (await broker.open()).task.id;
    for (let depth = 1; depth <= 8; depth += 1) parent = (await broker.open({ parent })).task.id;
    expect(await refusal(broker.open({ parent }))).toBe('invalid_request');
  });

  it('serves whom its parent serves unless it is told otherwise', async () => {
    const { settings } = (await wholeBroker()).deps;
    const broker = await wholeBroker({ settings: withPersons(settings) });
    const { task } = await broker.open({ principal: 'staff:ada' });
    expect((await broker.open({ parent: task.id })).task.principal?.id).toBe('staff:ada');
    expect(await refusal(broker.open({ principal: 'nobody:ada' }))).toBe('invalid_request');
    expect(await refusal(broker.open({ principal: AGENT }))).toBe('invalid_request');
  });
});
