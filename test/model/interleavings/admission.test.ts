/**
 * G2 and G5 in every order of admission, publication, completion and introspection.
 * Each run checks every guarantee of support/search/witness.ts.
 */
import { describe, expect, it } from '@jest/globals';
import { cause, type Effect, type Selector } from '../../../src/domain/selector.js';
import { readTask } from '../../../src/ledger/tasks.js';
import { AGENT, PLANNER, TARGET } from '../../support/brokers/stubbed.js';
import { orders } from '../../support/search/orders.js';

const workload: Selector = { kind: 'workload', value: AGENT };

describe('in every order of admission, publication and introspection', () => {
  it.each<[Selector['kind'], string, Effect]>([
    ['workload', AGENT, 'hold'],
    ['workload', AGENT, 'cutoff'],
    ['issuer', 'lab', 'hold'],
    ['owner', 'sre', 'cutoff'],
    ['principal', AGENT, 'hold'],
    ['target', TARGET, 'cutoff'],
    ['target', TARGET, 'hold'],
    ['all', '', 'hold'],
  ])('nothing survives a revocation by %s "%s" with %s', async (kind, value, effect) => {
    const runs = await orders(({ exchange, revoke, ask, task }) => ({
      agent: exchange({ taskId: task }),
      soc: revoke({ kind, value }, effect),
      server: ask(),
    }));
    expect(runs).toBeGreaterThan(40);
  });

  it('a task that is born with its credential is no way around a hold', async () => {
    await orders(({ exchange, revoke, ask }) => ({
      agent: exchange({ purpose: 'triage' }),
      soc: revoke(workload, 'hold'),
      server: ask(),
    }));
  });

  it('a task that is born after a cutoff is not cut off', async () => {
    await orders(({ exchange, revoke }) => ({
      agent: exchange({ purpose: 'triage' }),
      soc: revoke(workload, 'cutoff'),
    }));
  });

  it('nothing survives the completion of its task', async () => {
    await orders(({ exchange, complete, ask, task }) => ({
      agent: exchange({ taskId: task }),
      orchestrator: complete(task),
      server: ask(),
    }));
  });

  it('nothing survives the completion of its run, whether that comes before the request, while it is in flight, or after', async () => {
    await orders(
      ({ exchange, completeRun, ask }) => ({
        agent: exchange({ purpose: 'triage' }, 'run-1'),
        platform: completeRun('run-1'),
        server: ask(),
      }),
      { also: async ({ living }) => expect(await living()).toEqual([]) },
    );
  });

  it('nothing survives under a child when the parent completes', async () => {
    await orders(({ exchangeUnderNewChild, complete, task }) => ({
      agent: exchangeUnderNewChild(task),
      orchestrator: complete(task),
    }));
  });

  it('nothing survives under a child when the workload of the parent is held', async () => {
    await orders(
      ({ exchangeUnderNewChild, revoke, plannersTask }) => ({
        agent: exchangeUnderNewChild(plannersTask),
        soc: revoke({ kind: 'workload', value: PLANNER }, 'hold'),
      }),
      {
        // The child's own list of causes is what is in question, so the search does not rely on it here.
        also: async ({ living }) => expect(await living()).toEqual([]),
      },
    );
  });

  it('of two outcomes declared at once one stands, in the record as in the log', async () => {
    await orders(
      ({ complete, revoke, task }) => ({
        one: complete(task, 'completed'),
        other: complete(task, 'failed'),
        soc: revoke({ kind: 'task', value: task }, 'end'),
      }),
      {
        async also({ ledger, task }) {
          const own = cause('task', task);
          const [tombstone] = (await ledger.log.look([own])).on([own]);
          const stored = await readTask(ledger, task);
          expect(stored?.value.ended?.as ?? tombstone?.ended?.as).toBe(tombstone?.ended?.as);
        },
      },
    );
  });
});

describe('in every order of two admissions', () => {
  it('the limit on live credentials is exact', async () => {
    await orders(({ exchange, task }) => ({ one: exchange({ taskId: task }), other: exchange({ taskId: task }) }), {
      credentialsPerTask: 1,
      also: ({ witness }) => expect(witness.issued).toHaveLength(1),
    });
  });

  it('one run opens one task, whichever of its requests comes first', async () => {
    const under = { purpose: 'triage' };
    await orders(({ exchange }) => ({ one: exchange(under, 'run-1'), other: exchange(under, 'run-1') }), {
      also: ({ witness }) => {
        expect(witness.issued).toHaveLength(2);
        expect(new Set(witness.issued.map(({ credential }) => credential.task)).size).toBe(1);
      },
    });
  });
});
