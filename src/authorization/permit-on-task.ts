/** What may be done to a task that exists: each verb is asked of policy, and a task one may not even read does not exist. */
import { BrokerError } from '../domain/errors.js';
import { partyCauses, taskCauses } from '../domain/hangs-on.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { readTask } from '../ledger/tasks.js';
import { taskState, type TaskState } from '../ledger/task-state.js';
import type { OperatorVerb } from '../policy/query.js';
import { auditRefusal } from './audit-refusal.js';
import { refuseDeadCaller } from './caller.js';
import { decideOperation, denied, factsOf } from './decide.js';
import type { Deps } from './deps.js';

export interface TaskRequest {
  taskId: string;
  requestId: string;
}

export type TaskDeps = Pick<Deps, 'ledger' | 'policy' | 'audit' | 'settings' | 'observer'>;

/** Record first, then one look at everything the answer hangs on, then policy. Throws what the caller may know. */
export async function permitOnTask(
  deps: TaskDeps,
  caller: AuthenticatedCaller,
  verb: Extract<OperatorVerb, `${string}Task` | 'heartbeat'>,
  request: TaskRequest,
): Promise<{ task: Task; state: TaskState }> {
  try {
    const stored = await readTask(deps.ledger, request.taskId);
    const seen = await deps.ledger.log.look([
      ...new Set([...(stored ? taskCauses(stored.value) : []), ...partyCauses(caller.party)]),
    ]);
    refuseDeadCaller(deps, caller, seen);
    if (!stored) throw unknownTask();
    await decide(deps, caller, verb, stored.value);
    return { task: stored.value, state: taskState(stored.value, seen, deps.ledger.clock.now()) };
  } catch (error) {
    await auditRefusal(deps, error, caller, {
      type: 'operation.refused',
      verb,
      task: request.taskId,
      requestId: request.requestId,
    });
    throw error;
  }
}

async function decide(
  { policy }: TaskDeps,
  caller: AuthenticatedCaller,
  verb: OperatorVerb,
  task: Task,
): Promise<void> {
  const resource = { type: 'task', task: factsOf(task) } as const;
  const decision = await decideOperation(policy, caller.party, verb, resource);
  if (decision.outcome === 'permit') return;
  const reading = verb === 'readTask' ? decision : await decideOperation(policy, caller.party, 'readTask', resource);
  throw reading.outcome === 'permit' ? denied(decision) : unknownTask();
}

const unknownTask = () => new BrokerError('not_found', 'There is no task with that id.');
