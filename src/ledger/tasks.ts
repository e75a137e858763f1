/** Task records: reading, writing, and when the sweep must look at each. */
import { defined } from '../domain/defined.js';
import { isId, shardOf } from '../domain/id.js';
import { AUDIT_RETENTION_DAYS, HARD_LIMITS, HISTORY_MS } from '../domain/limits.js';
import { refOf } from '../domain/party.js';
import { cause } from '../domain/selector.js';
import { taskSchema, taskText, type Task } from '../domain/task.js';
import { DAY_MS } from '../domain/time.js';
import { record } from '../store/record.js';
import type { Change, Key } from '../store/store.js';
import { accountsOf } from './accounts.js';
import { childIndex, dueIndex, formerKey, openedIndex, recordKey, taskIndex, treeIndex, treesIndex } from './keys.js';
import type { Versioned, Ledger } from './ledger.js';
import { retryOnConflict, updateRecord } from './retry-on-conflict.js';

/** An open task has index entries and does not expire. One that has ended has none, and lasts as long as history does. */
const tasks = record(taskSchema, recordKey, {
  format: taskText,
  expiresAt: ({ ended }) => ended && ended.at + HISTORY_MS,
  indexes: indexChanges,
});

/** Returns undefined for an id that is unknown, or not a task's. */
export async function readTask(ledger: Ledger, id: string): Promise<Versioned<Task> | undefined> {
  return isId('tsk', id) ? tasks.read(ledger, id) : undefined;
}

/** Returns the tasks in the order asked, without the unknown ones. */
export async function readTasks(ledger: Ledger, ids: readonly string[]): Promise<Versioned<Task>[]> {
  const found = await tasks.readEach(
    ledger,
    ids.filter((id) => isId('tsk', id)),
  );
  return found.filter((stored) => stored !== undefined);
}

/**
 * Returns the tasks in the order asked, without those that are unknown or whose record cannot be read. It is for explanations
 * to people, which one damaged record must not hide. Nothing may be permitted because a task is missing here.
 */
export async function readReadableTasks({ records }: Ledger, ids: readonly string[]): Promise<Task[]> {
  return readableTexts(await records.read(ids.filter((id) => isId('tsk', id)).map(recordKey)));
}

const readableTexts = (texts: readonly (string | undefined)[]): Task[] =>
  texts.flatMap((text) => {
    try {
      return text === undefined ? [] : [tasks.parse(text)];
    } catch {
      return [];
    }
  });

/** Returns the change that writes a task for the first time. */
export const birth = (task: Task) => tasks.step(task.id, undefined, task).change;

/** Returns the change that replaces an open task by its next state. */
export const step = (stored: Versioned<Task>, next: Task) => tasks.step(next.id, stored, next).change;

/**
 * Changes an open task. `change` returns undefined when there is nothing to do. Returns the task as it stands afterwards,
 * ended or not, or null when it is unknown.
 */
export const updateTask = (
  ledger: Ledger,
  id: string,
  change: (task: Task) => Task | undefined,
): Promise<Task | null> =>
  updateRecord(ledger, { ...tasks, read: readTask }, id, (task) => (task.ended ? undefined : change(task)));

/** Records an end that the log has published, and removes the task's index entries. The first end that is recorded stands. */
export const settle = (ledger: Ledger, id: string, ended: NonNullable<Task['ended']>): Promise<Task | null> =>
  retryOnConflict(ledger, () => trySettling(ledger, id, ended));

/** What is left of it is written with the end or not at all: nothing writes it later where a broker dies between the two. */
async function trySettling(
  ledger: Ledger,
  id: string,
  ended: NonNullable<Task['ended']>,
): Promise<Task | null | undefined> {
  const stored = await readTask(ledger, id);
  if (!stored || stored.value.ended) return stored?.value ?? null;
  const next = { ...stored.value, ended, credentials: [] };
  const inTree = await isInTree(ledger, next);
  const written = await tasks.write(ledger, id, stored, next, inTree ? former(ledger, next) : {});
  // Another task may have entered its tree between the two.
  if (written && !inTree && (await isInTree(ledger, next))) await ledger.records.commit(former(ledger, next));
  return written?.value;
}

/** Where nothing goes on with it, a task without others above or below is a tree that nobody looks for. */
const isInTree = async ({ records }: Ledger, { id, lineage, continues }: Task): Promise<boolean> =>
  lineage.length > 0 || continues !== undefined || (await records.count(treeIndex(id))) > 0;

/** Returns the change that keeps what a tree shows of an ended task, in a short record that outlasts its own. None for an open one. */
export const former = (ledger: Ledger, task: Task): Change =>
  task.ended ? { put: [[formerKey(task.id), formerText(task), task.ended.at + formerKeptMs(ledger)]] } : {};

const TASK_LIFE_MS = HARD_LIMITS.taskLifetimeSeconds * 1000;

/**
 * Returns for how long what is left of an ended task is kept: as long as the audit log can have an entry of a task in the same tree.
 * The last of these goes on with it, while its record is there, and lives for as long as a task can.
 */
export const formerKeptMs = ({ auditRetentionMs = AUDIT_RETENTION_DAYS * DAY_MS }: Ledger): number =>
  HISTORY_MS + TASK_LIFE_MS + auditRetentionMs;

/** Without what bounded it, and what is known of the person beyond the name. */
const formerText = (task: Task): string =>
  taskText(
    defined({
      ...task,
      principal: task.principal && refOf(task.principal),
      ceiling: undefined,
      heartbeat: undefined,
      inherits: undefined,
      above: undefined,
      chain: undefined,
      mayAct: undefined,
      formerly: undefined,
    }),
  );

/** Returns what is left of these ended tasks, for explanations to people, in the order asked. */
export async function readFormer({ records }: Ledger, ids: readonly string[]): Promise<Task[]> {
  return readableTexts(await records.read(ids.filter((id) => isId('tsk', id)).map(formerKey)));
}

/** Moves when the sweep looks at a task, if nobody has written the task meanwhile. */
export const moveDue = ({ records }: Ledger, { value, text }: Versioned<Task>, at: number): Promise<boolean> =>
  records.commit({ expect: [[recordKey(value.id), text]], index: [[dueIndex(shardOf(value.id)), value.id, at]] });

/** Removes a task from the due index: the sweep has nothing left to do for it. */
export const dropDue = ({ records }: Ledger, id: string): Promise<boolean> =>
  records.commit({ unindex: [[dueIndex(shardOf(id)), id]] });

/** Returns when the sweep must look at a task: at its deadline, or when so many heartbeats are missed that it ends. */
export function dueAt({ deadline, heartbeat, shared, credentials, asksUntil = 0 }: Task): number {
  if (!heartbeat) return deadline;
  const missed = heartbeat.lastAt + heartbeat.intervalSeconds * heartbeat.missesAllowed * 1000;
  // Who has a credential does not ask: a shared task is idle when its last one is over, and nobody is asked about another.
  const used = shared ? Math.max(asksUntil, ...credentials.map(({ expiresAt }) => expiresAt)) : 0;
  return Math.min(deadline, Math.max(missed, used));
}

/** Returns whether there are tasks below it that are not past their deadline, and have no end in their record. */
export const hasOpenChildren = async ({ records, clock }: Ledger, id: string): Promise<boolean> =>
  (await records.count(childIndex(id), { from: clock.now() + 1 })) > 0;

type Indexed = NonNullable<Change['index']>[number];

/**
 * Returns the entries by which a task is found from a root, and the tree by when its latest task ends at last. An end does not
 * remove them (`ledger/trees.ts` does).
 */
export const treeEntries = (root: string, { id, openedAt }: Task): Indexed[] => [
  [treeIndex(root), id, openedAt],
  [treesIndex(shardOf(root)), root, openedAt + TASK_LIFE_MS],
];

/** Its parties may change while it is open, so an entry is compared by its index and not by its place. */
function indexChanges(task: Task, before: Task | undefined): Pick<Change, 'index' | 'unindex'> {
  const [is, was] = [entriesOf(task), entriesOf(before)];
  const [root] = task.lineage;
  const moved = [...is].filter(([index, score]) => was.get(index) !== score);
  return {
    index: [
      ...moved.map(([index, score]): Indexed => [index, task.id, score]),
      ...(before || root === undefined ? [] : treeEntries(root, task)),
    ],
    unindex: [...was.keys()].filter((index) => !is.has(index)).map((index) => [index, task.id]),
  };
}

/** Returns the index entries of an open task. Through what it inherits it is found by its ancestors' entries. */
function entriesOf(task: Task | undefined): Map<Key, number> {
  if (!task || task.ended) return new Map();
  const { id, deadline, workload, openedBy, run, lineage } = task;
  const shard = shardOf(id);
  const parent = lineage.at(-1);
  const untilDeadline = [
    ...(openedBy && workload.kind === 'workload' ? [taskIndex(shard, cause('workload', workload.id))] : []),
    ...(run === undefined ? [] : [taskIndex(shard, cause('run', run))]),
    ...accountsOf(openedBy ?? workload).map(({ account }) => openedIndex(shard, account)),
    ...(parent === undefined ? [] : [childIndex(parent)]),
  ];
  return new Map([[dueIndex(shard), dueAt(task)], ...untilDeadline.map((index): [Key, number] => [index, deadline])]);
}
