/** Completes a task: the task ends with the declared outcome, and every credential and child task under it ends too. */
import { publishedBy } from '../authorization/audit.js';
import type { PermittedTask } from '../authorization/permit-on-task.js';
import { defined } from '../domain/defined.js';
import { isLive } from '../domain/task-outcome.js';
import type { Task } from '../domain/task.js';
import type { Ledger } from '../ledger/ledger.js';
import type { TaskState } from '../ledger/task-state.js';
import { endTask, publishEnd } from './end-task.js';
import { endingBy, type Completion, type Ending } from './ending.js';

interface Completed {
  task: Task;
  state: TaskState;
  /** Absent if the task had ended before: the first outcome stands. */
  revocation?: Ending;
}

export async function completeTask(
  ledger: Ledger,
  { caller, subject: { task, state } }: PermittedTask<'completeTask'>,
  request: Completion,
): Promise<Completed> {
  if (!isLive(state)) {
    // The end was only read, and perhaps no replica has it: its publication may have been answered with 503.
    await publishEnd(ledger, task, { as: state, reason: request.reason ?? state, ...publishedBy(caller) });
    return { task, state };
  }
  const reason = request.reason ?? request.outcome;
  const end = { as: request.outcome, reason, ...publishedBy(caller) };
  let revocation: Ending | undefined;
  const ended = await endTask(ledger, task, end, async (entry) => {
    revocation = await endingBy(ledger, entry);
  });
  return defined({ task: ended.task, state: ended.task.ended?.as ?? request.outcome, revocation });
}
