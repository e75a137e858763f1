/**
 * Which task the requests of one run share. The record lies in the shard in which that task is born, so both are written in one
 * commit: of two requests that come first, one opens the task, and the other finds it.
 */
import { z } from 'zod';
import type { TargetAccess } from '../domain/access.js';
import { sha256Bytes } from '../domain/digest.js';
import { shardOfDigest, type Shard } from '../domain/id.js';
import { moment } from '../domain/schemas.js';
import type { Task } from '../domain/task.js';
import { record } from '../store/record.js';
import type { Change } from '../store/store.js';
import { runKey } from './keys.js';
import type { Ledger, Versioned } from './ledger.js';
import { readTaskState } from './task-state.js';
import { dueAt, readTask } from './tasks.js';

/** What requests must have in common to share a task. A purpose decides what policy permits, and a person whom the task serves. */
export interface Run {
  workload: string;
  /** As the token names it. Another workload may have a run of the same name. */
  run: string;
  principal: string | undefined;
  purpose: string;
  /** What bounds the tasks of these requests, where anything does: whoever brings a wider grant does not get the narrower task. */
  ceiling?: readonly TargetAccess[] | undefined;
}

/** A run as it stands in the ledger. */
export interface FoundRun {
  digest: Uint8Array;
  /** Where its tasks are born. */
  shard: Shard;
  /** Which task the record names, of whatever state; absent where there is no record. */
  stored: Versioned<RunRecord> | undefined;
  /** The task, unless it is over. */
  task: Versioned<Task> | undefined;
}

/** `until`: the deadline of the task, in milliseconds. */
const schema = z.strictObject({ task: z.string(), until: moment });
type RunRecord = z.infer<typeof schema>;

const runs = record(schema, runKey, { expiresAt: ({ until }) => until });

/** A task whose deadline is nearer than this gives no credential any more: lifetimes are whole seconds. */
const SHORTEST_LEFT_MS = 1_000;

/** @param asProven Returns the task with its parties as the request proves them */
export async function findRun(
  ledger: Ledger,
  run: Run,
  asProven: (task: Task) => Task = (task) => task,
): Promise<FoundRun> {
  const digest = sha256Bytes(sharedTaskKey(run));
  const stored = await runs.read(ledger, digest);
  const task = stored && (await readTask(ledger, stored.value.task));
  const isOver = !task || (await cannotGoOn(ledger, asProven(task.value)));
  return { digest, shard: shardOfDigest(digest), stored, task: isOver ? undefined : task };
}

/** Returns a text that is the same for requests that share a task, and for no others. */
export const sharedTaskKey = ({ workload, run, principal, purpose, ceiling }: Run): string =>
  JSON.stringify([workload, run, principal ?? null, purpose, ...(ceiling ? [ceiling] : [])]);

/** A suspended task is not over: otherwise a run that is held would go on under the next one. */
async function cannotGoOn(ledger: Ledger, task: Task): Promise<boolean> {
  if (task.deadline - ledger.clock.now() < SHORTEST_LEFT_MS) return true;
  const state = await readTaskState(ledger, task);
  // One that is idle is over although no sweep has come by: brokers may have been away for an hour.
  return state === 'open' ? dueAt(task) <= ledger.clock.now() : state !== 'suspended';
}

/** Returns the change by which the next request of the run finds this task. It fails if another request was faster. */
export const runChange = ({ digest, stored }: FoundRun, { id, deadline }: Task): Change =>
  runs.step(digest, stored, { task: id, until: deadline }).change;
