/** Ends a task: completion, deadline and missed heartbeats. First published, then remembered; the first outcome stands. */
import { cause } from '../domain/selector.js';
import type { Outcome, Task } from '../domain/task.js';
import type { LogEntry } from '../domain/tombstone.js';
import type { Ledger } from '../ledger/ledger.js';
import { settle } from '../ledger/tasks.js';
import { StoreUnavailable } from '../store/store.js';
import { revoke } from '../ledger/revoke.js';

interface End {
  as: Outcome;
  reason: string;
  actor: string;
}

/**
 * Whoever ends a task, however often and wherever: one entry in the log, whose outcome is the task's.
 * @param between What must be seen after the task is dead and before its record forgets what hung on it.
 */
export async function endTask(
  ledger: Ledger,
  task: Task,
  { as, reason, actor }: End,
  between?: (entry: LogEntry) => Promise<void>,
): Promise<{ task: Task; entry: LogEntry }> {
  const entry = await revoke(ledger, {
    id: `end:${task.id}`,
    selector: { kind: 'task', value: task.id },
    effect: 'end',
    outcome: as,
    reason,
    actor,
    knownEnd: task.deadline,
  });
  await between?.(entry);
  const own = cause('task', task.id);
  const [tombstone] = (await ledger.log.look([own])).on([own]);
  const ended = { as: tombstone?.ended?.as ?? as, at: entry.at, reason: entry.reason };
  return { task: await remembered(ledger, task, ended), entry };
}

/** The task is dead by now. A store too full to remember it is no reason to say otherwise: the sweep writes it later. */
async function remembered(ledger: Ledger, task: Task, ended: NonNullable<Task['ended']>): Promise<Task> {
  try {
    return (await settle(ledger, task.id, ended)) ?? task;
  } catch (error) {
    if (error instanceof StoreUnavailable) return { ...task, ended, credentials: [] };
    throw error;
  }
}
