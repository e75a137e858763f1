/** What nobody has answered in time leaves the index of what waits: it would grow with every question that people leave alone. */
import { expect, it } from '@jest/globals';
import { SHARDS } from '../../../src/domain/id.js';
import { forgetLapsed, waitingApprovals } from '../../../src/ledger/approvals.js';
import { approvalIndex } from '../../../src/ledger/keys.js';
import { approvalOf, askingBroker, waitingFor } from '../../support/approvals/asking.js';

it('a question that has lapsed, and no other, is taken out of the index of what waits', async () => {
  const broker = await askingBroker();
  const { ledger } = broker.deps;
  const ask = (purpose: string) =>
    waitingFor(broker.exchange({ access: [{ path: 'incident/1', actions: ['write'] }], under: { purpose } }));
  const waiting = async () => {
    const ranges = await Promise.all(SHARDS.map((shard) => ledger.records.range(approvalIndex(shard), { limit: 10 })));
    return ranges
      .flat()
      .map(([id]) => id)
      .sort();
  };
  const early = await ask('early');
  broker.clock.advance(1_800_000);
  const late = await ask('late');
  const { askedAt } = await approvalOf(broker.deps, early.id);
  expect(await forgetLapsed(ledger, ledger.clock.now())).toBe(0);
  expect(await waiting()).toEqual([early.id, late.id].sort());
  expect(await waitingApprovals(ledger)).toEqual({ count: 2, oldest: askedAt });
  broker.clock.advance(1_800_001);
  expect(await forgetLapsed(ledger, ledger.clock.now())).toBe(1);
  expect(await waiting()).toEqual([late.id]);
  expect(await waitingApprovals(ledger)).toEqual({ count: 1, oldest: askedAt + 1_800_000 });
});
