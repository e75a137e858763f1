/** A task as callers see it. */
import { defined } from '../../domain/defined.js';
import { detailsOf } from '../../targets/requested-access.js';
import type { Task } from '../../domain/task.js';
import { toTimestamp } from '../../domain/time.js';
import type { LogEntry } from '../../domain/tombstone.js';
import type { TaskState } from '../../ledger/task-state.js';

/** @param state The effective one: what hangs on a parent, a hold or a deadline has it already, whatever the record says. */
export function taskOnWire({ task, state }: { task: Task; state: TaskState }) {
  const { heartbeat, ended } = task;
  return defined({
    id: task.id,
    state,
    workload: task.workload.id,
    principal: task.principal?.id,
    openedBy: task.openedBy?.id,
    purpose: task.purpose,
    access: task.ceiling && task.ceiling.flatMap(({ target, ...access }) => detailsOf(target, [access])),
    openedAt: toTimestamp(task.openedAt),
    deadline: toTimestamp(task.deadline),
    lineage: task.lineage,
    heartbeat: heartbeat && {
      intervalSeconds: heartbeat.intervalSeconds,
      missesAllowed: heartbeat.missesAllowed,
      lastAt: toTimestamp(heartbeat.lastAt),
    },
    ...(ended && defined({ endedAt: toTimestamp(ended.at), reason: ended.reason })),
  });
}

/** What was published when a task was ended, suspended or resumed; null when there was nothing to do. */
export const entryOnWire = (entry: LogEntry | undefined) =>
  entry
    ? {
        seq: entry.seq,
        at: toTimestamp(entry.at),
        selector: entry.selector,
        effect: entry.effect,
        reason: entry.reason,
      }
    : null;
