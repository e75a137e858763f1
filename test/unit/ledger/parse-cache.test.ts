/** The parse cache: equal texts are parsed once, and what cannot be read is named. */
import { expect, it } from '@jest/globals';
import { credentialCauses, taskCauses } from '../../../src/domain/hangs-on.js';
import { newId } from '../../../src/domain/id.js';
import { recordKey } from '../../../src/ledger/keys.js';
import { readCached } from '../../../src/ledger/parse-cache.js';
import { updateTask } from '../../../src/ledger/tasks.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { wholeBroker } from '../../support/brokers/use-cases.js';

async function setting() {
  const clock = handClock();
  const store = modelStore(clock);
  const broker = await wholeBroker({ store, clock, keyEncryptionKey: new Uint8Array(32) });
  const { task } = await broker.open();
  const [one, two] = [await broker.under(task.id), await broker.under(task.id)];
  const other = await broker.exchange();
  const ids = [one, two, other].map(({ credential }) => credential.id);
  return { ledger: broker.deps.ledger, store, task, ids };
}

it('records that read as before are the same values, with the causes of each', async () => {
  const { ledger, ids } = await setting();
  const [first, second] = [await readCached(ledger, ids), await readCached(ledger, ids)];
  expect(first.found.map(({ credential }) => credential.id)).toEqual(ids);
  for (const [place, found] of second.found.entries()) {
    expect(found).toBe(first.found[place]);
    expect(found.own).toEqual(credentialCauses(found.credential, found.task));
    expect(found.ofTask).toEqual(taskCauses(found.task));
  }
});

it('a record that was written since is read anew, and the others are not', async () => {
  const { ledger, task, ids } = await setting();
  const before = await readCached(ledger, ids);
  await updateTask(ledger, task.id, (current) => ({ ...current, suspensions: 7 }));
  const { found } = await readCached(ledger, ids);
  expect(found.map((one) => one.task.suspensions)).toEqual([7, 7, 0]);
  expect(found.map((one, place) => one.credential === before.found[place]?.credential)).toEqual([true, true, true]);
  expect(found[2]).toBe(before.found[2]);
});

it('what is gone or cannot be read is named with its reason, and hides no other', async () => {
  const { ledger, store, task, ids } = await setting();
  const unknown = newId('crd');
  await store.records.commit({ put: [[recordKey(task.id), '{"id":"damaged"}']] });
  const { found, unreadable } = await readCached(ledger, [unknown, ...ids]);
  expect(found.map(({ credential }) => credential.id)).toEqual(ids.slice(2));
  expect(unreadable.map(([id]) => id)).toEqual([unknown, ...ids.slice(0, 2)]);
  for (const [, error] of unreadable) expect(error).toBeInstanceOf(Error);
});
