/** Every full look reads all live sessions of a role, so their number is limited. */
import { expect, it } from '@jest/globals';
import { changeEnforcement, readEnforcement } from '../../../src/ledger/enforcement.js';
import { handClock } from '../../support/clock.js';
import { memoryAws, OTHER_ROLE, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker } from '../../support/brokers/sessions.js';

async function begin() {
  const clock = handClock();
  const broker = sessionBroker({ store: modelStore(clock), clock, aws: memoryAws(clock) });
  const { ledger } = broker.deps;
  await pass(clock, FENCED_SECONDS, broker);
  return {
    ...broker,
    pass: (seconds: number) => pass(clock, seconds, broker),
    counted: async () => (await readEnforcement(ledger, ROLE))?.value.liveCount,
    count: (liveCount: number) => changeEnforcement(ledger, ROLE, () => ({ liveCount })),
  };
}

it('with ten thousand sessions a role gives no more of them, and others do', async () => {
  const { mint, count } = await begin();
  await count(10_000);
  const refusal = { code: 'slow_down', details: { retry: 'later', retryAfterSeconds: 60 } };
  await expect(mint('lab:red-1')).rejects.toMatchObject(refusal);
  await expect(mint('lab:red-1', { role: OTHER_ROLE })).resolves.toBeDefined();
});

it('with one less it does', async () => {
  const { mint, count } = await begin();
  await count(9_999);
  await expect(mint('lab:red-1')).resolves.toBeDefined();
});

it('they are counted though nothing dies, while AWS may know them and no longer', async () => {
  const { mint, counted, pass: wait } = await begin();
  for (let session = 0; session < 3; session += 1) await mint('lab:red-1', { lifetimeSeconds: 900 });
  await wait(11);
  expect(await counted()).toBe(3);
  await wait(960);
  expect(await counted()).toBe(0);
});

it('a role that was full gives sessions again once its own have expired', async () => {
  const { mint, count, pass: wait } = await begin();
  await count(10_000);
  await wait(11);
  await expect(mint('lab:red-1')).resolves.toBeDefined();
});
