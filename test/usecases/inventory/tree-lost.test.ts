/** What a tree shows of an ended task is not lost with the broker that ends it, nor to a task that enters the tree meanwhile. */
import { describe, expect, it } from '@jest/globals';
import type { Task } from '../../../src/domain/task.js';
import { DAY_MS } from '../../../src/domain/time.js';
import { recordKey } from '../../../src/ledger/keys.js';
import { treeAfter } from '../../../src/ledger/trees.js';
import { openTask } from '../../../src/tasks/open-task.js';
import { StoreUnavailable, type Change, type Store } from '../../../src/store/store.js';
import { wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { completeTask } from '../../support/verbs.js';

type Commit = Store['records']['commit'];

/** Of one store: a broker, and another one, whose ledger commits through `commit`. */
async function twoBrokers(commit: (change: Change, real: Commit) => Promise<boolean>) {
  const good = await wholeBroker();
  const { ledger } = good.deps;
  const { records } = ledger;
  const other = { ...records, commit: (change: Change) => commit(change, (made) => records.commit(made)) };
  const tested = { ...good, deps: { ...good.deps, ledger: { ...ledger, records: other } } };
  return { good, tested };
}

const ends = ({ deps, operator }: WholeBroker, { id }: Task) =>
  completeTask(deps, operator, { taskId: id, outcome: 'completed', requestId: 'r' });

const isContinued = ({ deps, operator }: WholeBroker, { id }: Task) =>
  openTask(deps, operator, { purpose: 'more', continues: id, requestId: 'r' });

/** Once the records of ended tasks have expired. */
async function treeLater({ deps, clock }: WholeBroker, root: Task): Promise<Record<string, string | undefined>> {
  clock.advance(2 * DAY_MS);
  const { tasks } = await treeAfter(deps.ledger, root.id, { most: 500 });
  return Object.fromEntries(tasks.map(({ task }) => [task.id, task.ended?.as]));
}

it.each(['root', 'child', 'earlier', 'later'] as const)(
  'a broker that dies once the end of the %s is in its record',
  async (role) => {
    const dying: { id?: string; dead: boolean } = { dead: false };
    const { good, tested } = await twoBrokers(async (change, real) => {
      if (dying.dead) throw new StoreUnavailable('the broker is gone');
      const done = await real(change);
      dying.dead ||=
        change.put?.some(
          ([key, text]) => dying.id !== undefined && key === recordKey(dying.id) && /"ended"/.test(text),
        ) === true;
      return done;
    });
    const { task: root } = await good.open();
    const { task: child } = await good.open({ parent: root.id });
    const { task: earlier } = await good.open();
    const { task: later } = await good.open({ continues: earlier.id });
    const tasks = { root, child, earlier, later };
    dying.id = tasks[role].id;
    await ends(tested, tasks[role]).catch(() => undefined);
    expect(dying.dead).toBe(true);
    for (const task of Object.values(tasks)) if (task.id !== dying.id) await ends(good, task);
    expect(await treeLater(good, earlier)).toEqual({ [earlier.id]: 'completed', [later.id]: 'completed' });
    expect(await treeLater(good, root)).toMatchObject({ [root.id]: 'completed' });
    expect(Object.keys(await treeLater(good, root)).toSorted()).toEqual([root.id, child.id].toSorted());
  },
);

describe('a task that ends while another one enters its tree is in it, in whatever order their writes come', () => {
  it.each([
    ['the end first', isContinued, ends],
    ['the end last', ends, isContinued],
  ] as const)('%s', async (_, outer, inner) => {
    let tried = 0;
    for (let isOver = false; !isOver;) {
      let [seen, task]: [number, Task | undefined] = [0, undefined];
      const { good, tested } = await twoBrokers(async (change, real) => {
        if (task && seen++ === tried) await inner(good, task);
        return real(change);
      });
      ({ task } = await good.open());
      await outer(tested, task);
      isOver = seen <= tried;
      if (!isOver) expect(await treeLater(good, task)).toMatchObject({ [task.id]: 'completed' });
      if (!isOver) tried += 1;
    }
    expect(tried).toBeGreaterThan(0);
  });
});
