/** A revocation log that was lost, moved or set back: everything older is dead, and nothing that was revoked comes back. */
import { describe, expect, it } from '@jest/globals';
import { followReceipts } from '../../../src/ledger/follow-receipts.js';
import { readReceipt } from '../../../src/ledger/receipts.js';
import { openRevocationLog, type RevocationLog } from '../../../src/ledger/revocation-log.js';
import { readTaskState } from '../../../src/ledger/task-state.js';
import { revoke } from '../../../src/ledger/revoke.js';
import type { Log } from '../../../src/store/store.js';
import { handClock } from '../../support/clock.js';
import { modelStore, type ModelStore } from '../../support/search/model-store.js';
import { refusal } from '../../support/refusal-code.js';
import { AGENT, wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { resumeTask, heartbeat } from '../../support/verbs.js';

const KEY = new Uint8Array(32);
const revokeAgent = ({ deps: { ledger } }: WholeBroker) =>
  revoke(ledger, { selector: { kind: 'workload', value: AGENT }, effect: 'cutoff', reason: 'r', actor: 'soc' });

const ELSEWHERE = { selector: { kind: 'owner', value: 'x' } } as const;

async function setting() {
  const clock = handClock();
  const store = modelStore(clock);
  const broker = await wholeBroker({ store, clock, keyEncryptionKey: KEY });
  return { clock, store, broker, another: () => wholeBroker({ store, clock, keyEncryptionKey: KEY }) };
}

/** The log alone is lost; records, as in another node of a cluster, are still there. */
const loseLog = (store: ModelStore) => {
  const { records, indexes } = store.snapshotState();
  store.wipe();
  store.rewind({ ...store.snapshotState(), records, indexes });
};

it('what is published after the log was lost gets its receipt, though the receipts had come further in the lost one', async () => {
  const { store, broker } = await setting();
  const { ledger } = broker.deps;
  for (let n = 0; n < 3; n += 1) await revokeAgent(broker);
  await followReceipts(ledger);
  loseLog(store);
  const { id, seq } = await revokeAgent(broker);
  await followReceipts(ledger);
  expect(seq).toBe(1);
  expect(await readReceipt(ledger, seq)).toMatchObject({ id, seq });
});

const LOSSES: [string, (store: ModelStore) => void][] = [
  ['the log alone is lost', loseLog],
  ['the log has moved to another home', (store) => store.moveHome()],
];

describe('when the log is lost', () => {
  describe.each(LOSSES)('%s', (_, lose) => {
    it('G5: everything older is dead, tasks too, for every broker on the store', async () => {
      const { store, broker, another } = await setting();
      const other = await another();
      const { task } = await broker.open({ heartbeat: { intervalSeconds: 60, missesAllowed: 3 } });
      const issued = await broker.under(task.id);
      lose(store);
      for (const one of [other, broker, await another()]) {
        expect(await one.isActive(issued)).toBe(false);
        expect(await refusal(one.under(task.id))).toBe('invalid_grant');
        expect(await refusal(one.open({ parent: task.id }))).toBe('conflict');
        expect(await refusal(resumeTask(one.deps, one.operator, { taskId: task.id, requestId: 'r' }))).toBe('conflict');
        expect((await heartbeat(one.deps, one.operator, { taskId: task.id, requestId: 'r' })).state).toBe('revoked');
        expect(await readTaskState(one.deps.ledger, task)).toBe('revoked');
      }
    });

    it('what is born after it lives, and both brokers agree', async () => {
      const { store, broker, another } = await setting();
      const other = await another();
      await broker.exchange();
      lose(store);
      const [one, two] = await Promise.all([broker.exchange(), other.exchange()]);
      expect(one.credential.epoch.split('.')[0]).toBe(two.credential.epoch.split('.')[0]);
      for (const asked of [broker, other]) {
        expect([await asked.isActive(one), await asked.isActive(two)]).toEqual([true, true]);
      }
    });
  });
});

describe('when the log was set back to an older state of itself', () => {
  it('G5: a broker that has seen it further lets nothing revoked come back', async () => {
    const { store, broker } = await setting();
    const issued = await broker.exchange();
    const backup = store.snapshotState();
    await revokeAgent(broker);
    store.rewind(backup); // under the same home: seq is below the highest this process has seen
    expect(await broker.isActive(issued)).toBe(false);
  });

  it('also while the revocation was the only thing this process ever saw of it', async () => {
    const { store, broker, another } = await setting();
    const issued = await broker.exchange();
    const fresh = await another();
    await fresh.deps.ledger.log.look([]);
    const backup = store.snapshotState();
    await revokeAgent(fresh);
    store.rewind(backup);
    expect(await fresh.isActive(issued)).toBe(false);
    expect(await broker.isActive(issued)).toBe(false);
  });

  it('also at another home, where as many others were published since', async () => {
    const { store, broker, another } = await setting();
    const issued = await broker.exchange();
    const backup = store.snapshotState();
    await revokeAgent(broker);
    await broker.deps.ledger.log.look([]);
    store.rewind(backup);
    const other = await another();
    await revoke(other.deps.ledger, { ...ELSEWHERE, effect: 'cutoff', reason: 'r', actor: 'soc' });
    store.takeForItsHome(); // What is trusted or adopted keeps its generation.
    expect(await other.isActive(issued)).toBe(true); // It has never seen what is missing.
    expect(await broker.isActive(issued)).toBe(false);
    expect(await other.isActive(issued)).toBe(false);
  });

  it('several brokers that find it at once install one generation', async () => {
    const { store, broker, another } = await setting();
    await revokeAgent(broker);
    const brokers = await Promise.all(Array.from({ length: 5 }, another));
    await Promise.all(brokers.map(({ deps }) => deps.ledger.log.look([])));
    loseLog(store);
    const looks = await Promise.all(brokers.map(({ deps }) => deps.ledger.log.look([])));
    expect(new Set(looks.map(({ epoch }) => epoch.generation)).size).toBe(1);
  });
});

describe('what is no loss', () => {
  const gated = (log: Log) => {
    let gate = Promise.resolve();
    const slow: Log = {
      ...log,
      async look(...asked) {
        const answer = await log.look(...asked);
        await gate;
        return answer;
      },
    };
    const hold = () => {
      let release: () => void = () => undefined;
      gate = new Promise((resolve) => (release = resolve));
      return release;
    };
    return { slow, hold };
  };
  const publish = (log: RevocationLog) =>
    revoke(
      { records: modelStore(handClock()).records, log, clock: handClock() },
      { selector: { kind: 'owner', value: 'x' }, effect: 'cutoff', reason: '', actor: '' },
    );

  it('a look whose answer is overtaken by a publication, or by a later look', async () => {
    const { slow, hold } = gated(modelStore(handClock()).log);
    const replaced: unknown[] = [];
    const log = openRevocationLog(slow, { onNewGeneration: (lost) => void replaced.push(lost) });
    await log.look([]);
    const release = hold();
    const early = log.look([]);
    await publish(log);
    release();
    await early;
    await log.look([]);
    expect(replaced).toEqual([undefined]); // the first start
  });

  it('and yet an overtaken look lowers nothing of what was seen', async () => {
    const store = modelStore(handClock());
    const { slow, hold } = gated(store.log);
    const log = openRevocationLog(slow);
    const { generation } = (await log.look([])).epoch;
    const backup = store.snapshotState();
    const release = hold();
    const early = log.look([]);
    await publish(log);
    release();
    await early;
    store.rewind(backup);
    expect((await log.look([])).epoch.generation).not.toBe(generation);
  });
});

it('a log that keeps losing its generation answers nothing', async () => {
  const store = modelStore(handClock());
  const log = openRevocationLog({ ...store.log, replace: () => Promise.resolve(true) });
  await expect(log.look([])).rejects.toThrow('does not keep its generation');
});

it('a revocation is taken even by a log that has lost its past, and holds in the new one', async () => {
  const { store, broker } = await setting();
  await broker.exchange();
  loseLog(store);
  const selector = { kind: 'workload', value: AGENT } as const;
  await revoke(broker.deps.ledger, { selector, effect: 'hold', reason: 'r', actor: 'soc' });
  expect(await refusal(broker.exchange())).toBe('access_denied');
});
