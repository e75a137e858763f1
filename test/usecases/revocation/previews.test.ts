/** What a preview and a receipt say of a revocation is what it does. */
import { newId } from '../../../src/domain/id.js';
import { describe, expect, it } from '@jest/globals';
import { countReceipts } from '../../../src/ledger/follow-receipts.js';
import { countImpact } from '../../../src/ledger/impact.js';
import { readReceipt } from '../../../src/ledger/receipts.js';
import { returnToken } from '../../../src/credentials/return-token.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { handClock } from '../../support/clock.js';
import { modelStore, type ModelState } from '../../support/search/model-store.js';
import { bareBroker } from '../../support/brokers/stubbed.js';
import { AGENT, TARGET, wholeBroker, withPersons, withRuns } from '../../support/brokers/use-cases.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import { soc, preview, oneThatHangsOnEverything, FITTING } from '../../support/revoking.js';
import { liftHold } from '../../support/verbs.js';

describe('G8: truthful effect', () => {
  describe('the preview says what the revocation then does', () => {
    it.each(FITTING)('by %s with %s', async (kind, effect) => {
      const { broker, values } = await oneThatHangsOnEverything();
      await broker.exchange(); // of the agent alone, for itself
      for (const value of values[kind].slice(0, 1)) {
        const { affected } = await preview(broker, { kind, value }, effect);
        expect((await soc(broker, { kind, value }, effect)).affected).toEqual(affected);
        expect(affected.credentials).toBeGreaterThan(0);
        const again = await preview(broker, { kind, value }, effect);
        expect(again.affected.credentials).toBe(0);
      }
    });
  });

  it('what it counts is what dies, by target and owner', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const issued = await Promise.all([broker.under(task.id), broker.under(task.id), broker.exchange()]);
    await returnToken(broker.deps, broker.agent, { token: accessTokenOf(issued[0].minted.material), requestId: 'r' });
    const before = (await Promise.all(issued.map(broker.isActive))).filter(Boolean).length;
    const { affected } = await soc(broker, { kind: 'issuer', value: 'lab' });
    const now = (await Promise.all(issued.map(broker.isActive))).filter(Boolean).length;
    expect(affected).toMatchObject({
      credentials: before - now,
      byTarget: { [TARGET]: { count: 2 } },
      byOwner: { sre: 2 },
    });
  });

  it('an unknown value hits nothing, and is no error', async () => {
    const broker = await wholeBroker();
    await broker.exchange();
    expect((await soc(broker, { kind: 'workload', value: 'lab:nobody' })).affected).toMatchObject({
      credentials: 0,
      tasks: 0,
    });
    expect((await soc(broker, { kind: 'task', value: 'tsk_aabbbbbbbbbbbbbb' })).affected).toMatchObject({ tasks: 0 });
  });

  it('a preview writes nothing but its audit entry', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const settings = withPersons(withRuns(bareBroker(store, clock).settings));
    const broker = await wholeBroker({ store, clock, settings });
    const issued = await broker.exchange();
    const unaudited = ({ records, ...rest }: ModelState) => ({
      ...rest,
      indexes: [...rest.indexes].filter(([key]) => !key.startsWith('audit/')),
      records: [...records].filter(([key]) => !key.startsWith('audit/')),
    });
    const before = unaudited(store.snapshotState());
    for (const [kind, effect] of FITTING) {
      const { id } = issued.credential;
      const named = {
        credential: id,
        task: issued.task.id,
        session: 'staff:s',
        drill: newId('drl'),
        all: '',
        issuer: 'lab',
      };
      const values: Partial<Record<string, string>> = named;
      const value = values[kind] ?? 'lab:x';
      await preview(broker, { kind, value }, effect);
    }
    expect(unaudited(store.snapshotState())).toEqual(before);
    expect((await broker.audited()).filter(({ type }) => type === 'revocation.previewed')).toHaveLength(FITTING.length);
    expect(await broker.isActive(issued)).toBe(true);
  });

  it('above 256 tasks the answer does not wait for the count; the count is exact when it comes', async () => {
    const clock = handClock();
    const broker = await wholeBroker({ store: modelStore(clock), clock });
    await Promise.all(Array.from({ length: 300 }, () => broker.exchange()));
    const what = { kind: 'workload', value: AGENT } as const;
    const { affected } = await preview(broker, what);
    const receipt = await soc(broker, what);
    expect(receipt.affected).toBeUndefined();
    // What is revoked, or expires, before it is counted does not change what this one did.
    await soc(broker, { kind: 'all', value: '' });
    await countReceipts(broker.deps.ledger);
    expect((await readReceipt(broker.deps.ledger, receipt.seq))?.affected).toEqual(affected);
    expect((await readReceipt(broker.deps.ledger, receipt.seq + 1))?.affected).toMatchObject({ credentials: 0 });
  });

  it('a receipt is never that of another revocation which had its number in a log that was lost', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await wholeBroker({ store, clock });
    await soc(broker, { kind: 'workload', value: AGENT });
    const { records, indexes, ...rest } = store.snapshotState();
    const lost = { ...rest, tombstones: new Map(), entries: [], published: new Map(), generation: undefined };
    store.rewind({ ...lost, records, indexes });
    const { seq } = await soc(broker, { kind: 'owner', value: 'web' });
    expect((await readReceipt(broker.deps.ledger, seq))?.selector).toEqual({ kind: 'owner', value: 'web' });
    const lifted = await liftHold(broker.deps, broker.operator, { seq, requestId: 'r' });
    expect(lifted.lifted).toBe(seq + 1);
  });

  it('is counted as it was, also where a later revocation hit the same', async () => {
    const broker = await wholeBroker();
    await broker.exchange();
    const { ledger } = broker.deps;
    const by = { effect: 'hold', reason: 'r', actor: 'soc' } as const;
    const { selector, at, seq, before } = await revoke(ledger, { selector: { kind: 'workload', value: AGENT }, ...by });
    await revoke(ledger, { selector: { kind: 'target', value: TARGET }, ...by });
    expect((await countImpact(ledger, { selector, at, published: { seq, before } })).credentials).toBe(1);
  });
});
