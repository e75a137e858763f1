/** An orchestrator opens a task for a workload: purpose, ceiling, deadline, parent, heartbeat. Nothing is granted yet. */
import { BrokerError } from '../domain/errors.js';
import { isId, shardOf, type Shard } from '../domain/id.js';
import { formatEpoch, refusesBirth } from '../domain/liveness.js';
import { partyCauses, taskCauses, type Task } from '../domain/task.js';
import type { Proven } from '../identity/caller.js';
import { contend } from '../ledger/contend.js';
import { findAgain, remember } from '../ledger/idempotency.js';
import { birth, readTask } from '../ledger/tasks.js';
import { stateOf, type TaskState } from '../ledger/vitals.js';
import { auditRefusal } from './audit-refusal.js';
import { held, refuseDeadCaller } from './caller.js';
import { decideOperation, denied, factsOf, unbornFacts } from './decide.js';
import type { Deps } from './deps.js';
import { draftTask } from './draft-task.js';
import { openedEvent } from './events.js';
import type { OpenTaskRequest } from './requests.js';

export interface TaskAnswer {
  task: Task;
  state: TaskState;
}

export async function openTask(deps: Deps, caller: Proven, request: OpenTaskRequest): Promise<TaskAnswer> {
  try {
    const { isNew, ...answer } = await contend(() => tryOpening(deps, caller, request));
    if (isNew) await deps.audit.append(openedEvent(deps.ledger.clock.now(), answer.task, caller, request.requestId));
    return answer;
  } catch (error) {
    const { purpose, requestId } = request;
    await auditRefusal(deps, error, caller, { type: 'operation.refused', verb: 'openTask', purpose, requestId });
    throw error;
  }
}

/** One attempt. Undefined: the id or the Idempotency-Key was taken in between. */
async function tryOpening(
  deps: Deps,
  caller: Proven,
  request: OpenTaskRequest,
): Promise<(TaskAnswer & { isNew: boolean }) | undefined> {
  const { ledger, settings } = deps;
  const again = request.repeat && (await findAgain(ledger, caller.party.id, request.repeat, shardUnder(request)));
  const first = again?.taskId === undefined ? undefined : await readTask(ledger, again.taskId);
  const parent = request.parent === undefined ? undefined : await readTask(ledger, request.parent);
  if (request.parent !== undefined && !parent) throw unknownParent();

  const now = ledger.clock.now();
  const draft = first?.value ?? draftTask(settings, now, { caller, request, parent: parent?.value, again });
  const causes = taskCauses(draft);
  const seen = await ledger.log.look([...new Set([...causes, ...partyCauses(caller.party)])]);
  refuseDeadCaller(caller, seen, settings.lifetimes.clockSkew);
  if (first) return { task: first.value, state: stateOf(first.value, seen, now), isNew: false };

  const task: Task = { ...draft, epoch: formatEpoch(seen.epoch) };
  await decide(deps, caller, task, parent?.value);
  if (parent && stateOf(parent.value, seen, now) !== 'open') throw parentNotOpen();
  if (refusesBirth(seen.on(causes))) throw held();

  const { expect, put, index } = birth(task);
  const beside = again && remember(again, task.id, task.deadline);
  const written = await ledger.records.commit({
    expect: [...expect, ...(beside?.expect ?? [])],
    put: [...put, ...(beside?.put ?? [])],
    index,
  });
  return written ? { task, state: 'open', isNew: true } : undefined;
}

const shardUnder = ({ parent }: OpenTaskRequest): Shard | undefined =>
  parent !== undefined && isId('tsk', parent) ? shardOf(parent) : undefined;

/** A parent one may not read does not exist. */
async function decide({ policy }: Deps, caller: Proven, task: Task, parent: Task | undefined): Promise<void> {
  if (parent) {
    const reading = await decideOperation(policy, caller.party, 'readTask', { type: 'task', task: factsOf(parent) });
    if (reading.outcome !== 'permit') throw unknownParent();
  }
  const lifetimeSeconds = Math.ceil((task.deadline - task.openedAt) / 1000);
  const opening = { lifetimeSeconds, ...(task.principal && { onBehalfOf: task.principal }) };
  const decision = await decideOperation(
    policy,
    caller.party,
    'openTask',
    { type: 'task', task: unbornFacts(task) },
    { opening },
  );
  if (decision.outcome !== 'permit') throw denied(decision);
}

const unknownParent = () => new BrokerError('not_found', 'There is no parent task with that id.', { retry: 'never' });
const parentNotOpen = () => new BrokerError('conflict', 'The parent task is not open.', { retry: 'never' });
