/** Ends a task: completion, deadline and missed heartbeats. First published, then remembered; the first outcome stands. */
import { cause } from '../domain/selector.js';
import type { Outcome, Task } from '../domain/task.js';
import type { LogEntry } from '../domain/tombstone.js';
import type { Ledger } from '../ledger/ledger.js';
import { settle } from '../ledger/tasks.js';
import { revoke } from './revoke.js';

export interface End {
  as: Outcome;
  reason: string;
  actor: string;
}

/** Whoever ends a task, however often and wherever: one entry in the log, whose outcome is the task's. */
export async function endTask(
  ledger: Ledger,
  task: Task,
  { as, reason, actor }: End,
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
  const own = cause('task', task.id);
  const [tombstone] = (await ledger.log.look([own])).on([own]);
  const settled = await settle(ledger, task.id, { as: tombstone?.ended?.as ?? as, at: entry.at, reason: entry.reason });
  return { task: settled ?? task, entry };
}
