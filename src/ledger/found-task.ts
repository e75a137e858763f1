/** Where the task of a request was looked for, and what is written so that the next request finds it there. */
import type { Task } from '../domain/task.js';
import { mergeChanges } from '../store/record.js';
import type { Change } from '../store/store.js';
import { claimKey, idempotencyChange, type IdempotencyRecord } from './idempotency.js';
import type { Ledger, Versioned } from './ledger.js';
import { runChange, type FoundRun } from './runs.js';

export interface FoundTask {
  /** Absent if the task is opened together with the credential. */
  stored?: Versioned<Task>;
  /** The record by which a retry of this request finds the task; absent for a request that names its task. */
  previous?: IdempotencyRecord;
  /** What is known of the requester's run; absent where there is none, or the request names its task. */
  run?: FoundRun;
}

/** Returns what is written together with the credential, so that the next request finds this task. */
export const besideOf = (found: FoundTask, task: Task): Change =>
  mergeChanges(
    isNewKey(found) ? idempotencyChange(found.previous, task.id, task.deadline) : {},
    found.run && !found.stored ? runChange(found.run, task) : {},
  );

/** Claims the Idempotency-Key, where the task is born elsewhere. Returns false if another request with it was faster. */
export const claimed = async (ledger: Ledger, found: FoundTask, task: Task): Promise<boolean> =>
  !isNewKey(found) || claimKey(ledger, found.previous, task.deadline);

/** A request that names its task leaves its key unused: a retry names the task again. */
const isNewKey = (found: FoundTask): found is FoundTask & { previous: IdempotencyRecord } =>
  found.previous !== undefined && found.previous.taskId === undefined && (found.run !== undefined || !found.stored);
