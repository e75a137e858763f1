/**
 * The sweep ends tasks that are past their deadline or have missed their heartbeats, and stores how each task ended. Every step
 * may run twice, and on every broker at once: two sweeps of one task publish one entry.
 */
import { randomInt } from 'node:crypto';
import { BrokerError } from '../domain/errors.js';
import { SHARDS, type Shard } from '../domain/id.js';
import { BROKER } from '../domain/reserved.js';
import type { Task } from '../domain/task.js';
import { dueIndex } from '../ledger/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import { readTaskState } from '../ledger/task-state.js';
import { dropDue, dueAt, hasOpenChildren, moveDue, readTask, settle, updateTask } from '../ledger/tasks.js';
import { StoreUnavailable } from '../store/store.js';
import { endTask } from './end-task.js';

const BATCH = 100;
/** A task that turns out to be neither over nor due is checked again after this. */
const RECHECK_MS = 5_000;
/** A task whose record cannot be read must leave the front of the index, or the sweep would never reach the tasks behind it. */
const UNREADABLE_RECHECK_MS = 60_000;

interface Swept {
  ended: number;
  /** How long the most overdue task had been due. Milliseconds. */
  lagMs: number;
  /** The error of each task whose record could not be read. Such a task still dies at its deadline; an operator must look at it. */
  unreadable: unknown[];
}

export async function sweep(ledger: Ledger): Promise<Swept> {
  const now = ledger.clock.now();
  const start = randomInt(SHARDS.length);
  const pages = await Promise.all(
    SHARDS.map(async (_, offset) => {
      const shard = SHARDS[(start + offset) % SHARDS.length] ?? 'aa';
      return { shard, due: await dueIn(ledger, shard, now) };
    }),
  );
  const swept = await Promise.all(pages.map(({ shard, due }) => sweepShard(ledger, shard, due)));
  return {
    ended: swept.reduce((sum, { ended }) => sum + ended, 0),
    lagMs: Math.max(0, ...pages.flatMap(({ due }) => due.map(([, score]) => now - score))),
    unreadable: swept.flatMap(({ unreadable }) => unreadable),
  };
}

async function sweepShard(
  ledger: Ledger,
  shard: Shard,
  due: readonly [string, number][],
): Promise<Pick<Swept, 'ended' | 'unreadable'>> {
  let ended = 0;
  const unreadable: unknown[] = [];
  for (const [id] of due) {
    try {
      if (await sweepTask(ledger, id)) ended += 1;
    } catch (error) {
      if (error instanceof StoreUnavailable || error instanceof BrokerError) throw error;
      await ledger.records.commit({ index: [[dueIndex(shard), id, ledger.clock.now() + UNREADABLE_RECHECK_MS]] });
      unreadable.push(error);
    }
  }
  return { ended, unreadable };
}

const dueIn = (ledger: Ledger, shard: Shard, to: number) => ledger.records.range(dueIndex(shard), { to, limit: BATCH });

async function sweepTask(ledger: Ledger, id: string): Promise<boolean> {
  const stored = await readTask(ledger, id);
  if (!stored || stored.value.ended) return !(await dropDue(ledger, id));
  const task = stored.value;
  const state = await readTaskState(ledger, task);
  switch (state) {
    case 'open':
      if (dueAt(task) <= ledger.clock.now()) return expireUnheard(ledger, task);
      await moveDue(ledger, stored, Math.min(task.deadline, ledger.clock.now() + RECHECK_MS));
      return false;
    case 'suspended':
      await renewHeartbeat(ledger, id);
      return false;
    case 'expired':
      return expire(ledger, task, 'its deadline passed');
    default:
      await settle(ledger, id, { as: state, at: ledger.clock.now() });
      return true;
  }
}

/** A task below is worked on by others, who ask for nothing under the shared task itself. */
async function expireUnheard(ledger: Ledger, task: Task): Promise<boolean> {
  if (!task.shared) return expire(ledger, task, 'its heartbeats were missed');
  if (!(await hasOpenChildren(ledger, task.id))) return expire(ledger, task, 'nothing was asked for any more');
  await renewHeartbeat(ledger, task.id);
  return false;
}

/** While a workload is held it may call nothing, so it cannot send heartbeats. Lifting the hold must not end its task. */
const renewHeartbeat = (ledger: Ledger, id: string): Promise<Task | null> =>
  updateTask(
    ledger,
    id,
    (task) => task.heartbeat && { ...task, heartbeat: { ...task.heartbeat, lastAt: ledger.clock.now() } },
  );

async function expire(ledger: Ledger, task: Task, reason: string): Promise<boolean> {
  await endTask(ledger, task, { as: 'expired', reason, actor: BROKER });
  return true;
}
