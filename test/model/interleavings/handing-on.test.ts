/** G2 and G5 in every order of handing a credential on and of what ends it, for each cause that only the first credential has. */
import { describe, expect, it } from '@jest/globals';
import type { Effect, Selector } from '../../../src/domain/selector.js';
import { readTaskState } from '../../../src/ledger/task-state.js';
import { readTasks } from '../../../src/ledger/tasks.js';
import { AGENT, OPERATOR, PLANNER, TARGET } from '../../support/brokers/stubbed.js';
import { ABOVE, orders, type Stage } from '../../support/search/orders.js';

const nothingLives = {
  // The list of causes of what was handed on is what is in question, so the search does not rely on it here.
  also: async ({ living }: Stage) => expect(await living()).toEqual([]),
};

describe('nothing that was handed on by a credential survives', () => {
  it.each<[string, (stage: Stage) => Selector, Effect]>([
    ['its end', ({ plannersCredential: value }) => ({ kind: 'credential', value }), 'end'],
    ['the end of its task', ({ plannersTask: value }) => ({ kind: 'task', value }), 'end'],
    ['a hold on its task', ({ plannersTask: value }) => ({ kind: 'task', value }), 'hold'],
    ['the end of the task above its own', ({ plannersRoot: value }) => ({ kind: 'task', value }), 'end'],
    ['a hold on the task above its own', ({ plannersRoot: value }) => ({ kind: 'task', value }), 'hold'],
    ['a hold on its holder', () => ({ kind: 'workload', value: PLANNER }), 'hold'],
    ['a cutoff of its holder', () => ({ kind: 'workload', value: PLANNER }), 'cutoff'],
    ['a hold on the branch of its holder', () => ({ kind: 'subject', value: ABOVE.subject }), 'hold'],
    ['a cutoff of whoever opened its task', () => ({ kind: 'workload', value: OPERATOR }), 'cutoff'],
    ['a hold on whoever opened its task', () => ({ kind: 'workload', value: OPERATOR }), 'hold'],
    ['the end of the run that its task was opened in', () => ({ kind: 'run', value: `lab:${ABOVE.run}` }), 'end'],
    ['a hold on the person', () => ({ kind: 'principal', value: ABOVE.person }), 'hold'],
    ['a cutoff of the person', () => ({ kind: 'principal', value: ABOVE.person }), 'cutoff'],
    ['a cutoff of the login of the person', () => ({ kind: 'session', value: ABOVE.session }), 'cutoff'],
    ['a hold on the issuer of the person', () => ({ kind: 'issuer', value: 'staff' }), 'hold'],
    ['a cutoff of the issuer of all agents', () => ({ kind: 'issuer', value: 'lab' }), 'cutoff'],
    ['a hold on the team', () => ({ kind: 'owner', value: 'sre' }), 'hold'],
    ['a cutoff of the API', () => ({ kind: 'target', value: TARGET }), 'cutoff'],
    ['a hold on the API', () => ({ kind: 'target', value: TARGET }), 'hold'],
    ['a cutoff of everything', () => ({ kind: 'all', value: '' }), 'cutoff'],
    ['a hold on the agent that gets it', () => ({ kind: 'workload', value: AGENT }), 'hold'],
  ])('%s', async (_what, selector, effect) => {
    await orders((stage) => ({ agent: stage.handOn(), soc: stage.revoke(selector(stage), effect) }), nothingLives);
  });

  it('a cutoff of the agent that gets it, unless that comes first', async () => {
    await orders(({ handOn, revoke }) => ({
      agent: handOn(),
      soc: revoke({ kind: 'workload', value: AGENT }, 'cutoff'),
    }));
  });

  it('the completion of its task', async () => {
    await orders(
      ({ handOn, complete, plannersTask }) => ({ agent: handOn(), planner: complete(plannersTask) }),
      nothingLives,
    );
  });

  it('the completion of its run', async () => {
    await orders(({ handOn, completeRun }) => ({ agent: handOn(), platform: completeRun(ABOVE.run) }), nothingLives);
  });

  it('its end, whatever a server asks meanwhile', async () => {
    await orders(
      ({ handOn, revoke, ask, plannersCredential: value }) => ({
        agent: handOn(),
        soc: revoke({ kind: 'credential', value }, 'end'),
        server: ask(),
      }),
      nothingLives,
    );
  });
});

it('nothing that is handed on comes back when a hold on whoever handed it on is lifted', async () => {
  await orders(
    ({ handOn, holdAndLift }) => ({ agent: handOn(), soc: holdAndLift({ kind: 'workload', value: PLANNER }) }),
    {
      async also({ witness, ledger, living }) {
        // Whether it was handed on before the hold or after the lift: the credential it comes from is dead.
        const tasks = await readTasks(
          ledger,
          witness.issued.map(({ credential }) => credential.task),
        );
        const states = await Promise.all(tasks.map(({ value }) => readTaskState(ledger, value)));
        expect([await living(), states]).toEqual([[], states.map(() => 'revoked')]);
      },
    },
  );
});
