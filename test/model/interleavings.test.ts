/**
 * G1, G2, G5, G7 and G8 in every order of events: the real admission, publication, lift, suspend, complete, crash, generation
 * and forgetting code, over a store whose every operation is a step. What is checked after each run: support/witness.ts.
 */
import { describe, expect, it } from '@jest/globals';
import type { Effect, Selector } from '../../src/domain/selector.js';
import { cause } from '../../src/domain/selector.js';
import { openRevocationLog } from '../../src/ledger/revocation-log.js';
import { readTask } from '../../src/ledger/tasks.js';
import { readTaskState, type TaskState } from '../../src/ledger/task-state.js';
import { completeTask } from '../../src/tasks/complete-task.js';
import { resumeTask, suspendTask } from '../../src/tasks/suspend-task.js';
import type { Clock } from '../../src/domain/time.js';
import type { Store } from '../../src/store/store.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { forgettableAt } from '../../src/domain/liveness.js';
import type { HandClock } from '../support/clock.js';
import { forget } from '../../src/ledger/forget.js';
import { sweep } from '../../src/tasks/sweep.js';
import { AGENT, bareBroker, OPERATOR, PLANNER, proven, TARGET } from '../support/brokers/stubbed.js';
import type { ModelState, ModelStore } from '../support/search/model-store.js';
import { livingOf } from '../support/search/witness.js';
import { orders } from '../support/search/orders.js';

const HOUR_MS = 3_600_000;
const workload: Selector = { kind: 'workload', value: AGENT };
const owner: Selector = { kind: 'owner', value: 'sre' };

describe('in every order of admission, publication and question', () => {
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
    expect(runs).toBeGreaterThan(100);
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
        // Not asked of the child's own list of causes: that list is what is in question.
        async also({ store, clock, witness }) {
          const issued = witness.issued.map(({ credential }) => credential);
          expect(await livingOf(bareBroker(store, clock).ledger, issued)).toEqual([]);
        },
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
        async also({ store, clock, task }) {
          const own = cause('task', task);
          const [tombstone] = (await openRevocationLog(store.log).look([own])).on([own]);
          const stored = await readTask(ledgerOver(store, clock), task);
          expect(stored?.value.ended?.as ?? tombstone?.ended?.as).toBe(tombstone?.ended?.as);
        },
      },
    );
  });
});

describe('in every order of holding and letting go', () => {
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
      { also: async ({ store, clock, task }) => expect(await stateNow(store, clock, task)).toBe('suspended') },
    );
  });
});

describe('in every order, with a death at any step', () => {
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
        async also({ store, clock, task, witness }) {
          const broker = bareBroker(store, clock);
          await completeTask(broker, proven(OPERATOR, clock), {
            taskId: task,
            outcome: 'completed',
            requestId: 'again',
          });
          expect(await stateNow(store, clock, task)).toBe('completed');
          expect(
            await livingOf(
              broker.ledger,
              witness.issued.map(({ credential }) => credential),
            ),
          ).toEqual([]);
        },
      },
    );
  });

  it('a suspension that dies half-way can be repeated, and resumed', async () => {
    await orders(
      ({ exchange, suspend, task }) => ({ agent: exchange({ taskId: task }), orchestrator: suspend(task) }),
      {
        mortal: ['orchestrator'],
        async also({ store, clock, task, witness }) {
          const broker = bareBroker(store, clock);
          const request = { taskId: task, requestId: 'again' };
          await suspendTask(broker, proven(OPERATOR, clock), request);
          expect(await stateNow(store, clock, task)).toBe('suspended');
          await resumeTask(broker, proven(OPERATOR, clock), request);
          expect(await stateNow(store, clock, task)).toBe('open');
          expect(
            await livingOf(
              broker.ledger,
              witness.issued.map(({ credential }) => credential),
            ),
          ).toEqual([]);
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
});

describe('in every order of losing the log and asking it', () => {
  const disasters: Record<string, (store: ModelStore, older: ModelState) => void> = {
    'is wiped': (store) => store.wipe(),
    'moves to another home': (store) => store.moveHome(),
    'comes back from an old backup': (store, older) => {
      store.rewind(older);
      store.moveHome();
    },
  };
  it.each(Object.entries(disasters))('nothing that lived before lives after the log %s', async (_, disaster) => {
    await orders(
      ({ exchange, ask, act, store, task, witness }) => {
        const older = store.snapshotState();
        return {
          agent: exchange({ taskId: task }),
          server: ask(),
          disaster: act(async (_broker, { act: step, span }) => {
            await step('disaster', () => disaster(store, older));
            witness.deaths.push({ selector: { kind: 'all', value: '' }, effect: 'cutoff', span, seq: 0 });
          }),
        };
      },
      { lossy: true },
    );
  });
});

describe('in every order of forgetting', () => {
  it.each([
    ['three minutes', 180_000],
    ['eight hours and three minutes', 8 * HOUR_MS + 180_000],
  ])('an end that is forgotten after %s never matters again', async (passing, ms) => {
    await orders(({ exchange, act, clock, store, task, witness }) => ({
      agent: exchange({ taskId: task }),
      time: act(async (_, { act: step, span }) => {
        const request = { taskId: task, outcome: 'completed', requestId: 'r' } as const;
        await step('the task completes', () =>
          completeTask(bareBroker(store, clock), proven(OPERATOR, clock), request),
        );
        witness.deaths.push({ selector: { kind: 'task', value: task }, effect: 'end', span, seq: 1 });
        await step(`${passing} pass`, () => passAndForget(store, clock, ms));
      }),
    }));
  });

  it.each([
    ['three minutes', 180_000],
    ['two hours', 2 * HOUR_MS],
    ['eight hours and three minutes', 8 * HOUR_MS + 180_000],
  ])('a cutoff that is forgotten after %s never matters again', async (passing, ms) => {
    await orders(({ exchange, revoke, act, clock, store, task }) => ({
      agent: exchange({ taskId: task }),
      soc: revoke(workload, 'cutoff'),
      time: act((_, { act: step }) => step(`${passing} pass`, () => passAndForget(store, clock, ms))),
    }));
  });

  it('a tombstone that grows while it is being forgotten stays', async () => {
    await orders(
      ({ revoke, act, clock, store }) => {
        void store.log.publish(oldCutoff(clock));
        clock.advance(9 * HOUR_MS);
        return { soc: revoke(workload, 'cutoff'), time: act(({ ledger }) => forget(ledger, clock.now())) };
      },
      {
        async also({ store, witness }) {
          const [tombstone] = (await openRevocationLog(store.log).look([own])).on([own]);
          expect(tombstone?.cut?.seq).toBe(witness.deaths[0]?.seq);
        },
      },
    );
  });

  it('nothing lives on after the sweep has ended its task', async () => {
    await orders(({ exchange, act, clock, task, store }) => ({
      agent: exchange({ taskId: task }),
      sweeper: act(async ({ ledger }, { act: step }) => {
        await step('four hours pass', () => clock.advance(4 * HOUR_MS));
        await sweep(withWholeRanges(ledger, store));
      }),
    }));
  });

  it('two sweeps end a task once', async () => {
    await orders(
      ({ act, clock, store }) => {
        clock.advance(4 * HOUR_MS);
        const sweeper = act(({ ledger }) => sweep(withWholeRanges(ledger, store)));
        return { one: sweeper, other: sweeper };
      },
      { also: async ({ store }) => expect(await store.log.entries(0, 10)).toHaveLength(1) },
    );
  });
});

const own = cause('workload', AGENT);

const oldCutoff = (clock: Clock) => ({
  ...{ id: 'rev_old', cause: own, selector: workload, effect: 'cutoff' as const, reason: 'long ago', actor: 'soc' },
  ...{ at: clock.now(), until: forgettableAt('workload', clock.now()) },
});

const ledgerOver = ({ records, log }: Store, clock: Clock): Ledger => ({ records, log: openRevocationLog(log), clock });

async function passAndForget(store: Store, clock: HandClock, ms: number): Promise<void> {
  clock.advance(ms);
  await forget(ledgerOver(store, clock), clock.now());
}

/** The 64 reads of the due index are one moment: their order among themselves is of no interest. */
const withWholeRanges = (ledger: Ledger, { records }: Store): Ledger => ({
  ...ledger,
  records: { ...ledger.records, range: (index, by) => records.range(index, by) },
});

async function stateNow(store: Store, clock: Clock, id: string): Promise<TaskState | undefined> {
  const ledger = ledgerOver(store, clock);
  const stored = await readTask(ledger, id);
  return stored && readTaskState(ledger, stored.value);
}
