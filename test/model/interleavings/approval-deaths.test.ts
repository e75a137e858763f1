/**
 * A broker dies at any step while it asks people, takes their answer, or issues by it. Of every answer that counts the audit log says who
 * gave it, one yes is never two credentials, and no question is left of which nobody hears.
 */
import { expect, it } from '@jest/globals';
import { announceLate } from '../../../src/approvals/announce.js';
import { MINUTE_MS } from '../../../src/domain/time.js';
import type { Approval } from '../../../src/domain/approval.js';
import { isComplete } from '../../../src/domain/approval-answers.js';
import { SHARDS } from '../../../src/domain/id.js';
import { readApproval } from '../../../src/ledger/approvals.js';
import { approvalIndex } from '../../../src/ledger/keys.js';
import { unannouncedBefore } from '../../../src/ledger/unannounced.js';
import { bareBroker } from '../../support/brokers/stubbed.js';
import { APPROVER, orders, type Stage } from '../../support/search/orders.js';

const isEntered = async ({ store }: Stage, type: string): Promise<boolean> =>
  (await store.records.read([`audit/${type}:`]))[0] !== undefined;

async function approvalOf({ ledger, approval }: Stage): Promise<Approval> {
  const stored = await readApproval(ledger, approval);
  if (!stored) throw new Error('the approval is gone');
  return stored.value;
}

it('while it asks: whoever must answer hears of the question, if not from it then from another', async () => {
  const lost = { questions: 0 };
  await orders(({ exchange, task }) => ({ agent: exchange({ taskId: task }) }), {
    asking: 'unasked',
    mortal: ['agent'],
    nothingIssued: true,
    async also(stage) {
      const { ledger, clock, store } = stage;
      const found = await Promise.all(SHARDS.map((shard) => ledger.records.range(approvalIndex(shard), { limit: 2 })));
      const isAsked = found.flat().length > 0;
      if (!isAsked) return;
      if (!(await isEntered(stage, 'approval.requested'))) lost.questions += 1;
      clock.advance(MINUTE_MS + 1);
      await announceLate(bareBroker(store, clock));
      expect(await isEntered(stage, 'approval.requested')).toBe(true);
      expect(await unannouncedBefore(ledger, clock.now())).toEqual([]);
    },
  });
  // Else the play proves nothing: somewhere the broker died between the question and its entry.
  expect(lost.questions).toBeGreaterThan(0);
});

it.each(['approve', 'deny', 'emergency'] as const)(
  'while it takes the answer %s: what counts is entered, and whoever gave it can give it again',
  async (says) => {
    const type = says === 'emergency' ? 'approval.emergency' : 'approval.answered';
    const without = { entry: 0, answer: 0 };
    await orders(({ answer }) => ({ bo: answer(APPROVER, says) }), {
      asking: 'pending',
      mortal: ['bo'],
      async also(stage) {
        const [{ answers }, entered] = [await approvalOf(stage), await isEntered(stage, type)];
        if (answers.length > 0) expect(entered).toBe(true);
        else if (entered) without.answer += 1;
        else without.entry += 1;
        if (answers.length > 0) return;
        await stage.answerAgain(APPROVER, says);
        const again = await approvalOf(stage);
        expect(again.answers.map((one) => one.says)).toEqual([says]);
        expect(isComplete(again)).toBe(says !== 'deny');
      },
    });
    expect(Math.min(without.answer, without.entry)).toBeGreaterThan(0);
  },
);

it('while it issues: a second request gets nothing more by the same yes, whichever of them dies', async () => {
  await orders(({ exchange, task }) => ({ one: exchange({ taskId: task }), other: exchange({ taskId: task }) }), {
    asking: 'approved',
    mortal: ['one'],
    async also(stage) {
      const { issued, minted } = stage.witness;
      expect(issued.length).toBeLessThanOrEqual(1);
      expect(minted.flat().length).toBeLessThanOrEqual(1);
      const { used } = await approvalOf(stage);
      for (const { credential } of issued) expect(used?.credential).toBe(credential.id);
    },
  });
});
