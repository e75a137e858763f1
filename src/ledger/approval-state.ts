/** The state of an approval: by its record, and `cancelled` once its task is over: what waits ends with the task that it waits for. */
import { approvalStateAt, isUnsettled, type Approval, type ApprovalState } from '../domain/approval.js';
import { isLive } from '../domain/task-outcome.js';
import type { Task } from '../domain/task.js';
import type { Ledger } from './ledger.js';
import type { Seen } from './revocation-log.js';
import { readTaskState, stateNow } from './task-state.js';
import { readTask, readTasks } from './tasks.js';

/**
 * @param task undefined: its record is gone, and so is the approval.
 * @param seen A look at `taskCauses(task)` that began after the question arrived.
 */
export function approvalState(
  ledger: Pick<Ledger, 'clock'>,
  approval: Approval,
  task: Task | undefined,
  seen: Seen,
): ApprovalState {
  const state = approvalStateAt(approval, ledger.clock.now());
  return isUnsettled(state) && !(task && isLive(stateNow(ledger, task, seen))) ? 'cancelled' : state;
}

/** Returns the same by what the store and the log say now. */
export async function readApprovalState(ledger: Ledger, approval: Approval): Promise<ApprovalState> {
  const state = approvalStateAt(approval, ledger.clock.now());
  if (!isUnsettled(state)) return state;
  const task = await readTask(ledger, approval.task);
  return task && isLive(await readTaskState(ledger, task.value)) ? state : 'cancelled';
}

/** Returns those of the tasks that have not ended. */
export async function goingOn(ledger: Ledger, ids: readonly string[]): Promise<Set<string>> {
  const tasks = await readTasks(ledger, [...new Set(ids)]);
  // The looks are joined by the log into one.
  const living = await Promise.all(
    tasks.map(async ({ value }) => (isLive(await readTaskState(ledger, value)) ? [value.id] : [])),
  );
  return new Set(living.flat());
}
