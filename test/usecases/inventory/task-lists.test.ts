/** Lists of tasks: a tree has what has ended, as long as the records last, and no page says more than its reader may know. */
import { describe, expect, it } from '@jest/globals';
import type { Paging } from '../../../src/authorization/fill-page.js';
import { permitOnTask } from '../../../src/authorization/permit-on-task.js';
import { shardOf } from '../../../src/domain/id.js';
import type { Task } from '../../../src/domain/task.js';
import { DAY_MS } from '../../../src/domain/time.js';
import { listTasks, listTree } from '../../../src/inventory/tasks.js';
import { treeIndex, treesIndex } from '../../../src/ledger/keys.js';
import type { TaskPlace } from '../../../src/ledger/open-tasks.js';
import { birth, readTasks, settle } from '../../../src/ledger/tasks.js';
import { forgetTrees } from '../../../src/ledger/trees.js';
import { wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { openStoreAt, openStoreIn } from '../../support/redis-store.js';
import { refusal } from '../../support/refusal-code.js';
import { startCluster, startRedis } from '../../support/redis.js';
import { completeTask } from '../../support/verbs.js';

const treeOf = async ({ deps, operator }: WholeBroker, id: string) => {
  const permitted = await permitOnTask(deps, operator, 'readTask', id);
  const { permitted: tasks } = await listTree(deps, permitted, { limit: 500 });
  return tasks.map(({ subject: { task, state } }) => [task.id, state]);
};

const LIFE_MS = 28_800_000;

/** The same broker where the audit log keeps its entries for so long. */
const retaining = (broker: WholeBroker, days: number): WholeBroker => ({
  ...broker,
  deps: { ...broker.deps, ledger: { ...broker.deps.ledger, auditRetentionMs: days * DAY_MS } },
});

async function grow(broker: WholeBroker) {
  const { task: root } = await broker.open();
  broker.clock.advance(1);
  const { task: child } = await broker.open({ parent: root.id });
  broker.clock.advance(1);
  const { task: grandchild } = await broker.open({ parent: child.id });
  return { root, child, grandchild };
}

const kept = async ({ store: { records } }: WholeBroker, root: string) => ({
  tasks: await records.count(treeIndex(root)),
  trees: await records.count(treesIndex(shardOf(root))),
});

describe('a tree', () => {
  it.each([1, 30, 90])(
    'has what has ended while the audit log of %s days has entries of it, and is then forgotten',
    async (days) => {
      const broker = retaining(await wholeBroker(), days);
      const keptMs = LIFE_MS + (1 + days) * DAY_MS;
      const { root, child, grandchild } = await grow(broker);
      await completeTask(broker.deps, broker.operator, { taskId: child.id, outcome: 'completed', requestId: 'r' });
      const whole = [
        [root.id, 'open'],
        [child.id, 'completed'],
        [grandchild.id, 'cancelled'],
      ];
      for (const { id } of [root, child, grandchild]) expect(await treeOf(broker, id)).toEqual(whole);
      await completeTask(broker.deps, broker.operator, { taskId: root.id, outcome: 'completed', requestId: 'r' });
      const { ledger } = broker.deps;
      await settle(ledger, grandchild.id, { as: 'cancelled', at: broker.clock.now() });
      const over = [[root.id, 'completed'], ...whole.slice(1)];
      broker.clock.advance(keptMs - 1_000);
      expect(await readTasks(ledger, [root.id, child.id, grandchild.id])).toEqual([]);
      for (const { id } of [root, child, grandchild]) expect(await treeOf(broker, id)).toEqual(over);
      // The latest that anything below it could have ended, and so long.
      broker.clock.set(grandchild.openedAt + LIFE_MS + keptMs);
      for (const { id } of [root, child]) expect(await refusal(treeOf(broker, id))).toBe('not_found');
      await forgetTrees(broker.deps.ledger, broker.clock.now());
      expect(await kept(broker, root.id)).toEqual({ tasks: 2, trees: 1 });
      broker.clock.advance(120_000);
      await forgetTrees(broker.deps.ledger, broker.clock.now());
      expect(await kept(broker, root.id)).toEqual({ tasks: 0, trees: 0 });
    },
  );

  it('is kept on for a task that is opened below it later', async () => {
    const broker = await wholeBroker();
    const { root } = await grow(broker);
    broker.clock.advance(600_000);
    const { task: later } = await broker.open({ parent: root.id });
    await forgetTrees(broker.deps.ledger, later.openedAt + 2 * LIFE_MS + 31 * DAY_MS);
    expect(await kept(broker, root.id)).toEqual({ tasks: 3, trees: 1 });
  });

  it('has what goes on with a task of it, wherever that is, and that one has its own', async () => {
    const broker = await wholeBroker();
    const { root, child, grandchild } = await grow(broker);
    broker.clock.advance(1);
    const { task: later } = await broker.open({ continues: child.id });
    broker.clock.advance(1);
    const { task: below } = await broker.open({ continues: later.id, parent: root.id });
    const tree = [root, child, grandchild, later, below].map(({ id }) => [id, 'open']);
    expect(await treeOf(broker, grandchild.id)).toEqual(tree);
    expect(await treeOf(broker, later.id)).toEqual([
      [later.id, 'open'],
      [below.id, 'open'],
    ]);
    expect([later.continues, below.continues]).toEqual([child.id, later.id]);
  });

  it('of a task with nothing below it is the task, and takes no place in the store', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    expect(await treeOf(broker, task.id)).toEqual([[task.id, 'open']]);
    expect(await kept(broker, task.id)).toEqual({ tasks: 0, trees: 0 });
  });
});

/** More than one answer looks at: then it ends at a task that the reader may not read. */
const MANY = 1_100;

async function withMany(store?: WholeBroker['store']) {
  const { deps } = await wholeBroker();
  const own = 'own';
  const decide: typeof deps.policy.decide = async (query) => {
    const isForeign = query.resource.type === 'task' && query.resource.task.purpose !== own;
    return query.action === 'readTask' && isForeign
      ? { outcome: 'deny', policies: [], digest: 'one' }
      : deps.policy.decide(query);
  };
  const broker = await wholeBroker({ ...(store && { store }), policy: { ...deps.policy, decide } });
  const { task: root } = await broker.open({ purpose: own });
  const { task: other } = await broker.open({ purpose: own, parent: root.id });
  const foreign = Array.from({ length: MANY }, (_, place): Task => {
    const id = root.id.slice(0, 6) + ids(place);
    return { ...root, id, lineage: [root.id], purpose: 'foreign', openedAt: root.openedAt - 1 };
  });
  for (let start = 0; start < foreign.length; start += 100)
    await Promise.all(foreign.slice(start, start + 100).map((task) => broker.store.records.commit(birth(task))));
  await settle(broker.deps.ledger, foreign[0]?.id ?? '', { as: 'failed', at: broker.clock.now() });
  return { broker, own: [root.id, other.id].toSorted() };
}

/** Returns 14 characters of an id. */
const ids = (place: number): string =>
  place
    .toString(8)
    .padStart(6, '0')
    .replaceAll(/\d/g, (digit) => 'abcdefgh'[Number(digit)] ?? '') + 'aaaaaaaa';

describe.each([
  ['LMDB', undefined],
  ['Redis', async () => openStoreAt((await startRedis()).url)],
  ['Redis Cluster', async () => openStoreIn({ nodes: (await startCluster()).urls })],
])('on %s', (_, openStore) => {
  it('a tree has what is below it in its shard, what goes on with it in any, and what has ended', async () => {
    const store = await openStore?.();
    const broker = await wholeBroker({ ...(store && { store }) });
    const { root, child, grandchild } = await grow(broker);
    await completeTask(broker.deps, broker.operator, { taskId: child.id, outcome: 'completed', requestId: 'r' });
    const later: string[] = [];
    for (let count = 0; count < 8; count += 1) {
      broker.clock.advance(1);
      later.push((await broker.open({ continues: grandchild.id })).task.id);
    }
    expect(new Set([...later, root.id].map(shardOf)).size).toBeGreaterThan(1);
    expect((await treeOf(broker, grandchild.id)).map(([id]) => id)).toEqual([
      ...[root, child, grandchild].map(({ id }) => id),
      ...later,
    ]);
    await forgetTrees(broker.deps.ledger, broker.clock.now() + 40 * DAY_MS);
    expect(await kept(broker, root.id)).toEqual({ tasks: 0, trees: 0 });
  });

  it('what the reader may not read is on no page, of the list or of a tree, and keeps none from what comes behind', async () => {
    const { broker, own } = await withMany(await openStore?.());
    const { deps, operator } = broker;
    const tree = await permitOnTask(deps, operator, 'readTask', own[0] ?? '');
    const lists = [
      (wanted: Paging<TaskPlace>) => listTasks(deps, operator, {}, wanted),
      (wanted: Paging<TaskPlace>) => listTree(deps, tree, wanted),
    ];
    for (const list of lists) {
      const found: string[] = [];
      let more = 0;
      for (let after: TaskPlace | undefined, pages = 0; pages < 10; pages += 1) {
        const { permitted, next } = await list({ limit: 500, ...(after && { after }) });
        found.push(...permitted.map(({ subject }) => subject.task.id));
        if (!next) break;
        after = next;
        more += 1;
      }
      expect(found.toSorted()).toEqual(own);
      expect(more).toBeGreaterThan(0);
    }
  });
});
