/** What the answer about the use of a task costs: a bounded part of the audit log, for which whoever asks pays by its rate. */
import { expect, it } from '@jest/globals';
import { permitOnTask } from '../../../src/authorization/permit-on-task.js';
import { readTaskUsage } from '../../../src/inventory/task-usage.js';
import { wholeBroker } from '../../support/brokers/use-cases.js';

it('reads no further than twenty pages, each of which costs the caller ten requests, and says that it is not complete', async () => {
  const broker = await wholeBroker();
  const { deps, operator } = broker;
  const permitted = await permitOnTask(deps, operator, 'readTask', (await broker.open()).task.id);
  const paid: [string, number][] = [];
  const assertWithinRate = ({ id }: { id: string }, requests: number) =>
    Promise.resolve(void paid.push([id, requests]));
  // A log that goes on for ever, with nothing of this task in it.
  const endless = { page: ({ after = 0 }) => Promise.resolve({ lines: [], next: after + 5_000 }) };
  expect(await readTaskUsage({ audit: endless, assertWithinRate }, permitted)).toEqual({
    credentials: [],
    complete: false,
  });
  const { id } = operator.party;
  // The request itself was counted before.
  expect(paid).toEqual([[id, 9], ...Array.from({ length: 19 }, () => [id, 10])]);
  const whole = await readTaskUsage({ audit: deps.audit, assertWithinRate }, permitted);
  expect(whole).toEqual({ credentials: [], complete: true });
  expect(paid.slice(20)).toEqual([[id, 9]]);
});
