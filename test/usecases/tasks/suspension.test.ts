/** A suspension that is acknowledged is in force: neither a lift that stopped half way nor a full store changes that. */
import { expect, it } from '@jest/globals';
import { cause } from '../../../src/domain/selector.js';
import { readTask } from '../../../src/ledger/tasks.js';
import { StoreUnavailable, type Store } from '../../../src/store/store.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { refusal } from '../../support/refusal-code.js';
import { wholeBroker } from '../../support/brokers/use-cases.js';
import { resumeTask, suspendTask } from '../../support/verbs.js';

/** A broker whose store can be made to refuse records. The log still takes revocations: room is kept for them. */
async function onAStoreThatFills() {
  const clock = handClock();
  const store = modelStore(clock);
  let full = false;
  const records: Store['records'] = {
    ...store.records,
    commit: (change) => (full ? Promise.reject(new StoreUnavailable('full')) : store.records.commit(change)),
  };
  const broker = await wholeBroker({ store: { ...store, records }, clock });
  const { task } = await broker.open();
  const request = { taskId: task.id, requestId: 'r' };
  return {
    broker,
    task,
    fill: (is: boolean) => void (full = is),
    suspend: () => suspendTask(broker.deps, broker.operator, request),
    resume: () => resumeTask(broker.deps, broker.operator, request),
    holds: async () => {
      const own = cause('task', task.id);
      return (await broker.deps.ledger.log.look([own])).on([own])[0]?.holds ?? [];
    },
  };
}

it('a resumption that published its lift and then failed does not undo the next suspension', async () => {
  const { broker, task, fill, suspend, resume, holds } = await onAStoreThatFills();
  const first = await suspend();
  fill(true);
  await expect(resume()).rejects.toThrow(StoreUnavailable);
  fill(false);
  expect(await holds()).toEqual([]);

  const again = await suspend();
  expect(again.entry?.seq).toBeGreaterThan(first.entry?.seq ?? Infinity);
  expect(await holds()).toEqual([again.entry?.seq]);
  expect(await refusal(broker.under(task.id))).toBe('access_denied');

  await resume();
  expect(await holds()).toEqual([]);
  expect(await refusal(broker.under(task.id))).toBe('granted');
});

it('on a store that takes no records a task is suspended all the same, by a hold that is lifted like any other', async () => {
  const { broker, task, fill, suspend, holds } = await onAStoreThatFills();
  const issued = await broker.under(task.id);
  fill(true);
  const { state, entry } = await suspend();
  expect({ state, id: entry?.id }).toEqual({ state: 'suspended', id: expect.stringMatching(/^rev_/) });
  fill(false);
  expect(await holds()).toEqual([entry?.seq]);
  expect(await broker.isActive(issued)).toBe(false);
  expect(await refusal(broker.under(task.id))).toBe('access_denied');
  expect((await readTask(broker.deps.ledger, task.id))?.value.suspended).toBe(false);
});
