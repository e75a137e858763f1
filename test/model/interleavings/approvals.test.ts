/**
 * G2 and G5 in every order of the answer of people, of what is granted by it, and of what ends either: nothing is issued after a no,
 * and never two credentials by one yes. Each run checks every guarantee of support/search/witness.ts too.
 */
import { describe, expect, it } from '@jest/globals';
import type { Approval } from '../../../src/domain/approval.js';
import type { Effect, Selector } from '../../../src/domain/selector.js';
import { taskCauses } from '../../../src/domain/hangs-on.js';
import { approvalState } from '../../../src/ledger/approval-state.js';
import { readApproval } from '../../../src/ledger/approvals.js';
import { readTask } from '../../../src/ledger/tasks.js';
import { AGENT, OPERATOR, TARGET } from '../../support/brokers/stubbed.js';
import { APPROVER, APPROVER_CUT_OFF, orders, type PlayOptions, type Stage } from '../../support/search/orders.js';

async function approvalOf({ ledger, approval }: Stage): Promise<Approval> {
  const stored = await readApproval(ledger, approval);
  if (!stored) throw new Error('the approval is gone');
  return stored.value;
}

/** What was issued is what the record says was issued, and by a yes that stands. */
async function onlyByItsYes(stage: Stage): Promise<void> {
  const approval = await approvalOf(stage);
  const issued = stage.witness.issued.map(({ credential }) => credential);
  expect(issued.length).toBeLessThanOrEqual(1);
  for (const credential of issued) {
    expect(credential.approval).toEqual({ id: approval.id, groups: ['sre'] });
    expect(approval.used?.credential).toBe(credential.id);
    expect(approval.answers.map(({ says }) => says)).toEqual(['approve']);
  }
}

/** An approver whose no, or whose cutoff, was acknowledged before the request began has agreed to nothing. */
async function notByWhoWasCutOff(stage: Stage): Promise<void> {
  await onlyByItsYes(stage);
  const { deaths, issued } = stage.witness;
  for (const { span } of issued) expect(deaths.filter((death) => death.span.ended < span.began)).toEqual([]);
}

const approved: PlayOptions = { asking: 'approved', also: onlyByItsYes };
const pending: PlayOptions = { asking: 'pending', also: onlyByItsYes };

describe('in every order of a yes that is used, and of what ends it', () => {
  it.each<[string, (stage: Stage) => Selector, Effect]>([
    ['the end of its task', ({ task: value }) => ({ kind: 'task', value }), 'end'],
    ['a hold on its task', ({ task: value }) => ({ kind: 'task', value }), 'hold'],
    ['a hold on the agent', () => ({ kind: 'workload', value: AGENT }), 'hold'],
    ['a cutoff of the agent', () => ({ kind: 'workload', value: AGENT }), 'cutoff'],
    ['a hold on whoever opened its task', () => ({ kind: 'workload', value: OPERATOR }), 'hold'],
    ['a cutoff of whoever opened its task', () => ({ kind: 'workload', value: OPERATOR }), 'cutoff'],
    ['a hold on the team', () => ({ kind: 'owner', value: 'sre' }), 'hold'],
    ['a cutoff of the issuer', () => ({ kind: 'issuer', value: 'lab' }), 'cutoff'],
    ['a hold on the API', () => ({ kind: 'target', value: TARGET }), 'hold'],
    ['a cutoff of everything', () => ({ kind: 'all', value: '' }), 'cutoff'],
  ])('nothing that it grants survives %s', async (_what, selector, effect) => {
    await orders(
      (stage) => ({ agent: stage.exchange({ taskId: stage.task }), soc: stage.revoke(selector(stage), effect) }),
      approved,
    );
  });

  it.each(APPROVER_CUT_OFF)('nothing is granted after %s', async (_what, selector, effect) => {
    await orders(
      ({ exchange, revoke, task }) => ({ agent: exchange({ taskId: task }), soc: revoke(selector, effect) }),
      {
        ...approved,
        also: notByWhoWasCutOff,
      },
    );
  });

  it('one of two requests gets the credential', async () => {
    await orders(({ exchange, task }) => ({ one: exchange({ taskId: task }), other: exchange({ taskId: task }) }), {
      ...approved,
      async also(stage) {
        await onlyByItsYes(stage);
        expect(stage.witness.issued).toHaveLength(1);
        expect(stage.witness.minted.flat()).toHaveLength(1);
      },
    });
  });

  it('nothing is granted once the agent has taken the question back', async () => {
    await orders(
      ({ exchange, cancelApproval, task }) => ({ agent: exchange({ taskId: task }), again: cancelApproval() }),
      {
        ...approved,
        async also(stage) {
          await onlyByItsYes(stage);
          const { used, cancelledAt } = await approvalOf(stage);
          // One commit decided which was first.
          expect([used, cancelledAt].filter((one) => one !== undefined)).toHaveLength(1);
          expect(stage.witness.issued).toHaveLength(used ? 1 : 0);
        },
      },
    );
  });
});

describe('in every order of answers', () => {
  it('what is asked meanwhile is granted after the yes, or waits', async () => {
    await orders(
      ({ exchange, answer, task }) => ({ agent: exchange({ taskId: task }), bo: answer(APPROVER, 'approve') }),
      pending,
    );
  });

  it('a yes and a no at once are one answer, and after a no nothing is granted', async () => {
    const said = new Set<string>();
    await orders(({ answer }) => ({ bo: answer(APPROVER, 'approve'), cy: answer('staff:cy', 'deny') }), {
      ...pending,
      async also(stage) {
        const { answers } = await approvalOf(stage);
        expect(answers).toHaveLength(1);
        said.add(answers.map(({ says }) => says).join());
      },
    });
    expect(said).toEqual(new Set(['approve', 'deny']));
  });

  it('nothing is granted by a question whose answer is no, whoever says yes beside it', async () => {
    await orders(
      ({ exchange, answer, task }) => ({
        agent: after(answer(APPROVER, 'approve'), exchange({ taskId: task })),
        cy: answer('staff:cy', 'deny'),
      }),
      pending,
    );
  });

  it('what people agree to while its task ends is good for nothing', async () => {
    await orders(({ answer, complete, task }) => ({ bo: answer(APPROVER, 'approve'), orchestrator: complete(task) }), {
      ...pending,
      async also(stage) {
        const task = (await readTask(stage.ledger, stage.task))?.value;
        if (!task) throw new Error('the task is gone');
        const seen = await stage.ledger.log.look(taskCauses(task));
        expect(approvalState(stage.ledger, await approvalOf(stage), task, seen)).toBe('cancelled');
      },
    });
  });
});

type Actor = ReturnType<Stage['exchange']>;

/** Three at once are too many orders: the agent asks once the person has answered, or was told that it is too late. */
const after =
  (first: Actor, then: Actor): Actor =>
  async (stepped) => {
    await first(stepped).catch(() => undefined);
    await then(stepped);
  };
