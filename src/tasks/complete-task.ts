/** Completes a task: the task ends with the declared outcome, and every credential and child task under it ends too. */
import { publishedBy } from '../authorization/audit.js';
import type { PermittedTask } from '../authorization/permit.js';
import { defined } from '../domain/defined.js';
import type { DECLARED_OUTCOMES } from '../domain/task-outcome.js';
import type { Task } from '../domain/task.js';
import type { LogEntry } from '../domain/tombstone.js';
import { countImpact, type Affected } from '../ledger/impact.js';
import type { Ledger } from '../ledger/ledger.js';
import type { TaskState } from '../ledger/task-state.js';
import { effectsOf, type AchievedEffect } from '../revocation/effects.js';
import { endTask, publishEnd } from './end-task.js';

interface CompleteRequest {
  outcome: (typeof DECLARED_OUTCOMES)[number];
  reason?: string;
}

interface Completed {
  task: Task;
  state: TaskState;
  /** Absent if the task had ended before: the first outcome stands. */
  revocation?: { entry: LogEntry; affected?: Affected; effects: AchievedEffect[] };
}

export async function completeTask(
  ledger: Ledger,
  { caller, subject: { task, state } }: PermittedTask<'completeTask'>,
  request: CompleteRequest,
): Promise<Completed> {
  if (state !== 'open' && state !== 'suspended') {
    // The end was only read, and perhaps no replica has it: its publication may have been answered with 503.
    await publishEnd(ledger, task, { as: state, reason: request.reason ?? state, ...publishedBy(caller) });
    return { task, state };
  }
  const reason = request.reason ?? request.outcome;
  const end = { as: request.outcome, reason, ...publishedBy(caller) };
  let affected: Affected | undefined;
  const ended = await endTask(ledger, task, end, async (entry) => {
    affected = await impactOf(ledger, entry);
  });
  const { entry } = ended;
  const effects = await effectsOf(ledger, affected, entry);
  const revocation = defined({ entry, affected, effects });
  return { task: ended.task, state: ended.task.ended?.as ?? request.outcome, revocation };
}

/** The task is dead already, so the answer says so even if the store cannot count now how much died with it. */
async function impactOf(ledger: Ledger, { selector, at, seq, before }: LogEntry): Promise<Affected | undefined> {
  return countImpact(ledger, { selector, at, published: { seq, before } }).catch(() => undefined);
}
