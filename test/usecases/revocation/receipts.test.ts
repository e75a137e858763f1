/** Receipts are made even after a crash, and counted once. Holds are lifted when they are due. */
import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../src/domain/id.js';
import { countReceipts, followReceipts } from '../../../src/ledger/follow-receipts.js';
import { liftIndex, receiptKey } from '../../../src/ledger/keys.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { findReceipts, keepReceipt, readReceipt } from '../../../src/ledger/receipts.js';
import { countsOf } from '../../../src/http/wire/answers.js';
import { withEffects } from '../../../src/revocation/effects.js';
import { liftDueHolds } from '../../../src/revocation/receipts.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { toTimestamp } from '../../../src/domain/time.js';
import { proven } from '../../support/brokers/stubbed.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { refusal } from '../../support/refusal-code.js';
import { AGENT, lmdbStore, TARGET, wholeBroker } from '../../support/brokers/use-cases.js';
import { socOf, soc, asking, why } from '../../support/revoking.js';
import { liftHold } from '../../support/verbs.js';
import { exchange } from '../../support/exchanging.js';

const listed = async (ledger: Ledger) => (await findReceipts(ledger, () => true, { after: 0, limit: 10 })).receipts;

describe('holds', () => {
  it('with "until" are lifted by the sweep of any broker, once', async () => {
    const broker = await wholeBroker();
    const { ledger } = broker.deps;
    const { seq } = await soc(broker, { kind: 'target', value: TARGET }, 'hold', {
      liftAt: broker.clock.now() + 60_000,
    });
    broker.clock.advance(59_999);
    await liftDueHolds(ledger);
    expect(await refusal(broker.exchange())).toBe('access_denied');
    broker.clock.advance(1);
    await Promise.all([liftDueHolds(ledger), liftDueHolds(ledger)]);
    await liftDueHolds(ledger);
    expect(await refusal(broker.exchange())).toBe('granted');
    expect((await broker.store.log.entries(0, 10)).map(({ effect }) => effect)).toEqual(['hold', 'lift']);
    expect((await readReceipt(ledger, seq))?.lifted).toBe(2);
  });

  it('without an end are not lifted by what the index says of a receipt that had their number in a lost log', async () => {
    const broker = await wholeBroker();
    const { ledger } = broker.deps;
    const selector = { kind: 'workload', value: AGENT } as const;
    const bare = { selector, effect: 'hold', reason: 'test', actor: 'test' } as const;
    const lost = { ...bare, seq: 1, id: newId('rev'), at: broker.clock.now(), liftAt: broker.clock.now() + 1_000 };
    await keepReceipt(ledger, lost);
    const { seq } = await soc(broker, selector, 'hold');
    expect(seq).toBe(1);
    expect(await ledger.records.range(liftIndex, { limit: 10 })).toEqual([]);
    // As an older version has left it.
    await ledger.records.commit({ index: [[liftIndex, '1', lost.liftAt]] });
    broker.clock.advance(5_000);
    await liftDueHolds(ledger);
    expect(await refusal(broker.exchange())).toBe('access_denied');
    expect(await ledger.records.range(liftIndex, { limit: 10 })).toEqual([]);
  });

  it('two need two lifts, and a lift needs a hold', async () => {
    const broker = await wholeBroker();
    const what = { kind: 'target', value: TARGET } as const;
    const [one, two] = [await soc(broker, what), await soc(broker, what)];
    const lifting = (seq: number) => liftHold(broker.deps, broker.operator, { seq, requestId: 'r' });
    await lifting(one.seq);
    expect(await refusal(broker.exchange())).toBe('access_denied');
    expect(await refusal(lifting(one.seq))).toBe('conflict');
    await lifting(two.seq);
    expect(await refusal(broker.exchange())).toBe('granted');
    expect(await refusal(lifting(99))).toBe('not_found');
    expect(await refusal(lifting((await soc(broker, what, 'cutoff')).seq))).toBe('conflict');
  });

  it('that are gone do not stand in the way of those that are due', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await wholeBroker({ store, clock });
    await soc(broker, { kind: 'target', value: TARGET }, 'hold', { liftAt: clock.now() + 1_000 });
    store.rewind({ ...store.snapshotState(), tombstones: new Map() });
    clock.advance(2_000);
    await liftDueHolds(broker.deps.ledger);
    expect(await store.records.count(liftIndex)).toBe(0);
  });
});

describe('receipts', () => {
  it('are made by the next broker when one died between publication and receipt', async () => {
    const clock = handClock();
    const store = await lmdbStore(clock);
    const broker = await wholeBroker({ store, clock });
    await broker.exchange();
    const selector = { kind: 'workload', value: AGENT } as const;
    await revoke(broker.deps.ledger, { selector, effect: 'hold', reason: 'r', actor: 'soc' });
    expect(await listed(broker.deps.ledger)).toEqual([]);
    await followReceipts(broker.deps.ledger);
    await countReceipts(broker.deps.ledger);
    expect(await listed(broker.deps.ledger)).toMatchObject([{ seq: 1, affected: { credentials: 1 } }]);
  });

  it('without one yet, a hold is lifted as what it is: policy is asked about its own selector', async () => {
    const broker = await wholeBroker();
    const by = { effect: 'hold', reason: 'r', actor: 'soc' } as const;
    const selector = { kind: 'owner', value: 'web' } as const;
    const { seq } = await revoke(broker.deps.ledger, { selector, ...by });
    const asked: unknown[] = [];
    const policy: typeof broker.deps.policy = {
      ...broker.deps.policy,
      decide: (query) => (asked.push(query.context), broker.deps.policy.decide(query)),
    };
    const lifting = (number: number) =>
      liftHold({ ...broker.deps, policy }, socOf(broker), { seq: number, requestId: 'r' });
    expect((await lifting(seq)).lifted).toBe(seq + 1);
    expect(asked).toMatchObject([{ revocation: { ...selector, effect: 'lift' } }]);
    await expect(lifting(99)).rejects.toMatchObject({ code: 'not_found' });
    expect(asked[1]).toMatchObject({ revocation: { kind: 'all', effect: 'lift' } });
  });

  it('lifting waits for no count', async () => {
    const clock = handClock();
    const broker = await wholeBroker({ store: modelStore(clock), clock });
    await Promise.all(Array.from({ length: 300 }, () => broker.exchange()));
    const { seq } = await soc(broker, { kind: 'workload', value: AGENT });
    const lifted = await liftHold(broker.deps, socOf(broker), { seq, requestId: 'r' });
    expect(lifted).toMatchObject({ lifted: seq + 1 });
    expect(lifted.affected).toBeUndefined();
    await countReceipts(broker.deps.ledger);
    expect((await readReceipt(broker.deps.ledger, seq))?.affected).toMatchObject({ credentials: 300 });
  });

  it('count an owner whatever its name', async () => {
    const broker = await wholeBroker();
    const owners = ['constructor', 'toString', 'hasOwnProperty'];
    for (const owner of owners) {
      const { party, ...proof } = proven(AGENT, broker.clock);
      const identify = () => Promise.resolve({ ...proof, party: { ...party, owner } });
      await exchange({ ...broker.deps, identify }, asking);
    }
    const { seq } = await soc(broker, { kind: 'all', value: '' });
    const counted = Object.fromEntries(owners.map((owner) => [owner, 1]));
    expect((await readReceipt(broker.deps.ledger, seq))?.affected?.byOwner).toEqual(counted);
  });

  it('of an older version are read as they were meant, for tokens and for sessions that must be denied', async () => {
    const broker = await wholeBroker();
    const { deps, clock, store } = broker;
    const { seq } = await soc(broker, { kind: 'workload', value: AGENT });
    const [text = ''] = await store.records.read([receiptKey(seq)]);
    const role = 'arn:aws:iam::111122223333:role/agent-exec';
    const counts = { credentials: 5, tasks: 1, byTarget: { [TARGET]: 2, [role]: 3 }, byOwner: { sre: 5 } };
    const affected = {
      ...counts,
      latestEnd: clock.now() + 60_000,
      sessions: { [role]: { count: 3, latestEnd: clock.now() + 90_000 } },
    };
    const older = JSON.stringify({ ...JSON.parse(text), affected });
    await store.records.commit({ put: [[receiptKey(seq), older]] });
    const receipt = await readReceipt(deps.ledger, seq);
    if (!receipt?.affected) throw new Error('the receipt is not read');
    expect(countsOf(receipt.affected)).toEqual(counts);
    expect((await withEffects(deps.ledger, receipt)).effects).toEqual([
      {
        kind: 'jwt',
        effect: 'refused',
        count: 2,
        refusedOnlineSince: toTimestamp(receipt.at),
        believedOfflineUntil: toTimestamp(clock.now() + 60_000),
      },
      expect.objectContaining({ kind: 'aws-sts', target: role, count: 3, boundedBySeconds: 90 }),
    ]);
  });

  it('that cannot be read stop neither the list, nor what is due, nor the counting of the others', async () => {
    const broker = await wholeBroker();
    const { clock, store, deps } = broker;
    const until = { liftAt: clock.now() + 1_000 };
    const damaged = await soc(broker, { kind: 'target', value: 'https://one.example' }, 'hold', until);
    const whole = await soc(broker, { kind: 'target', value: 'https://two.example' }, 'hold', until);
    await store.records.commit({ put: [[receiptKey(damaged.seq), '{"seq":"damaged"}']] });
    expect(await listed(deps.ledger)).toMatchObject([{ seq: whole.seq }]);
    clock.advance(2_000);
    await expect(liftDueHolds(deps.ledger)).rejects.toThrow('1 of 2 failed');
    expect((await readReceipt(deps.ledger, whole.seq))?.lifted).toBe(3);
    const next = await revoke(deps.ledger, {
      selector: { kind: 'target', value: TARGET },
      effect: 'hold',
      ...why,
      actor: 'soc',
    });
    await followReceipts(deps.ledger);
    await countReceipts(deps.ledger);
    expect((await readReceipt(deps.ledger, next.seq))?.affected).toBeDefined();
  });

  it('that cannot be read are made anew from the log as long as it is followed', async () => {
    const { deps, store } = await wholeBroker();
    const selector = { kind: 'target', value: TARGET } as const;
    const { seq } = await revoke(deps.ledger, { selector, effect: 'hold', reason: 'r', actor: 'soc' });
    await store.records.commit({ put: [[receiptKey(seq), 'damaged']] });
    await followReceipts(deps.ledger);
    expect((await readReceipt(deps.ledger, seq))?.selector).toEqual(selector);
  });
});
