/** The audit log follows the revocation log: each revocation is entered exactly once, whoever publishes, follows or dies. */
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../../src/audit/event.js';
import { openLmdb } from '../../../src/store/lmdb.js';
import { LogGap, StoreUnavailable, type Log, type Records, type Store } from '../../../src/store/store.js';
import { auditSetting, type AuditSetting } from '../../support/audit.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { temporaryDirectory } from '../../support/directory.js';
import { modelStore, type ModelStore } from '../../support/search/model-store.js';
import { publication } from '../../support/publication.js';

const opened: Store[] = [];
afterAll(() => Promise.all(opened.map((store) => store.close())));

const stores: [string, (clock: HandClock) => Promise<Store>][] = [
  ['the model store', (clock) => Promise.resolve(modelStore(clock))],
  ['LMDB', (clock) => openLmdb({ directory: temporaryDirectory(), clock, role: 'broker' })],
];

const eventsOf = async (setting: AuditSetting) => (await setting.lines()).map((line) => JSON.parse(line) as AuditEvent);
const followedOf = async (setting: AuditSetting) =>
  (await eventsOf(setting)).flatMap(({ revocation }) => (revocation ? [revocation.id] : []));
const publish = async (store: Store, from: number, to: number) => {
  for (let number = from; number <= to; number += 1) await store.log.publish(publication({ id: `r${number}` }));
};
const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `r${from + index}`);

describe.each(stores)('following the revocation log on %s', (_, openStore) => {
  let store: Store;
  let setting: AuditSetting;
  beforeEach(async () => {
    const clock = handClock();
    store = await openStore(clock);
    opened.push(store);
    setting = await auditSetting(store, clock);
  });

  it('enters what was published, with who, why and what, and a lift as well', async () => {
    await store.log.publish(publication({ id: 'a', ticket: 'INC-1', liftAt: 1_900_000_050_000 }));
    await store.log.publish(publication({ id: 'b', effect: 'lift', lifts: 1 }));
    await setting.open().catchUp();
    const selector = { kind: 'workload', value: 'spiffe://test.example/agent' };
    const common = { type: 'revocation.published', actor: { id: 'test' }, reason: 'a test says so' };
    const at = 1_900_000_000_000;
    expect(await eventsOf(setting)).toMatchObject([
      {
        ...common,
        ticket: 'INC-1',
        revocation: { id: 'a', seq: 1, effect: 'hold', selector, at, liftAt: 1_900_000_050_000 },
      },
      { ...common, revocation: { id: 'b', seq: 2, effect: 'lift', selector, at, lifts: 1 } },
    ]);
    await setting.expectWhole();
  });

  it('has entered, when it answers, all that was published before it was called', async () => {
    const log = setting.open();
    await Promise.all(
      ids(1, 30).map(async (id) => {
        await store.log.publish(publication({ id }));
        await log.catchUp();
        expect(await followedOf(setting)).toContain(id);
      }),
    );
    expect(await followedOf(setting)).toHaveLength(30);
  });

  it('many brokers that publish and follow at once enter each once, in the order of the log', async () => {
    const logs = Array.from({ length: 4 }, (__, broker) => setting.open({ node: `broker-${broker}` }));
    await Promise.all(
      ids(1, 40).map(async (id, index) => {
        await store.log.publish(publication({ id }));
        await logs[index % 4]!.catchUp();
      }),
    );
    const order = (await store.log.entries(0, 100)).map(({ id }) => id);
    expect(await followedOf(setting)).toEqual(order);
    await setting.expectWhole();
  });

  it('follows more than it reads at once', async () => {
    await publish(store, 1, 600);
    await setting.open().catchUp();
    expect(await followedOf(setting)).toEqual(ids(1, 600));
  });

  it('a token in a reason does not get in, and holds nothing up', async () => {
    await store.log.publish(
      publication({ id: 'r1', reason: 'found eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln on a wiki' }),
    );
    await setting.open().catchUp();
    expect((await eventsOf(setting))[0]?.reason).toBe('found [token removed] on a wiki');
  });
});

describe('a broker that dies while it follows', () => {
  it('at any step, before or after it took effect: the next one enters the rest, each exactly once', async () => {
    for (const effect of ['before', 'after'] as const) {
      for (let step = 0; step < 8; step += 1) {
        const store = modelStore(handClock());
        const setting = await auditSetting(store, handClock());
        await publish(store, 1, 3);
        await setting
          .open({ ...dyingAt(store, step, effect), giveUpAfterMs: -1 })
          .catchUp()
          .catch(() => undefined);
        await publish(store, 4, 5);
        await setting.open().catchUp();
        expect(await followedOf(setting)).toEqual(ids(1, 5));
        await setting.expectWhole();
      }
    }
  });
});

describe('what the revocation log has lost', () => {
  let store: ModelStore;
  let setting: AuditSetting;
  beforeEach(async () => {
    const clock = handClock();
    store = modelStore(clock);
    setting = await auditSetting(store, clock);
  });

  it.each([0, 1, 2, 5])(
    'entries that were forgotten before they were followed are named as missing (after %i)',
    async (before) => {
      await publish(store, 1, before);
      const log = setting.open({ log: trimmed(store.log, () => 7) });
      if (before > 0) await setting.open().catchUp();
      await publish(store, before + 1, 10);
      await log.catchUp();
      expect((await eventsOf(setting)).filter(({ type }) => type === 'audit.gap')).toMatchObject([
        { missing: { from: before + 1, to: 7 } },
      ]);
      expect(await followedOf(setting)).toEqual([...ids(1, before), ...ids(8, 10)]);
      await log.catchUp();
      expect(await eventsOf(setting)).toHaveLength(before + 4);
    },
  );

  it('forgetting what was followed leaves no gap', async () => {
    await publish(store, 1, 7);
    await setting.open().catchUp();
    await publish(store, 8, 9);
    await setting.open({ log: trimmed(store.log, () => 7) }).catchUp();
    expect(await eventsOf(setting)).toHaveLength(9);
    expect(await followedOf(setting)).toEqual(ids(1, 9));
  });

  it('a log that went back is noticed, and what it then takes is entered', async () => {
    await publish(store, 1, 5);
    const old = store.snapshotState();
    await publish(store, 6, 8);
    const log = setting.open();
    await log.catchUp();
    rewindLog(store, old);
    await log.catchUp();
    await publish(store, 100, 101);
    await log.catchUp();
    const events = await eventsOf(setting);
    expect(events.filter(({ type }) => type === 'log.replaced')).toHaveLength(1);
    expect(await followedOf(setting)).toEqual([...ids(1, 8), ...ids(1, 5), ...ids(100, 101)]);
  });

  it('another log that has already grown past the old one is noticed too', async () => {
    await publish(store, 1, 5);
    const log = setting.open();
    await log.catchUp();
    rewindLog(store, modelStore(handClock()).snapshotState());
    await publish(store, 100, 108);
    await log.catchUp();
    expect((await eventsOf(setting))[5]).toMatchObject({ type: 'log.replaced' });
    expect(await followedOf(setting)).toEqual([...ids(1, 5), ...ids(100, 108)]);
  });
});

/** Every operation from the given one on fails. That one takes effect before it fails, or not. */
function dyingAt(store: Store, step: number, effect: 'before' | 'after'): { records: Records; log: Log } {
  let operations = 0;
  const guard = <A extends unknown[], R>(operation: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      const dead = operations >= step;
      if (operations === step && effect === 'after') await operation(...args);
      operations += 1;
      if (dead) throw new StoreUnavailable('dead');
      return operation(...args);
    };
  };
  const { records, log } = store;
  return {
    records: {
      ...records,
      read: guard((keys: Parameters<Records['read']>[0]) => records.read(keys)),
      commit: guard((change: Parameters<Records['commit']>[0]) => records.commit(change)),
    },
    log: {
      ...log,
      look: guard((...asked: Parameters<Log['look']>) => log.look(...asked)),
      entries: guard((after: number, limit: number) => log.entries(after, limit)),
    },
  };
}

/** A revocation log that keeps only the entries after a number. */
const trimmed = (log: Log, kept: () => number): Log => ({
  ...log,
  entries: (after, limit) => (after < kept() ? Promise.reject(new LogGap('forgotten')) : log.entries(after, limit)),
});

/** The revocation log is restored to an earlier state; the audit log, on another shard, is not. */
function rewindLog(store: ModelStore, older: ReturnType<ModelStore['snapshotState']>): void {
  const { records, indexes } = store.snapshotState();
  store.rewind({ ...older, records, indexes });
}
