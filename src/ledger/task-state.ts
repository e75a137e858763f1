/** The state of a task: by its record once that says how it ended, else by the log as it is now, else by its deadline. */
import { taskCauses } from '../domain/hangs-on.js';
import { refusesBirth } from '../domain/liveness.js';
import { cause, type Cause } from '../domain/selector.js';
import { LIVE_STATES, OUTCOMES, type Outcome } from '../domain/task-outcome.js';
import type { Task } from '../domain/task.js';
import type { Ledger } from './ledger.js';
import type { Seen } from './revocation-log.js';

export const TASK_STATES = [...LIVE_STATES, ...OUTCOMES] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** @param seen A look at `taskCauses(task)` that began after the question arrived: an older one may miss a revocation. */
export function taskState(task: Task, seen: Seen, now: number): TaskState {
  if (task.ended) return task.ended.as;
  const causes = taskCauses(task);
  const died = howDied(task, seen, causes);
  if (died) return died;
  if (task.deadline <= now) return 'expired';
  return task.suspended || refusesBirth(seen.on(causes)) ? 'suspended' : 'open';
}

export async function readTaskState(ledger: Ledger, task: Task): Promise<TaskState> {
  return stateNow(ledger, task, await ledger.log.look(taskCauses(task)));
}

/**
 * Returns the state of a task for whoever may read or end it. While the time is not known, a task that may have expired can
 * still be ended: a clock that is ahead must not stand in the way. Opening and minting read the checked time themselves.
 */
export function stateNow({ clock }: Pick<Ledger, 'clock'>, task: Task, seen: Seen): TaskState {
  return taskState(task, seen, clock.isTrusted() ? clock.now() : clock.uncheckedEarliest());
}

/**
 * Returns how the task ended by the log; undefined while it lives. The end of its run is its own end. A child whose parent completed
 * or failed did neither itself: it was cancelled.
 */
function howDied(task: Task, seen: Seen, causes: readonly Cause[]): Outcome | undefined {
  const own = [cause('task', task.id), ...(task.run === undefined ? [] : [cause('run', task.run)])];
  const [first] = seen
    .on(own)
    .flatMap((tombstone) => tombstone?.ended ?? [])
    .toSorted((one, other) => one.seq - other.seq);
  if (first) return first.as;
  const died = seen.deathOf('task', task.epoch, causes) ?? deathAbove(task, seen);
  return died === 'completed' || died === 'failed' ? 'cancelled' : died;
}

/** A task that was handed on was born of a credential, and ends with whatever ends that: also with a hold, which only suspends tasks. */
const deathAbove = ({ handedOn, inherits = [], epoch }: Task, seen: Seen): Outcome | undefined =>
  handedOn && seen.deathOf('credential', epoch, inherits);
