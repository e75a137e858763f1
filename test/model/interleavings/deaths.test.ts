/** G1, G2 and G5 where one broker dies at any of its steps. Each run checks every guarantee of support/search/witness.ts. */
import { describe, expect, it } from '@jest/globals';
import type { Selector } from '../../../src/domain/selector.js';
import { AGENT, bareBroker, OPERATOR, proven } from '../../support/brokers/stubbed.js';
import { orders } from '../../support/search/orders.js';
import { completeTask, resumeTask, suspendTask } from '../../support/verbs.js';

const workload: Selector = { kind: 'workload', value: AGENT };

describe('in every order, with the death of a broker at any step', () => {
  it('a broker that dies while minting leaves nothing alive that the ledger does not know', async () => {
    await orders(
      ({ exchange, revoke, ask }) => ({
        agent: exchange({ purpose: 'x' }),
        soc: revoke(workload, 'hold'),
        server: ask(),
      }),
      { mortal: ['agent'] },
    );
  });

  it('a completion that dies half-way is finished by repeating it', async () => {
    await orders(
      ({ exchange, complete, task }) => ({ agent: exchange({ taskId: task }), orchestrator: complete(task) }),
      {
        mortal: ['orchestrator'],
        async also({ store, clock, task, taskState, living }) {
          const broker = bareBroker(store, clock);
          await completeTask(broker, proven(OPERATOR, clock), {
            taskId: task,
            outcome: 'completed',
            requestId: 'again',
          });
          expect(await taskState()).toBe('completed');
          expect(await living()).toEqual([]);
        },
      },
    );
  });

  it('a suspension that dies half-way can be repeated, and resumed', async () => {
    await orders(
      ({ exchange, suspend, task }) => ({ agent: exchange({ taskId: task }), orchestrator: suspend(task) }),
      {
        mortal: ['orchestrator'],
        async also({ store, clock, task, taskState, living }) {
          const broker = bareBroker(store, clock);
          const request = { taskId: task, requestId: 'again' };
          await suspendTask(broker, proven(OPERATOR, clock), request);
          expect(await taskState()).toBe('suspended');
          await resumeTask(broker, proven(OPERATOR, clock), request);
          expect(await taskState()).toBe('open');
          expect(await living()).toEqual([]);
        },
      },
    );
  });
});
