/**
 * G5 in every order of admission, suspension, resumption, holds and lifts.
 * Each run checks every guarantee of support/search/witness.ts.
 */
import { describe, expect, it } from '@jest/globals';
import type { Selector } from '../../../src/domain/selector.js';
import { AGENT } from '../../support/brokers/stubbed.js';
import { orders } from '../../support/search/orders.js';

const workload: Selector = { kind: 'workload', value: AGENT };
const owner: Selector = { kind: 'owner', value: 'sre' };

describe('in every order of holds and lifts', () => {
  it('suspension kills what was minted before it', async () => {
    await orders(({ exchange, suspend, ask, task }) => ({
      agent: exchange({ taskId: task }),
      orchestrator: suspend(task),
      server: ask(),
    }));
  });

  it('resuming revives nothing', async () => {
    await orders(({ exchange, suspendAndResume, task }) => ({
      agent: exchange({ taskId: task }),
      orchestrator: suspendAndResume(task),
    }));
  });

  it('a task suspended twice at once is suspended once', async () => {
    await orders(({ suspend, task }) => ({ one: suspend(task), other: suspend(task) }), {
      also: async ({ store }) => expect((await store.log.entries(0, 10)).map(({ effect }) => effect)).toEqual(['hold']),
    });
  });

  it('two holds need two lifts', async () => {
    await orders(({ exchange, holdAndLift, revoke }) => ({
      agent: exchange({ purpose: 'x' }),
      one: holdAndLift(workload),
      other: revoke(workload, 'hold'),
    }));
  });

  it('lifting one hold leaves another cause held', async () => {
    await orders(({ exchange, holdAndLift, revoke }) => ({
      agent: exchange({ purpose: 'x' }),
      one: holdAndLift(workload),
      other: revoke(owner, 'hold'),
    }));
  });

  it('a cutoff takes nothing from a hold', async () => {
    await orders(({ exchange, revoke }) => ({
      agent: exchange({ purpose: 'x' }),
      one: revoke(workload, 'hold'),
      other: revoke(workload, 'cutoff'),
    }));
  });

  it('resuming lifts only its own hold', async () => {
    await orders(
      ({ suspendAndResume, revoke, task }) => ({
        orchestrator: suspendAndResume(task),
        soc: revoke({ kind: 'task', value: task }, 'hold'),
      }),
      { also: async ({ taskState }) => expect(await taskState()).toBe('suspended') },
    );
  });
});
