/** A heartbeat moves the moment at which the sweep would end the task for missed heartbeats. It never moves the deadline. */
import type { PermittedTask } from '../authorization/permit-on-task.js';
import { BrokerError } from '../domain/errors.js';
import { isLive } from '../domain/task-outcome.js';
import type { Ledger } from '../ledger/ledger.js';
import { updateTask } from '../ledger/tasks.js';
import type { TaskAnswer } from './open-task.js';

export async function heartbeat(
  ledger: Ledger,
  { subject: { task, state } }: PermittedTask<'heartbeat'>,
): Promise<TaskAnswer> {
  if (!task.heartbeat) throw new BrokerError('conflict', 'The task was opened without a heartbeat.');
  if (!isLive(state)) return { task, state };
  const lastAt = ledger.clock.now();
  const next = await updateTask(
    ledger,
    task.id,
    (current) => current.heartbeat && { ...current, heartbeat: { ...current.heartbeat, lastAt } },
  );
  return { task: next ?? task, state };
}
