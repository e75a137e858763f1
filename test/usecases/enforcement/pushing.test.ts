/** A role's deny policy is written when it must be and no more often. Denials are removed when nothing needs them. */
import { describe, expect, it } from '@jest/globals';
import type { Issued } from '../../../src/credentials/release.js';
import { newId, shardOf, SHARDS } from '../../../src/domain/id.js';
import { cause } from '../../../src/domain/selector.js';
import { enforcementIndex } from '../../../src/ledger/keys.js';
import { handClock } from '../../support/clock.js';
import { memoryAws, OTHER_ROLE, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker } from '../../support/brokers/sessions.js';

async function begin() {
  const clock = handClock();
  const aws = memoryAws(clock);
  const store = modelStore(clock);
  const broker = sessionBroker({ store, clock, aws });
  await pass(clock, FENCED_SECONDS, broker);
  const passing = ({ credential }: Issued) => aws.reads(credential.id);
  return { ...broker, clock, store, aws, passing, pass: (seconds: number) => pass(clock, seconds, broker) };
}

const idOf = ({ credential }: Issued): string => credential.id.replace('crd_', '');

describe('a push happens', () => {
  it('once for several ends within a second', async () => {
    const { mint, revoke, complete, aws, passing, pass: wait } = await begin();
    const minted = await Promise.all(['lab:red-1', 'lab:red-2', 'lab:blue-1'].map((workload) => mint(workload)));
    const [one, two, three] = minted as [Issued, Issued, Issued];
    const before = aws.writes(ROLE).length;
    await revoke('credential', one.credential.id, 'end');
    await complete(two.task.id);
    await revoke('workload', 'lab:blue-1', 'hold');
    await wait(5);
    expect(aws.writes(ROLE)).toHaveLength(before + 1);
    expect([one, two, three].map(passing)).toEqual([false, false, false]);
  });

  it('never while nothing has died: minting, renewing and passing time cause none', async () => {
    const { mint, aws, pass: wait } = await begin();
    const before = [ROLE, OTHER_ROLE].map((role) => aws.writes(role).length);
    const { task } = await mint('lab:red-1');
    await wait(20);
    await mint('lab:red-1', { taskId: task.id });
    await wait(60);
    expect([ROLE, OTHER_ROLE].map((role) => aws.writes(role).length)).toEqual(before);
  });

  it('once, however many turns follow', async () => {
    const { mint, complete, reconciler, aws, clock } = await begin();
    const { task } = await mint('lab:red-1');
    const before = aws.writes(ROLE).length;
    await complete(task.id);
    for (let turn = 0; turn < 3; turn += 1) await reconciler.run(clock.now());
    expect(aws.writes(ROLE)).toHaveLength(before + 1);
  });

  it('once a second, however much dies within it and however many turns there are', async () => {
    const { mint, revoke, work, passing, aws, clock, pass: wait } = await begin();
    const minted = await Promise.all(Array.from({ length: 9 }, () => mint('lab:red-1')));
    const before = aws.writes(ROLE).length;
    const startedAt = clock.now();
    for (const { credential } of minted) {
      await revoke('credential', credential.id, 'end');
      await work();
      clock.advance(200);
    }
    const writes = aws.writes(ROLE).slice(before);
    expect(writes.map(({ at }) => at - startedAt)).toEqual([0, 1_000]);
    await wait(5);
    expect(minted.filter(passing)).toEqual([]);
  });

  it('only for the dead sessions of that role', async () => {
    const { mint, complete, aws, pass: wait } = await begin();
    const { task } = await mint('lab:red-1', { role: OTHER_ROLE });
    const before = aws.writes(ROLE).length;
    await complete(task.id);
    await wait(2);
    expect(aws.writes(ROLE)).toHaveLength(before);
    expect(JSON.stringify(aws.document(OTHER_ROLE))).toContain(task.id.replace('tsk_', ''));
  });

  it.each(['cutoff', 'hold'] as const)(
    'that names a workload with a %s once and none of its sessions: the policy of a role has little room',
    async (effect) => {
      const { mint, revoke, aws, passing, pass: wait } = await begin();
      const minted = [await mint('lab:red-1'), await mint('lab:red-1')];
      await revoke('workload', 'lab:red-1', effect);
      await wait(5);
      const policy = JSON.stringify(aws.document(ROLE));
      expect(policy).toContain(`${cause('workload', 'lab:red-1')}@0`);
      for (const { credential, task } of minted)
        for (const id of [credential.id, task.id]) expect(policy).not.toContain(id.replace(/^\w{3}_/, ''));
      expect(minted.filter(passing)).toEqual([]);
    },
  );

  it('at most once a second, and not for sessions that expire before it is effective', async () => {
    const { mint, revoke, aws, clock, pass: wait } = await begin();
    const short = await mint('lab:red-1', { lifetimeSeconds: 30 });
    const long = await mint('lab:red-1');
    await wait(16);
    await revoke('credential', short.credential.id, 'end');
    await wait(2);
    expect(JSON.stringify(aws.document(ROLE))).not.toContain(idOf(short));
    await revoke('credential', long.credential.id, 'end');
    await wait(2);
    expect(JSON.stringify(aws.document(ROLE))).toContain(idOf(long));
    for (let end = 0; end < 10; end += 1) {
      const { credential } = await mint('lab:red-1');
      await revoke('credential', credential.id, 'end');
      clock.advance(500);
      if (end % 2 === 1) await wait(1);
    }
    const seconds = aws.writes(ROLE).map(({ at }) => Math.floor(at / 1_000));
    expect(new Set(seconds).size).toBe(seconds.length);
  });
});

describe('denials are removed', () => {
  it('not too soon: a dead session stays denied, second by second, until AWS has forgotten it by itself', async () => {
    const { mint, revoke, passing, pass: wait } = await begin();
    const minted: Issued[] = [];
    for (const lifetimeSeconds of [40, 100, 160, 400, 900]) {
      minted.push(await mint('lab:red-1', { lifetimeSeconds }), await mint('lab:blue-1', { lifetimeSeconds }));
    }
    for (const { credential } of minted.slice(0, 6)) await revoke('credential', credential.id, 'end');
    await revoke('workload', 'lab:blue-1', 'cutoff');
    await wait(5);
    for (let second = 0; second < 1_000; second += 1) {
      const alive = second < 395 ? [minted[6]] : [];
      if (second < 895) alive.push(minted[8]);
      expect(minted.filter(passing)).toEqual(alive);
      await wait(1);
    }
  });

  it('lazily: one that is no longer needed goes a minute after the deadline, and causes no push of its own before', async () => {
    const { mint, revoke, aws, pass: wait } = await begin();
    const minted = [
      await mint('lab:red-1', { lifetimeSeconds: 100 }),
      await mint('lab:red-1', { lifetimeSeconds: 105 }),
      await mint('lab:red-1'),
    ];
    for (const { credential } of minted) await revoke('credential', credential.id, 'end');
    await wait(2);
    const before = aws.writes(ROLE).length;
    const denied = () => minted.filter((one) => JSON.stringify(aws.document(ROLE)).includes(idOf(one))).length;
    await wait(157);
    expect([denied(), aws.writes(ROLE).length]).toEqual([3, before]);
    await wait(20);
    expect([denied(), aws.writes(ROLE).length]).toEqual([2, before + 1]);
    await wait(60);
    expect([denied(), aws.writes(ROLE).length]).toEqual([1, before + 2]);
  });

  it('all of them: with nothing left to deny the policy is deleted, and nothing is written any more', async () => {
    const { mint, complete, aws, pass: wait } = await begin();
    const { task } = await mint('lab:red-1');
    await complete(task.id);
    await wait(4_000);
    expect(aws.document(ROLE)).toBeUndefined();
    const writes = aws.writes(ROLE).length;
    expect(aws.writes(ROLE).at(-1)).not.toHaveProperty('document');
    await wait(300);
    expect(aws.writes(ROLE)).toHaveLength(writes);
  });

  it('by one write for each part of the ledger, if thousands of sessions have expired', async () => {
    const { store, clock, pass: wait } = await begin();
    const { records } = store;
    const each = SHARDS.flatMap((shard) => Array.from({ length: 50 }, () => newId('crd', shard)));
    const crowded = Array.from({ length: 300 }, () => newId('crd', 'aa'));
    for (const id of [...each, ...crowded])
      await records.commit({ index: [[enforcementIndex(shardOf(id)), id, clock.now() - 100_000]] });
    const commit = records.commit.bind(records);
    let commits = 0;
    records.commit = (change) => {
      if (change.unindex) commits += 1;
      return commit(change);
    };
    await wait(11);
    expect(await Promise.all(SHARDS.map((shard) => records.count(enforcementIndex(shard))))).toEqual(
      SHARDS.map(() => 0),
    );
    expect(commits).toBe(SHARDS.length + 1);
  });
});
