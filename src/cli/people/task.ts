/** A task as the broker answers it, and as a terminal shows it. */
import { z } from 'zod';
import type { Facts } from './lines.js';

/** Members that it does not know are kept, for `--json`. */
export const taskSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  workload: z.string(),
  principal: z.string().optional(),
  openedBy: z.string().optional(),
  purpose: z.string(),
  openedAt: z.string(),
  deadline: z.string(),
  lineage: z.array(z.string()),
  continues: z.string().optional(),
  heartbeat: z.object({ intervalSeconds: z.int(), lastAt: z.string() }).optional(),
  endedAt: z.string().optional(),
  reason: z.string().optional(),
});

export type TaskShown = z.infer<typeof taskSchema>;

/** A page of tasks. */
export const listSchema = z.object({
  tasks: z.array(taskSchema),
  next: z.string().optional(),
  unknown: z.array(z.string()).optional(),
});

export const taskFacts = (task: TaskShown): Facts => [
  ['task', task.id],
  ['workload', task.workload],
  ['for', task.principal],
  ['opened by', task.openedBy],
  ['purpose', task.purpose],
  ['opened', task.openedAt],
  ['deadline', task.deadline],
  ['heartbeat', task.heartbeat && `every ${task.heartbeat.intervalSeconds} s, the last at ${task.heartbeat.lastAt}`],
  ['below', task.lineage.length === 0 ? undefined : task.lineage.join(', ')],
  ['goes on with', task.continues],
  ['ended', task.endedAt],
  ['because', task.reason],
];

/** A task as a line of a list. */
export const taskRow = ({ id, state, workload, principal, purpose, deadline, continues }: TaskShown): string[] => [
  id,
  state,
  workload + (principal === undefined ? '' : ` for ${principal}`),
  `until ${deadline}`,
  continues === undefined ? purpose : `${purpose} (goes on with ${continues})`,
];
