/** Task records: reading, writing, and when each must be looked at again. */
import { HISTORY_MS } from '../domain/limits.js';
import { isId, shardOf } from '../domain/id.js';
import { cause } from '../domain/selector.js';
import { taskSchema, taskText, type Task } from '../domain/task.js';
import type { Change, Key } from '../store/store.js';
import { retryOnConflict } from './retry-on-conflict.js';
import type { Versioned, Ledger } from './ledger.js';
import { childIndex, dueIndex, recordKey, workloadIndex } from './keys.js';

type Written = Required<Pick<Change, 'expect' | 'put' | 'index'>>;

export async function readTask(ledger: Ledger, id: string): Promise<Versioned<Task> | undefined> {
  return (await readTasks(ledger, [id]))[0];
}

/** In the order asked, without those that are unknown. */
export async function readTasks({ records }: Ledger, ids: readonly string[]): Promise<Versioned<Task>[]> {
  const texts = await records.read(ids.filter((id) => isId('tsk', id)).map(recordKey));
  return texts.flatMap((text) => (text === undefined ? [] : [{ text, value: taskSchema.parse(JSON.parse(text)) }]));
}

/** The change that writes a task for the first time. */
export function birth(task: Task): Written {
  return {
    expect: [[recordKey(task.id), undefined]],
    put: [[recordKey(task.id), taskText(task)]],
    index: standings(task).map(([index, score]) => [index, task.id, score]),
  };
}

/** The change that replaces an open task by its next state. */
export function step(stored: Versioned<Task>, next: Task): Written {
  const moved = dueAt(next) !== dueAt(stored.value);
  return {
    expect: [[recordKey(next.id), stored.text]],
    put: [[recordKey(next.id), taskText(nextRevision(next, stored))]],
    index: moved ? [[dueIndex(shardOf(next.id)), next.id, dueAt(next)]] : [],
  };
}

/** Reads, changes and writes an open task. `change` may answer undefined: nothing to do. Answers what then stands. */
export function updateTask(ledger: Ledger, id: string, change: (task: Task) => Task | undefined): Promise<Task | null> {
  return retryOnConflict(ledger, async () => {
    const stored = await readTask(ledger, id);
    if (!stored) return null;
    const next = stored.value.ended ? undefined : change(stored.value);
    if (!next) return stored.value;
    return (await ledger.records.commit(step(stored, next))) ? next : undefined;
  });
}

/** Bookkeeping after the log has spoken: the record remembers how the task ended, and leaves the indexes. First one stands. */
export function settle(ledger: Ledger, id: string, ended: NonNullable<Task['ended']>): Promise<Task | null> {
  return retryOnConflict(ledger, async () => {
    const stored = await readTask(ledger, id);
    if (!stored) return null;
    const task = stored.value;
    if (task.ended) return task;
    const next: Task = { ...task, ended, credentials: [] };
    const done = await ledger.records.commit({
      expect: [[recordKey(id), stored.text]],
      put: [[recordKey(id), taskText(nextRevision(next, stored)), ended.at + HISTORY_MS]],
      unindex: standings(task).map(([index]) => [index, id]),
    });
    return done ? next : undefined;
  });
}

/** Looks at it again later, if nothing else happened to it. */
export const moveDue = ({ records }: Ledger, { value, text }: Versioned<Task>, at: number): Promise<boolean> =>
  records.commit({ expect: [[recordKey(value.id), text]], index: [[dueIndex(shardOf(value.id)), value.id, at]] });

/** Takes out of the due index what has nothing left to do. */
export const dropDue = ({ records }: Ledger, id: string): Promise<boolean> =>
  records.commit({ unindex: [[dueIndex(shardOf(id)), id]] });

/** When the sweep must look at a task: at its deadline, or when its heartbeats are missed. */
export function dueAt(task: Task): number {
  const { heartbeat } = task;
  if (!heartbeat) return task.deadline;
  return Math.min(task.deadline, heartbeat.lastAt + heartbeat.intervalSeconds * heartbeat.missesAllowed * 1000);
}

/** The indexes an open task stands in. What it inherits is found through its ancestors. */
function standings(task: Task): [Key, score: number][] {
  const shard = shardOf(task.id);
  const parent = task.lineage.at(-1);
  const workloads = [task.workload, task.openedBy].flatMap((party) => (party?.kind === 'workload' ? [party.id] : []));
  return [
    [dueIndex(shard), dueAt(task)],
    ...[...new Set(workloads)].map((id): [Key, number] => [workloadIndex(shard, cause('workload', id)), task.deadline]),
    ...(parent === undefined ? [] : [[childIndex(parent), task.deadline] satisfies [Key, number]]),
  ];
}

const nextRevision = (task: Task, stored: Versioned<Task>): Task => ({ ...task, revision: stored.value.revision + 1 });
