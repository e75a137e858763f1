/** The state of an approval: by its record, and `cancelled` once its task is over: what waits ends with the task that it waits for. */
import { approvalStateAt, type Approval, type ApprovalState } from '../domain/approval.js';
import { stateNow, type TaskState } from './task-state.js';
import type { Task } from '../domain/task.js';
import type { Ledger } from './ledger.js';
import type { Seen } from './revocation-log.js';

/** The states of a task under which a question is open, or a yes good for something. A task that is suspended may be resumed. */
const GOES_ON: ReadonlySet<TaskState> = new Set(['open', 'suspended']);

/**
 * @param task undefined: its record is gone, and so is the question.
 * @param seen A look at `taskCauses(task)` that began after the question arrived.
 */
export function approvalState(
  ledger: Pick<Ledger, 'clock'>,
  approval: Approval,
  task: Task | undefined,
  seen: Seen,
): ApprovalState {
  const state = approvalStateAt(approval, ledger.clock.now());
  const isOpen = state === 'pending' || state === 'approved';
  return isOpen && !(task && GOES_ON.has(stateNow(ledger, task, seen))) ? 'cancelled' : state;
}
