/**
 * Suspension is a hold on the task: every credential that was minted before is dead for good, and none is minted until the task
 * is resumed. The task record counts the suspensions, and is written before the hold is published under that number. So a crash
 * in between loses no hold, and a resumption lifts no other hold.
 */
import { publishedBy } from '../authorization/audit.js';
import type { PermittedTask } from '../authorization/permit-on-task.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { cause } from '../domain/selector.js';
import type { RequestTrace } from '../domain/request-trace.js';
import { isLive } from '../domain/task-outcome.js';
import type { Task } from '../domain/task.js';
import type { LogEntry } from '../domain/tombstone.js';
import type { Ledger } from '../ledger/ledger.js';
import { retryOnConflict } from '../ledger/retry-on-conflict.js';
import { lift, revoke } from '../ledger/revoke.js';
import { readTaskState, type TaskState } from '../ledger/task-state.js';
import { updateTask } from '../ledger/tasks.js';
import { StoreUnavailable } from '../store/store.js';

interface Suspended {
  task: Task;
  state: TaskState;
  entry?: LogEntry;
}

export async function suspendTask(
  ledger: Ledger,
  { caller, subject: { task, state } }: PermittedTask<'suspendTask'>,
  { reason = 'suspended' }: { reason?: string },
): Promise<Suspended> {
  if (!isLive(state)) throw ended(state);
  const held = await placeHold(ledger, task, { ...publishedBy(caller), reason });
  return { ...held, state: await readTaskState(ledger, held.task) };
}

/** Lifts only the hold that the suspension placed. Another hold, on the task or on its workload, stays. */
export async function resumeTask(
  ledger: Ledger,
  { caller, subject: { task, state } }: PermittedTask<'resumeTask'>,
): Promise<Suspended> {
  if (!isLive(state)) throw ended(state);
  if (!task.suspended) return { task, state };

  const by = { ...publishedBy(caller), reason: 'resumed' };
  const hold = await holdOf(ledger, task, by);
  const entry = await lift(ledger, hold, { ...by, id: `resume:${task.id}:${task.suspensions}` });
  const updated = await updateTask(ledger, task.id, (current) =>
    isSame(current, task) ? resumed(current, ledger.clock.now()) : undefined,
  );
  const now = updated ?? task;
  return defined({ task: now, state: await readTaskState(ledger, now), entry });
}

interface By {
  actor: string;
  reason: string;
  trace?: RequestTrace;
}

/**
 * The hold of a suspended task may already be lifted, if a resumption stopped between the lift and the record, or is between
 * them now. So only a hold that is seen in force counts; otherwise the next suspension begins.
 */
function placeHold(ledger: Ledger, before: Task, by: By): Promise<{ task: Task; entry: LogEntry }> {
  let lifted = -1;
  return retryOnConflict(ledger, async () => {
    const task = await recordSuspension(ledger, before.id, lifted);
    // This hold is lifted by the number on its receipt.
    if (task === 'unwritable') return { task: before, entry: await revoke(ledger, { ...holdOn(before), ...by }) };
    if (!task || task.ended) throw ended(task?.ended?.as ?? 'expired');
    const entry = await holdOf(ledger, task, by);
    const own = cause('task', task.id);
    const [tombstone] = (await ledger.log.look([own])).on([own]);
    if (tombstone?.holds.includes(entry.seq) === true) return { task, entry };
    lifted = task.suspensions;
    return undefined;
  });
}

/** A store that is too full for records still takes revocations, so here a refusal is an answer. */
async function recordSuspension(ledger: Ledger, id: string, lifted: number): Promise<Task | null | 'unwritable'> {
  try {
    return await updateTask(ledger, id, (current) =>
      current.suspended && current.suspensions !== lifted
        ? undefined
        : { ...current, suspended: true, suspensions: current.suspensions + 1 },
    );
  } catch (error) {
    if (error instanceof StoreUnavailable) return 'unwritable';
    throw error;
  }
}

/** Returns the log entry of this suspension. Publishing it again returns the entry that exists, so this is also how its number is found. */
const holdOf = (ledger: Ledger, task: Task, by: By): Promise<LogEntry> =>
  revoke(ledger, { id: `suspend:${task.id}:${task.suspensions}`, ...holdOn(task), ...by });

const holdOn = ({ id, deadline }: Task) =>
  ({ selector: { kind: 'task', value: id }, effect: 'hold', knownEnd: deadline }) as const;

const isSame = (current: Task, task: Task): boolean => current.suspended && current.suspensions === task.suspensions;

/**
 * Returns the task as it is after the resumption. Every listed credential was born before the hold, so it is dead. The time
 * of the suspension counts for no missed heartbeat.
 */
const resumed = (task: Task, now: number): Task =>
  defined({
    ...task,
    suspended: false,
    credentials: [],
    heartbeat: task.heartbeat && { ...task.heartbeat, lastAt: now },
  });

const ended = (state: TaskState) => new BrokerError('conflict', `The task has ended: ${state}.`);
