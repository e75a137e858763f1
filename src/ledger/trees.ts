/**
 * The tree of a root task: the root, all that was opened below it, and what goes on with any of these, whether it has ended or not:
 * for a day by the records, and as long as the audit log has its entries by what is left of them.
 */
import { SHARDS } from '../domain/id.js';
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import type { Task } from '../domain/task.js';
import { treeIndex, treesIndex } from './keys.js';
import type { Ledger } from './ledger.js';
import { former, formerKeptMs, readFormer, readReadableTasks, readTask, treeEntries } from './tasks.js';
import { readPage, type PageBy, type TaskPage } from './open-tasks.js';

/** Returns the next tasks of a tree: the root first, then the others as they were opened. */
export async function treeAfter(ledger: Ledger, root: string, { after, most }: PageBy): Promise<TaskPage> {
  const found = await ledger.records.range(treeIndex(root), { limit: most, ...(after && { after }) });
  const below = found.map(([id, openedAt]) => [openedAt, id] as const);
  const places = after ? below : [[0, root] as const, ...below];
  return readPage(
    ledger,
    places.slice(0, most).map(([score, id]) => [score, id]),
    { most, read: readAlsoFormer },
  );
}

async function readAlsoFormer(ledger: Ledger, ids: readonly string[]): Promise<Task[]> {
  const found = await readReadableTasks(ledger, ids);
  const there = new Set(found.map(({ id }) => id));
  const gone = ids.filter((id) => !there.has(id));
  return gone.length === 0 ? found : [...found, ...(await readFormer(ledger, gone))];
}

/**
 * Enters a task in the tree of the one that it goes on with, before it is there: the two may be in different shards, and an entry
 * without a record shows nothing.
 */
export async function joinTree(ledger: Ledger, earlier: Task, later: Task): Promise<void> {
  await ledger.records.commit({ index: treeEntries(earlier.lineage[0] ?? earlier.id, later) });
  // It may have ended before it was part of a tree, also since the caller read it. Whoever ends it from here on finds the entry.
  const now = (await readTask(ledger, earlier.id))?.value ?? earlier;
  if (now.ended) await ledger.records.commit(former(ledger, now));
}

const TREES_AT_ONCE = 100;
const TASKS_AT_ONCE = 1_000;

/** Removes what is kept of trees that are over for so long that nothing of them is left. @param now Milliseconds. */
export async function forgetTrees(ledger: Ledger, now: number): Promise<void> {
  const to = now - formerKeptMs(ledger) - FORGET_MARGIN_MS;
  for (const shard of SHARDS) {
    const trees = await ledger.records.range(treesIndex(shard), { to, limit: TREES_AT_ONCE });
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
