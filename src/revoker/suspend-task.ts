/**
 * Suspension is a hold on the task: what was minted before it is dead for good, nothing new is born until it is resumed.
 * The intention is written first, and numbers the publication; so a crash in between loses no hold and lifts no other's.
 */
import { BrokerError } from '../domain/errors.js';
import type { Task } from '../domain/task.js';
import type { LogEntry } from '../domain/tombstone.js';
import { permitOnTask, type TaskDeps, type TaskRequest } from '../broker/task-verbs.js';
import type { Proven } from '../identity/caller.js';
import type { Ledger } from '../ledger/ledger.js';
import { updateTask } from '../ledger/tasks.js';
import { lookAtTask, type TaskState } from '../ledger/vitals.js';
import { lift, revoke } from './revoke.js';

interface Suspended {
  task: Task;
  state: TaskState;
  entry?: LogEntry;
}

export async function suspendTask(
  deps: TaskDeps,
  caller: Proven,
  request: TaskRequest & { reason?: string },
): Promise<Suspended> {
  const { task, state } = await permitOnTask(deps, caller, 'suspendTask', request);
  if (hasEnded(state)) throw ended(state);
  const marked = await updateTask(deps.ledger, task.id, (current) =>
    current.suspended ? undefined : { ...current, suspended: true, suspensions: current.suspensions + 1 },
  );
  if (!marked || marked.ended) throw ended(marked?.ended?.as ?? 'expired');
  const entry = await holdOf(deps.ledger, marked, { actor: caller.party.id, reason: request.reason ?? 'suspended' });
  return { task: marked, state: await lookAtTask(deps.ledger, marked), entry };
}

/** Lifts exactly what suspending placed: another hold on the task, or on its workload, stays. */
export async function resumeTask(deps: TaskDeps, caller: Proven, request: TaskRequest): Promise<Suspended> {
  const { ledger } = deps;
  const { task, state } = await permitOnTask(deps, caller, 'resumeTask', request);
  if (hasEnded(state)) throw ended(state);
  if (!task.suspended) return { task, state };

  const by = { actor: caller.party.id, reason: 'resumed' };
  const hold = await holdOf(ledger, task, by);
  const entry = await lift(ledger, hold, { ...by, id: `resume:${task.id}:${task.suspensions}` });
  const resumed = await updateTask(ledger, task.id, (current) =>
    isSame(current, task) ? awake(current, ledger.clock.now()) : undefined,
  );
  const now = resumed ?? task;
  return { task: now, state: await lookAtTask(ledger, now), ...(entry && { entry }) };
}

/** Publishing the same suspension again answers the entry it has: that is how its number is known. */
const holdOf = (ledger: Ledger, task: Task, { actor, reason }: { actor: string; reason: string }): Promise<LogEntry> =>
  revoke(ledger, {
    id: `suspend:${task.id}:${task.suspensions}`,
    selector: { kind: 'task', value: task.id },
    effect: 'hold',
    reason,
    actor,
    knownEnd: task.deadline,
  });

const isSame = (current: Task, task: Task): boolean => current.suspended && current.suspensions === task.suspensions;

/** Everything listed was born before the hold, so it is dead; the time asleep counts for no missed heartbeat. */
const awake = (task: Task, now: number): Task => ({
  ...task,
  suspended: false,
  credentials: [],
  ...(task.heartbeat && { heartbeat: { ...task.heartbeat, lastAt: now } }),
});

const hasEnded = (state: TaskState): boolean => state !== 'open' && state !== 'suspended';
const ended = (state: TaskState) => new BrokerError('conflict', `The task has ended: ${state}.`, { retry: 'never' });
