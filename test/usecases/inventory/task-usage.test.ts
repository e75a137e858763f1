/** What the answer about the use of a task costs: a bounded part of the audit log, for which whoever asks pays by its rate. */
import { expect, it } from '@jest/globals';
import { permitOnTask } from '../../../src/authorization/permit.js';
import { readTaskUsage } from '../../../src/inventory/task-usage.js';
import { wholeBroker } from '../../support/brokers/use-cases.js';

it('reads no further than twenty pages, each after the first a request of the caller, and says that it is not complete', async () => {
  const broker = await wholeBroker();
  const { deps, operator } = broker;
  const permitted = await permitOnTask(deps, operator, 'readTask', (await broker.open()).task.id);
  const paid: string[] = [];
  const assertWithinRate = ({ id }: { id: string }) => Promise.resolve(void paid.push(id));
  // A log that goes on for ever, with nothing of this task in it.
  const endless = { page: ({ after = 0 }) => Promise.resolve({ lines: [], next: after + 5_000 }) };
  expect(await readTaskUsage({ audit: endless, assertWithinRate }, permitted)).toEqual({
    credentials: [],
    complete: false,
  });
  expect(paid).toEqual(Array.from({ length: 19 }, () => operator.party.id));
  const whole = await readTaskUsage({ audit: deps.audit, assertWithinRate }, permitted);
  expect(whole).toEqual({ credentials: [], complete: true });
  expect(paid).toHaveLength(19);
});
