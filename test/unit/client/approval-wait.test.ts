/** A broker that cannot hold a request that waits for people says at once that they have not answered: it is not asked again at once. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { ApprovalNeeded, mayfly } from '../../../src/client/index.js';

const TURNS = 500;

it('pauses where the broker answers at once that nobody has, until it is told to stop', async () => {
  let asked = 0;
  const fetch = () => {
    asked += 1;
    return Promise.resolve(Response.json({ state: 'pending' }));
  };
  const broker = mayfly({ url: 'http://127.0.0.1:1', identity: () => 'a.b.c', fetch });
  const task = 'tsk_aaaaaaaaaaaaaaaa';
  const answer = {
    ...{ status: 400, code: 'access_denied', retry: 'after-approval' as const },
    ...{ task, approvalId: 'apr_aaaaaaaaaaaaaaaa' },
    ...{ retryAfterSeconds: undefined, decisionId: undefined, requestId: undefined },
  };
  const stop = new AbortController();
  const waits = broker.under(task).untilApproved(new ApprovalNeeded('x', answer), stop);
  for (let turns = 0; turns < TURNS; turns += 1) await turn();
  stop.abort(new Error('enough'));
  await expect(waits).rejects.toThrow('enough');
  // As many as there were turns, without a pause.
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(TURNS / 10);
});
