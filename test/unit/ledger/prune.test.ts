/** Pruning of receipts: those that have expired leave the indexes, however many lie before them that never expire. */
import { expect, it } from '@jest/globals';
import { HISTORY_MS } from '../../../src/domain/limits.js';
import { receiptIndex, uncountedIndex } from '../../../src/ledger/keys.js';
import { keepReceipt, pruneReceipts, type Receipt } from '../../../src/ledger/receipts.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

/** More than one page of an index. */
const OPEN_HOLDS = 1_500;

it('receipts behind more than a page of open holds are pruned', async () => {
  const clock = handClock();
  const { records, log } = modelStore(clock);
  const ledger = { records, clock, log: openRevocationLog(log) };
  const receipt = (seq: number, effect: Receipt['effect']): Receipt => ({
    ...{ seq, id: `rev_${seq}`, at: clock.now(), effect, reason: 'r', actor: 'soc' },
    selector: { kind: 'workload', value: `lab:agent-${seq}` },
  });
  for (let seq = 1; seq <= OPEN_HOLDS; seq += 1) await keepReceipt(ledger, receipt(seq, 'hold'));
  await keepReceipt(ledger, receipt(OPEN_HOLDS + 1, 'end'));
  await keepReceipt(ledger, receipt(OPEN_HOLDS + 2, 'cutoff'));
  expect(await records.count(receiptIndex)).toBe(OPEN_HOLDS + 2);
  clock.advance(HISTORY_MS);
  await pruneReceipts(ledger);
  expect(await records.count(receiptIndex)).toBe(OPEN_HOLDS);
  expect(await records.count(uncountedIndex)).toBe(OPEN_HOLDS);
});
