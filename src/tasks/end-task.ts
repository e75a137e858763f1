/** Ends a task, by completion, deadline or missed heartbeats. The end is published first and stored in the record after; the first outcome stands. */
import { cause } from '../domain/selector.js';
import type { RequestTrace } from '../domain/request-trace.js';
import type { Outcome } from '../domain/task-outcome.js';
import type { Task } from '../domain/task.js';
import type { LogEntry } from '../domain/tombstone.js';
import type { Ledger } from '../ledger/ledger.js';
import { revoke } from '../ledger/revoke.js';
import { settle } from '../ledger/tasks.js';
import { StoreUnavailable } from '../store/store.js';

interface End {
  as: Outcome;
  reason: string;
  actor: string;
  trace?: RequestTrace;
}

/**
 * Ends a task. However often and wherever that is done, there is one entry in the log, and its outcome is the task's.
 * @param between Runs after the task is dead and before its record drops the list of its credentials.
 */
export async function endTask(
  ledger: Ledger,
  task: Task,
  end: End,
  between?: (entry: LogEntry) => Promise<void>,
): Promise<{ task: Task; entry: LogEntry }> {
  const entry = await publishEnd(ledger, task, end);
  await between?.(entry);
  const own = cause('task', task.id);
  const [tombstone] = (await ledger.log.look([own])).on([own]);
  const ended = { as: tombstone?.ended?.as ?? end.as, at: entry.at, reason: entry.reason };
  return { task: await stored(ledger, task, ended), entry };
}

/** Resolves when the end is as durable as configured, also where it was published before. */
export const publishEnd = (ledger: Ledger, task: Task, { as, ...by }: End): Promise<LogEntry> =>
  revoke(ledger, {
    id: `end:${task.id}`,
    selector: { kind: 'task', value: task.id },
    effect: 'end',
    outcome: as,
    ...by,
    knownEnd: task.deadline,
  });

/** The task is dead already. If the store is too full to record the end, the answer says so all the same and the sweep records it later. */
async function stored(ledger: Ledger, task: Task, ended: NonNullable<Task['ended']>): Promise<Task> {
  try {
    return (await settle(ledger, task.id, ended)) ?? task;
  } catch (error) {
    if (error instanceof StoreUnavailable) return { ...task, ended, credentials: [] };
    throw error;
  }
}
