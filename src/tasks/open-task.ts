/** Opens a task for a workload, with purpose, ceiling, deadline, parent and heartbeat. It grants nothing yet. */
import type { AuditEvent } from '../audit/event.js';
import { callerFields, taskFields } from '../authorization/audit.js';
import { held, refuseDeadCaller, refuseEndedRun } from '../authorization/caller.js';
import { recordOf } from '../authorization/decide.js';
import type { Deps } from '../authorization/deps.js';
import { assertPermittedOnTask } from '../authorization/permit-on-task.js';
import { permitOpening, type Opening } from '../authorization/permit-opening.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { partyCauses, taskCauses } from '../domain/hangs-on.js';
import { isId, shardOf, type Shard } from '../domain/id.js';
import { formatEpoch, refusesBirth } from '../domain/liveness.js';
import { BROKER } from '../domain/reserved.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { claimKey, findPrevious, idempotencyChange } from '../ledger/idempotency.js';
import { retryOnConflict } from '../ledger/retry-on-conflict.js';
import { taskState, type TaskState } from '../ledger/task-state.js';
import { birth, readTask } from '../ledger/tasks.js';
import { joinTree } from '../ledger/trees.js';
import { growthOf, mergeChanges } from '../store/record.js';
import { draftTask, type OpenTaskRequest } from './draft-task.js';
import { endTask } from './end-task.js';

export interface TaskAnswer {
  task: Task;
  state: TaskState;
}

export async function openTask(deps: Deps, caller: AuthenticatedCaller, request: OpenTaskRequest): Promise<TaskAnswer> {
  const { opening, ...answer } = await retryOnConflict(deps.ledger, () => tryOpening(deps, caller, request));
  if (opening) await auditOpening(deps, caller, { ...opening, task: answer.task }, request.requestId);
  return answer;
}

/** A task whose opening is not in the audit log must not live: it is ended, nobody has learned its id, and a retry finds it ended. */
async function auditOpening(
  { audit, ledger }: Deps,
  caller: AuthenticatedCaller,
  { task, decision }: Opening,
  requestId: string,
): Promise<void> {
  try {
    await audit.append({ ...openedEvent(ledger.clock.now(), task, caller, requestId), decision: recordOf(decision) });
  } catch (error) {
    const end = { as: 'cancelled', reason: 'its opening could not be audited', actor: BROKER } as const;
    await endTask(ledger, task, end).catch(() => undefined);
    throw error;
  }
}

/** Makes one attempt. Returns undefined if the id or the Idempotency-Key was taken in between. `opening` is of a new task. */
async function tryOpening(
  deps: Deps,
  caller: AuthenticatedCaller,
  request: OpenTaskRequest,
): Promise<(TaskAnswer & { opening?: Opening }) | undefined> {
  const { ledger, settings } = deps;
  const previous = await findPrevious(ledger, caller.party, request.idempotencyKey, shardUnder(request));
  const first = previous?.taskId === undefined ? undefined : await readTask(ledger, previous.taskId);
  const parent = request.parent === undefined ? undefined : await readable(deps, caller, request.parent, 'parent');
  const earlier =
    request.continues === undefined ? undefined : await readable(deps, caller, request.continues, 'earlier');

  const now = ledger.clock.now();
  const draft = first?.value ?? draftTask(settings, now, { caller, request, parent, previous });
  const causes = taskCauses(draft);
  const seen = await ledger.log.look([...causes, ...partyCauses(caller.party)]);
  refuseDeadCaller(deps, caller, seen);
  if (first) return { task: first.value, state: taskState(first.value, seen, now) };

  const permitted = await permitOpening(deps.policy, caller.party, draft, parent);
  const task: Task = { ...permitted.task, epoch: formatEpoch(seen.epoch) };
  refuseEndedRun(caller, seen);
  if (parent && taskState(parent, seen, now) !== 'open') throw parentNotOpen();
  if (refusesBirth(seen.on(causes))) throw held();

  const beside = previous ? idempotencyChange(previous, task.id, task.deadline) : {};
  const change = mergeChanges(birth(task), beside);
  await deps.assertWithinQuota(caller.party, { bytes: growthOf(change), task, opens: true });
  if (previous && !(await claimKey(ledger, previous, task.deadline))) return undefined;
  if (earlier) await joinTree(ledger, earlier, task);
  const written = await ledger.records.commit(change);
  return written ? { task, state: 'open', opening: permitted } : undefined;
}

const shardUnder = ({ parent }: OpenTaskRequest): Shard | undefined =>
  parent !== undefined && isId('tsk', parent) ? shardOf(parent) : undefined;

/**
 * Returns a task that the request names. One that the caller may not read, nor knows of, is refused like one that does not exist,
 * before anything of the request is compared with it.
 */
async function readable(
  deps: Deps,
  caller: AuthenticatedCaller,
  id: string,
  which: 'parent' | 'earlier',
): Promise<Task> {
  const unknown = () => new BrokerError('not_found', `There is no ${which} task with that id.`);
  const task = (await readTask(deps.ledger, id))?.value;
  if (!task) throw unknown();
  await assertPermittedOnTask(deps, caller, { verb: 'readTask', task, unknown });
  return task;
}

const parentNotOpen = () => new BrokerError('conflict', 'The parent task is not open.');

const openedEvent = (at: number, task: Task, caller: AuthenticatedCaller, requestId: string): AuditEvent =>
  defined({
    type: 'task.opened' as const,
    at,
    ...callerFields(caller),
    ...taskFields(task),
    continues: task.continues,
    expiresAt: task.deadline,
    requestId,
  });
