/** Waiting for people: what wakes those who wait, and what many of them cost the store together. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { createAnswerWaiting, type AnswerWaiting } from '../../../src/approvals/wait.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { answered, approvalOf, askingBroker, waitingFor } from '../../support/approvals/asking.js';

const LONG_MS = 3_600_000;

let waiting: AnswerWaiting | undefined;
afterEach(() => waiting?.close());

async function asking() {
  const broker = await askingBroker();
  const { deps } = broker;
  const { id, task } = await waitingFor(broker.exchange({ access: [{ path: 'incident/4711', actions: ['write'] }] }));
  return { deps, id, task, approval: await approvalOf(deps, id) };
}

it('ends with the answer', async () => {
  const { deps, id, approval } = await asking();
  waiting = createAnswerWaiting(deps.ledger);
  const waits = waiting.wait('lab:agent', approval, LONG_MS);
  await answered(deps, id);
  await waits;
});

it('ends at once where the answer came before the waiting', async () => {
  const { deps, id, approval } = await asking();
  await answered(deps, id, { says: 'deny' });
  waiting = createAnswerWaiting(deps.ledger);
  await waiting.wait('lab:agent', approval, LONG_MS);
});

it('ends with the task', async () => {
  const { deps, task, approval } = await asking();
  waiting = createAnswerWaiting(deps.ledger);
  const waits = waiting.wait('lab:agent', approval, LONG_MS);
  const selector = { kind: 'task', value: task } as const;
  await revoke(deps.ledger, { id: 'x', selector, effect: 'end', reason: 'over', actor: 'test' });
  await waits;
});

it('ends when the time is up, when the question lapses, and with the broker', async () => {
  const { deps, approval } = await asking();
  waiting = createAnswerWaiting(deps.ledger);
  await waiting.wait('lab:agent', approval, 1);
  await waiting.wait('lab:agent', { ...approval, lapsesAt: deps.ledger.clock.now() + 1 }, LONG_MS);
  const waits = waiting.wait('lab:agent', approval, LONG_MS);
  waiting.close();
  await waits;
  await waiting.wait('lab:agent', approval, LONG_MS);
});

it('goes on while the store does not answer, and reads once for all who wait', async () => {
  const { deps, id, approval } = await asking();
  let reads = 0;
  const { records } = deps.ledger;
  const ledger: Ledger = {
    ...deps.ledger,
    records: {
      ...records,
      read(keys) {
        reads += 1;
        return reads <= 2 ? Promise.reject(new Error('away')) : records.read(keys);
      },
    },
  };
  waiting = createAnswerWaiting(ledger);
  const { wait } = waiting;
  const all = Promise.all(Array.from({ length: 150 }, () => wait('lab:agent', approval, LONG_MS)));
  await answered(deps, id);
  await all;
  expect(reads).toBeLessThan(12);
});

it('is for some of one party: the others get their answer at once', async () => {
  const { deps, approval } = await asking();
  waiting = createAnswerWaiting(deps.ledger);
  const { wait, close } = waiting;
  const some = Promise.all(Array.from({ length: 200 }, () => wait('lab:agent', approval, LONG_MS)));
  await wait('lab:agent', approval, LONG_MS);
  close();
  await some;
});

it('leaves places to others where so many parties wait as would take all', async () => {
  const { deps, approval } = await asking();
  waiting = createAnswerWaiting(deps.ledger);
  const { wait, close } = waiting;
  const many = Array.from({ length: 5_000 }, (_, place) => wait(`lab:agent-${place % 25}`, approval, LONG_MS));
  let isOver = false;
  const other = wait('lab:other', approval, LONG_MS).then(() => (isOver = true));
  await turn();
  expect(isOver).toBe(false);
  close();
  await Promise.all([...many, other]);
});

it('leaves no timer when the last has gone, which would keep the process', async () => {
  const { deps, approval } = await asking();
  waiting = createAnswerWaiting(deps.ledger);
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const waits = waiting.wait('lab:agent', approval, LONG_MS);
  await waiting.wait('lab:other', approval, 1);
  waiting.close();
  await waits;
  // Those of the store come and go.
  expect(timers()).toBeLessThanOrEqual(before);
});
