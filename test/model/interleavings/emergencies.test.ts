/**
 * G2 and G5 in every order of an emergency that somebody declares in the place of everybody, of what is granted by it, of its review, and
 * of what ends it. Each run checks every guarantee of support/search/witness.ts too.
 */
import { describe, expect, it } from '@jest/globals';
import type { Approval } from '../../../src/domain/approval.js';
import { taskCauses } from '../../../src/domain/hangs-on.js';
import type { Effect, Selector } from '../../../src/domain/selector.js';
import { approvalState } from '../../../src/ledger/approval-state.js';
import { readApproval } from '../../../src/ledger/approvals.js';
import { readTask } from '../../../src/ledger/tasks.js';
import { AGENT } from '../../support/brokers/stubbed.js';
import { APPROVER, orders, type PlayOptions, type Stage } from '../../support/search/orders.js';

const OTHER = 'staff:cy';

async function approvalOf({ ledger, approval }: Stage): Promise<Approval> {
  const stored = await readApproval(ledger, approval);
  if (!stored) throw new Error('the approval is gone');
  return stored.value;
}

/** One credential at most, short, by one emergency; and whoever declared one has left a review behind. */
async function onceAndShort(stage: Stage): Promise<void> {
  const { id, answers, used, review } = await approvalOf(stage);
  const { issued } = stage.witness;
  expect(issued.length).toBeLessThanOrEqual(1);
  for (const { credential } of issued) {
    expect(credential.approval).toEqual({ id, groups: ['sre'] });
    expect(credential.expiresAt - credential.issuedAt).toBeLessThanOrEqual(300_000);
    expect(used?.credential).toBe(credential.id);
    expect(answers.map(({ says }) => says)).toEqual(['emergency']);
  }
  expect(review !== undefined).toBe(answers.some(({ says }) => says === 'emergency'));
}

const declared: PlayOptions = { asking: 'emergency', also: onceAndShort };
const pending: PlayOptions = { asking: 'pending', also: onceAndShort };

describe('in every order of an emergency that was declared, and of what ends it', () => {
  it.each<[string, (stage: Stage) => Selector, Effect]>([
    ['the end of its task', ({ task: value }) => ({ kind: 'task', value }), 'end'],
    ['a hold on the agent', () => ({ kind: 'workload', value: AGENT }), 'hold'],
    ['a cutoff of the agent', () => ({ kind: 'workload', value: AGENT }), 'cutoff'],
  ])('nothing that it grants survives %s, and its review stays open', async (_what, selector, effect) => {
    await orders(
      (stage) => ({ agent: stage.exchange({ taskId: stage.task }), soc: stage.revoke(selector(stage), effect) }),
      {
        ...declared,
        async also(stage) {
          await onceAndShort(stage);
          expect((await approvalOf(stage)).review?.closed).toBeUndefined();
        },
      },
    );
  });

  it.each<[string, Effect]>([
    ['a hold on whoever declared it', 'hold'],
    ['a cutoff of whoever declared it', 'cutoff'],
  ])('nothing is granted after %s', async (_what, effect) => {
    const selector = { kind: 'principal', value: APPROVER } as const;
    await orders(
      ({ exchange, revoke, task }) => ({ agent: exchange({ taskId: task }), soc: revoke(selector, effect) }),
      {
        ...declared,
        async also(stage) {
          await onceAndShort(stage);
          const { deaths, issued } = stage.witness;
          for (const { span } of issued) expect(deaths.filter((death) => death.span.ended < span.began)).toEqual([]);
        },
      },
    );
  });

  it('one of two requests gets the credential', async () => {
    await orders(({ exchange, task }) => ({ one: exchange({ taskId: task }), other: exchange({ taskId: task }) }), {
      ...declared,
      async also(stage) {
        await onceAndShort(stage);
        expect(stage.witness.issued).toHaveLength(1);
      },
    });
  });

  it('its review neither grants nor takes anything: what was declared is granted once beside it', async () => {
    await orders(({ exchange, review, task }) => ({ agent: exchange({ taskId: task }), cy: review(OTHER) }), {
      ...declared,
      async also(stage) {
        await onceAndShort(stage);
        expect(stage.witness.issued).toHaveLength(1);
        expect((await approvalOf(stage)).review?.closed?.by.id).toBe(OTHER);
      },
    });
  });

  it('of two who close its review one does, and never whoever declared it', async () => {
    const closedBy = new Set<string | undefined>();
    await orders(({ review }) => ({ cy: review(OTHER), dan: review('staff:dan') }), {
      ...declared,
      async also(stage) {
        closedBy.add((await approvalOf(stage)).review?.closed?.by.id);
      },
    });
    expect(closedBy).toEqual(new Set([OTHER, 'staff:dan']));
    await orders(({ review, exchange, task }) => ({ bo: review(APPROVER), agent: exchange({ taskId: task }) }), {
      ...declared,
      async also(stage) {
        expect((await approvalOf(stage)).review?.closed).toBeUndefined();
      },
    });
  });

  it('its review can be closed while its task ends', async () => {
    await orders(({ review, complete, task }) => ({ cy: review(OTHER), orchestrator: complete(task) }), {
      ...declared,
      async also(stage) {
        expect((await approvalOf(stage)).review?.closed?.by.id).toBe(OTHER);
      },
    });
  });
});

describe('in every order of an emergency and of other answers', () => {
  it.each(['approve', 'deny', 'emergency'] as const)('it and %s at once are one answer', async (other) => {
    const first = new Set<string>();
    await orders(({ answer }) => ({ bo: answer(APPROVER, 'emergency'), cy: answer(OTHER, other) }), {
      ...pending,
      async also(stage) {
        await onceAndShort(stage);
        const { answers } = await approvalOf(stage);
        expect(answers).toHaveLength(1);
        first.add(answers.map(({ says, by }) => `${by.id} ${says}`).join());
      },
    });
    expect(first).toEqual(new Set([`${APPROVER} emergency`, `${OTHER} ${other}`]));
  });

  it('what is asked meanwhile is granted after it, or waits', async () => {
    await orders(
      ({ exchange, answer, task }) => ({ agent: exchange({ taskId: task }), bo: answer(APPROVER, 'emergency') }),
      pending,
    );
  });

  it('what is declared while the task ends is good for nothing, and is reviewed all the same', async () => {
    await orders(({ answer, complete, task }) => ({ bo: answer(APPROVER, 'emergency'), soc: complete(task) }), {
      ...pending,
      async also(stage) {
        await onceAndShort(stage);
        const task = (await readTask(stage.ledger, stage.task))?.value;
        if (!task) throw new Error('the task is gone');
        const seen = await stage.ledger.log.look(taskCauses(task));
        expect(approvalState(stage.ledger, await approvalOf(stage), task, seen)).toBe('cancelled');
      },
    });
  });

  it('what the agent takes back meanwhile is never granted', async () => {
    await orders(({ answer, cancelApproval }) => ({ bo: answer(APPROVER, 'emergency'), agent: cancelApproval() }), {
      ...pending,
      async also(stage) {
        await onceAndShort(stage);
        expect((await approvalOf(stage)).cancelledAt).toBeDefined();
      },
    });
  });
});
