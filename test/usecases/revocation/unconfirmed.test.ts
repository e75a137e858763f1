/** What was written and answered with 503, because too few replicas had it, is not answered with success before they have it. */
import { expect, it } from '@jest/globals';
import { acceptSignal } from '../../../src/signals/accept.js';
import { StoreUnavailable, type Store } from '../../../src/store/store.js';
import { wholeBroker } from '../../support/brokers/use-cases.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { completeTask, resumeTask, suspendTask } from '../../support/verbs.js';

/** A broker on a store that writes everything, and can be made to miss its replicas. */
async function withReplicas() {
  const clock = handClock();
  const store = modelStore(clock);
  let away = false;
  const confirmed = async <T>(written: Promise<T>): Promise<T> => {
    const answer = await written;
    if (away) throw new StoreUnavailable('written, but too few replicas have it');
    return answer;
  };
  const records: Store['records'] = {
    ...store.records,
    commit: (change) => (change.durable ? confirmed(store.records.commit(change)) : store.records.commit(change)),
  };
  const log: Store['log'] = { ...store.log, publish: (publication) => confirmed(store.log.publish(publication)) };
  const broker = await wholeBroker({ store: { ...store, records, log }, clock });
  return { broker, store, lose: (are: boolean) => void (away = are) };
}

it('a completion, however often it is repeated, and whatever recorded or caused the end', async () => {
  const { broker, store, lose } = await withReplicas();
  const { task } = await broker.open();
  const child = await broker.open({ parent: task.id });
  const complete = (taskId: string) =>
    completeTask(broker.deps, broker.operator, { taskId, requestId: 'r', outcome: 'completed' });
  lose(true);
  for (let attempt = 0; attempt < 3; attempt += 1) await expect(complete(task.id)).rejects.toThrow('too few replicas');
  await expect(complete(child.task.id)).rejects.toThrow('too few replicas');
  lose(false);
  expect(await complete(task.id)).toMatchObject({ state: 'completed' });
  expect(await complete(child.task.id)).toMatchObject({ state: 'cancelled' });
  const ends = (await store.log.entries(0, 10)).map(({ id, outcome }) => [id, outcome]);
  expect(ends).toEqual([
    [`end:${task.id}`, 'completed'],
    [`end:${child.task.id}`, 'cancelled'],
  ]);
});

it('a signal that its source sends again', async () => {
  const { broker, lose } = await withReplicas();
  const queued: string[] = [];
  const deps = { ...broker.deps, issuer: 'https://broker.example', onSignal: (id: string) => void queued.push(id) };
  const report = {
    source: 'edr',
    about: [],
    itsId: '1',
    digest: 'd',
    event: 'session-revoked',
    level: 'HIGH',
  } as const;
  const send = () => acceptSignal(deps, { ...report, subject: { format: 'opaque', id: 'x' }, at: 0 });
  lose(true);
  for (let attempt = 0; attempt < 3; attempt += 1) await expect(send()).rejects.toThrow('too few replicas');
  lose(false);
  expect(await send()).toMatchObject({ put: 'again' });
});

it('a suspension, which stays one hold that resuming lifts', async () => {
  const { broker, store, lose } = await withReplicas();
  const { task } = await broker.open();
  const request = { taskId: task.id, requestId: 'r' };
  const suspend = () => suspendTask(broker.deps, broker.operator, request);
  const resume = () => resumeTask(broker.deps, broker.operator, request);
  lose(true);
  for (let attempt = 0; attempt < 3; attempt += 1) await expect(suspend()).rejects.toThrow('too few replicas');
  lose(false);
  expect(await suspend()).toMatchObject({ state: 'suspended', entry: { id: `suspend:${task.id}:1` } });
  lose(true);
  for (let attempt = 0; attempt < 3; attempt += 1) await expect(resume()).rejects.toThrow('too few replicas');
  lose(false);
  expect(await resume()).toMatchObject({ state: 'open' });
  expect((await store.log.entries(0, 10)).map(({ effect }) => effect)).toEqual(['hold', 'lift']);
});
