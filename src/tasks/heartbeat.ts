/** A sign of life: moves the moment at which the sweep would end the task, never the deadline. */
import { BrokerError } from '../domain/errors.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { updateTask } from '../ledger/tasks.js';
import type { TaskAnswer } from './open-task.js';
import { permitOnTask, type TaskDeps, type TaskRequest } from '../authorization/permit-on-task.js';

export async function heartbeat(
  deps: TaskDeps,
  caller: AuthenticatedCaller,
  request: TaskRequest,
): Promise<TaskAnswer> {
  const { task, state } = await permitOnTask(deps, caller, 'heartbeat', request);
  if (!task.heartbeat) throw new BrokerError('conflict', 'The task was opened without a heartbeat.');
  if (state !== 'open' && state !== 'suspended') return { task, state };
  const lastAt = deps.ledger.clock.now();
  const next = await updateTask(
    deps.ledger,
    task.id,
    (current) => current.heartbeat && { ...current, heartbeat: { ...current.heartbeat, lastAt } },
  );
  return { task: next ?? task, state };
}
