/**
 * Suspension is a hold on the task: what was minted before it is dead for good, nothing new is born until it is resumed.
 * The intention is written first, and numbers the publication; so a crash in between loses no hold and lifts no other's.
 */
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { cause } from '../domain/selector.js';
import type { Task } from '../domain/task.js';
import type { LogEntry } from '../domain/tombstone.js';
import type { PermittedTask } from '../authorization/permit.js';
import { retryOnConflict } from '../ledger/retry-on-conflict.js';
import type { Ledger } from '../ledger/ledger.js';
import { updateTask } from '../ledger/tasks.js';
import { readTaskState, type TaskState } from '../ledger/task-state.js';
import { StoreUnavailable } from '../store/store.js';
import { lift, revoke } from '../ledger/revoke.js';

interface Suspended {
  task: Task;
  state: TaskState;
  entry?: LogEntry;
}

export async function suspendTask(
  ledger: Ledger,
  { caller, task, state }: PermittedTask<'suspendTask'>,
  { reason = 'suspended' }: { reason?: string },
): Promise<Suspended> {
  if (hasEnded(state)) throw ended(state);
  const held = await placeHold(ledger, task, { actor: caller.party.id, reason });
  return { ...held, state: await readTaskState(ledger, held.task) };
}

/** Lifts exactly what suspending placed: another hold on the task, or on its workload, stays. */
export async function resumeTask(
  ledger: Ledger,
  { caller, task, state }: PermittedTask<'resumeTask'>,
): Promise<Suspended> {
  if (hasEnded(state)) throw ended(state);
  if (!task.suspended) return { task, state };

  const by = { actor: caller.party.id, reason: 'resumed' };
  const hold = await holdOf(ledger, task, by);
  const entry = await lift(ledger, hold, { ...by, id: `resume:${task.id}:${task.suspensions}` });
  const resumed = await updateTask(ledger, task.id, (current) =>
    isSame(current, task) ? awake(current, ledger.clock.now()) : undefined,
  );
  const now = resumed ?? task;
  return defined({ task: now, state: await readTaskState(ledger, now), entry });
}

interface By {
  actor: string;
  reason: string;
}

async function placeHold(ledger: Ledger, task: Task, by: By): Promise<{ task: Task; entry: LogEntry }> {
  try {
    return await rememberedHold(ledger, task.id, by);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    // A store too full for records still takes revocations. This hold has a receipt, and is lifted by its number.
    return { task, entry: await revoke(ledger, { ...holdOn(task), ...by }) };
  }
}

/**
 * The entry found may be lifted by now: its resumption failed, or runs, between the lift and the record. Only a hold that is
 * seen in force is acknowledged; otherwise the next suspension begins.
 */
function rememberedHold(ledger: Ledger, id: string, by: By): Promise<{ task: Task; entry: LogEntry }> {
  let lifted = -1;
  return retryOnConflict(ledger, async () => {
    const task = await updateTask(ledger, id, (current) =>
      current.suspended && current.suspensions !== lifted
        ? undefined
        : { ...current, suspended: true, suspensions: current.suspensions + 1 },
    );
    if (!task || task.ended) throw ended(task?.ended?.as ?? 'expired');
    const entry = await holdOf(ledger, task, by);
    const own = cause('task', id);
    const [tombstone] = (await ledger.log.look([own])).on([own]);
    if (tombstone?.holds.includes(entry.seq) === true) return { task, entry };
    lifted = task.suspensions;
    return undefined;
  });
}

/** Publishing the same suspension again answers the entry it has: that is how its number is known. */
const holdOf = (ledger: Ledger, task: Task, by: By): Promise<LogEntry> =>
  revoke(ledger, { id: `suspend:${task.id}:${task.suspensions}`, ...holdOn(task), ...by });

const holdOn = ({ id, deadline }: Task) =>
  ({ selector: { kind: 'task', value: id }, effect: 'hold', knownEnd: deadline }) as const;

const isSame = (current: Task, task: Task): boolean => current.suspended && current.suspensions === task.suspensions;

/** Everything listed was born before the hold, so it is dead; the time asleep counts for no missed heartbeat. */
const awake = (task: Task, now: number): Task =>
  defined({
    ...task,
    suspended: false,
    credentials: [],
    heartbeat: task.heartbeat && { ...task.heartbeat, lastAt: now },
  });

const hasEnded = (state: TaskState): boolean => state !== 'open' && state !== 'suspended';
const ended = (state: TaskState) => new BrokerError('conflict', `The task has ended: ${state}.`);
