/** The orchestrator says the work is done: the task ends, and everything that hangs on it with it. */
import type { DECLARED_OUTCOMES, Task } from '../domain/task.js';
import type { LogEntry } from '../domain/tombstone.js';
import type { Proven } from '../identity/caller.js';
import type { TaskState } from '../ledger/vitals.js';
import { permitOnTask, type TaskDeps, type TaskRequest } from '../broker/task-verbs.js';
import { endTask } from './end-task.js';

interface CompleteRequest extends TaskRequest {
  outcome: (typeof DECLARED_OUTCOMES)[number];
  reason?: string;
}

interface Completed {
  task: Task;
  state: TaskState;
  /** Absent when the task had ended before: the first outcome stands. */
  entry?: LogEntry;
}

export async function completeTask(deps: TaskDeps, caller: Proven, request: CompleteRequest): Promise<Completed> {
  const { task, state } = await permitOnTask(deps, caller, 'completeTask', request);
  if (state !== 'open' && state !== 'suspended') return { task, state };
  const reason = request.reason ?? request.outcome;
  const ended = await endTask(deps.ledger, task, { as: request.outcome, reason, actor: caller.party.id });
  return { task: ended.task, state: ended.task.ended?.as ?? request.outcome, entry: ended.entry };
}
