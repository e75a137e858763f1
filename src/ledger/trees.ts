/**
 * The tree of a root task: the root, all that was opened below it, and what goes on with any of these, as long as the records last,
 * whether it has ended or not.
 */
import { SHARDS } from '../domain/id.js';
import type { Task } from '../domain/task.js';
import { treeIndex, treesIndex } from './keys.js';
import type { Ledger } from './ledger.js';
import { treeEntries } from './tasks.js';
import { readPage, type PageBy, type TaskPage } from './open-tasks.js';

/** Returns the next tasks of a tree: the root first, then the others as they were opened. */
export async function treeAfter(ledger: Ledger, root: string, { after, most }: PageBy): Promise<TaskPage> {
  const found = await ledger.records.range(treeIndex(root), { limit: most, ...(after && { after }) });
  const below = found.map(([id, openedAt]) => [openedAt, id] as const);
  const places = after ? below : [[0, root] as const, ...below];
  return readPage(
    ledger,
    places.slice(0, most).map(([score, id]) => [score, id]),
    most,
  );
}

/**
 * Enters a task in the tree of the one that it goes on with, before it is there: the two may be in different shards, and an entry
 * without a record shows nothing.
 */
export async function joinTree({ records }: Ledger, { id, lineage }: Task, later: Task): Promise<void> {
  await records.commit({ index: treeEntries(lineage[0] ?? id, later) });
}

const TREES_AT_ONCE = 100;
const TASKS_AT_ONCE = 1_000;

/** Removes what is kept of trees that are over for so long that no record of them is left. @param now Milliseconds. */
export async function forgetTrees(ledger: Ledger, now: number): Promise<void> {
  for (const shard of SHARDS) {
    const trees = await ledger.records.range(treesIndex(shard), { to: now, limit: TREES_AT_ONCE });
    for (const [root] of trees) {
      await forgetTree(ledger, root);
      await ledger.records.commit({ unindex: [[treesIndex(shard), root]] });
    }
  }
}

async function forgetTree({ records }: Ledger, root: string): Promise<void> {
  const index = treeIndex(root);
  for (;;) {
    const tasks = await records.range(index, { limit: TASKS_AT_ONCE });
    if (tasks.length > 0) await records.commit({ unindex: tasks.map(([id]) => [index, id]) });
    if (tasks.length < TASKS_AT_ONCE) return;
  }
}
