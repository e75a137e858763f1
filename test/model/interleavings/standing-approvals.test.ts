/**
 * G2 and G5 in every order of a yes that stands for the rest of a task (`@reuse("task")`), and was used once: it grants as often as it is
 * asked, until whatever it hangs on ends. Each run checks every guarantee of support/search/witness.ts too.
 */
import { describe, expect, it } from '@jest/globals';
import type { Effect, Selector } from '../../../src/domain/selector.js';
import { readApproval } from '../../../src/ledger/approvals.js';
import { AGENT, TARGET } from '../../support/brokers/stubbed.js';
import type { Span, Stepped } from '../../support/search/interleave.js';
import { APPROVER_CUT_OFF, orders, type PlayOptions, type Stage } from '../../support/search/orders.js';

/** All that was issued is by the one yes, which says still what was issued by it first. */
async function byTheOneYes({ ledger, approval, witness }: Stage): Promise<void> {
  const stored = await readApproval(ledger, approval);
  const issued = witness.issued.map(({ credential }) => credential);
  for (const credential of issued) {
    expect(credential.approval).toEqual({ id: approval, groups: ['sre'] });
    expect(stored?.value.used?.credential).not.toBe(credential.id);
  }
}

/** What ended before the request began lets nothing be granted by it. */
async function notAfter(stage: Stage, ends: readonly { ended: number }[]): Promise<void> {
  await byTheOneYes(stage);
  for (const { span } of stage.witness.issued) expect(ends.filter(({ ended }) => ended < span.began)).toEqual([]);
}

const afterDeaths = (stage: Stage) =>
  notAfter(
    stage,
    stage.witness.deaths.map(({ span }) => span),
  );

const standing: PlayOptions = { asking: 'standing', also: byTheOneYes };

describe('in every order of a yes that stands, and of what ends it', () => {
  it.each<[string, (stage: Stage) => Selector, Effect]>([
    ['the end of its task', ({ task: value }) => ({ kind: 'task', value }), 'end'],
    ['a hold on its task', ({ task: value }) => ({ kind: 'task', value }), 'hold'],
    ['a hold on the agent', () => ({ kind: 'workload', value: AGENT }), 'hold'],
    ['a cutoff of the issuer', () => ({ kind: 'issuer', value: 'lab' }), 'cutoff'],
    ['a hold on the API', () => ({ kind: 'target', value: TARGET }), 'hold'],
  ])('nothing that it grants survives %s', async (_what, selector, effect) => {
    await orders(
      (stage) => ({ agent: stage.exchange({ taskId: stage.task }), soc: stage.revoke(selector(stage), effect) }),
      standing,
    );
  });

  it.each(APPROVER_CUT_OFF)('nothing is granted after %s', async (_what, selector, effect) => {
    await orders(
      ({ exchange, revoke, task }) => ({ agent: exchange({ taskId: task }), soc: revoke(selector, effect) }),
      { ...standing, also: afterDeaths },
    );
  });

  it('nothing is granted once its task was completed', async () => {
    await orders(
      ({ exchange, complete, task }) => ({ agent: exchange({ taskId: task }), orchestrator: complete(task) }),
      { ...standing, also: afterDeaths },
    );
  });

  it('nothing is granted once policy lets no yes stand', async () => {
    let refused = 0;
    await orders(({ exchange, askEachTime, task }) => ({ agent: exchange({ taskId: task }), policy: askEachTime() }), {
      ...standing,
      async also(stage) {
        const { span } = stage.policyChange;
        await notAfter(stage, span ? [span] : []);
        refused += stage.witness.refusals.length;
      },
    });
    expect(refused).toBeGreaterThan(0);
  });

  it('two requests at once are both granted by it', async () => {
    await orders(({ exchange, task }) => ({ one: exchange({ taskId: task }), other: exchange({ taskId: task }) }), {
      ...standing,
      async also(stage) {
        await byTheOneYes(stage);
        expect(stage.witness.issued).toHaveLength(2);
      },
    });
  });

  it('nothing is granted once it was taken back', async () => {
    let span: Span | undefined;
    let refused = 0;
    const noting = (actor: (stepped: Stepped) => Promise<unknown>) => (stepped: Stepped) => {
      span = stepped.span;
      return actor(stepped);
    };
    await orders(
      ({ exchange, cancelApproval, task }) => ({ agent: exchange({ taskId: task }), again: noting(cancelApproval()) }),
      {
        ...standing,
        async also(stage) {
          await notAfter(stage, span ? [span] : []);
          refused += stage.witness.refusals.length;
        },
      },
    );
    expect(refused).toBeGreaterThan(0);
  });
});
