/** Which audit entries belong to the timeline of a task or a workload: what it did, and what hit it, under whatever selector. */
import type { AuditEntry } from '../audit/event.js';
import type { Deps } from '../authorization/deps.js';
import { BrokerError } from '../domain/errors.js';
import { partyCauses, sessionsOf, taskCauses } from '../domain/hangs-on.js';
import { isId } from '../domain/id.js';
import { ALL, cause, causeOf, type Cause, type Selector } from '../domain/selector.js';
import type { Task } from '../domain/task.js';
import type { Ledger } from '../ledger/ledger.js';
import { readFormer, readReadableTasks } from '../ledger/tasks.js';
import { knownWorkload } from './known-workload.js';

export type About = { task: string } | { workload: string } | { requestId: string };

export interface TimelineSubject {
  /** No older entry concerns the subject. Milliseconds. */
  since?: number;
  /**
   * Returns whether the subject did or received something in this entry. The subject learns from it what else it hangs on.
   */
  isOwn(entry: AuditEntry): boolean;
  /** Returns whether what was done to this selector, in this entry, hit the subject. */
  isHit(selector: Selector, entry: AuditEntry): boolean;
  /** Returns whether a task is part of the subject. A narrower selector that names one then concerns the subject too. */
  owns(task: Task): boolean;
  /** Kinds of selectors that may name a part of the subject. Their records must be read to know. */
  parts: readonly Selector['kind'][];
}

type SubjectDeps = Pick<Deps, 'settings'> & { ledger: Ledger };

export async function subjectOf(deps: SubjectDeps, about: About): Promise<TimelineSubject> {
  if ('task' in about) return ofTask(deps.ledger, about.task);
  return 'workload' in about ? ofWorkload(deps, about.workload) : ofRequest(about.requestId);
}

/** Returns a request as the subject of a timeline: what was entered because of it, and no consequence of that. */
const ofRequest = (requestId: string): TimelineSubject => ({
  isOwn: (entry) => entry.requestId === requestId,
  isHit: () => false,
  owns: () => false,
  parts: [],
});

/**
 * Returns a task as the subject of a timeline. The causes come from the record of the task, or from what is left of it. If that is gone
 * too, they are learnt from the audit entries of the task itself.
 */
async function ofTask(ledger: Ledger, id: string): Promise<TimelineSubject> {
  if (!isId('tsk', id)) throw new BrokerError('invalid_request', 'task must be the id of a task.');
  const [task] = await knownTasks(ledger, [id]);
  const family = task ? [task, ...(await knownTasks(ledger, task.lineage))] : [];
  let endedAt = Math.min(...family.map(({ ended }) => ended?.at ?? Infinity));
  // What is left of an ended task has no causes of those above any more: their own records say them.
  const causes = new Set<Cause>(task ? family.flatMap(taskCauses) : [cause('task', id), ALL]);
  const above = new Set(family.flatMap(({ handedOn = [] }) => handedOn));
  return {
    ...(task && { since: task.openedAt }),
    isOwn(entry) {
      // What goes on with it has a timeline of its own: this one has where it began.
      if (entry.task !== id) return entry.continues === id;
      learn(causes, entry);
      return true;
    },
    // A revocation with a broad selector that was published after this task had ended did not affect it.
    isHit(selector, { at, revocation }) {
      if (!causes.has(causeOf(selector))) return false;
      const { kind, value } = selector;
      if (kind === 'task' && revocation?.effect === 'end') endedAt = Math.min(endedAt, at);
      const isOwn = value === id || (kind === 'credential' && !above.has(value));
      return isOwn || at <= endedAt;
    },
    owns: (other) => other.id === id,
    parts: ['credential'],
  };
}

/** Returns the tasks in the order asked; where a record is gone, what is left of it; without those of which nothing is. */
async function knownTasks(ledger: Ledger, ids: readonly string[]): Promise<Task[]> {
  const found = [...(await readFormer(ledger, ids)), ...(await readReadableTasks(ledger, ids))];
  const known = new Map(found.map((task) => [task.id, task]));
  return ids.flatMap((id) => known.get(id) ?? []);
}

/**
 * Returns a workload as the subject of a timeline. The owner of the workload comes from one of its open tasks, or from the
 * configuration.
 */
async function ofWorkload(deps: SubjectDeps, id: string): Promise<TimelineSubject> {
  const { party } = await knownWorkload(deps, id);
  const causes = new Set<Cause>([...partyCauses(party), cause('principal', id), ALL]);
  return {
    isOwn({ workload, actor }) {
      if (actor?.id === id && actor.subject !== undefined) causes.add(cause('subject', actor.subject));
      return workload === id || actor?.id === id;
    },
    isHit: (selector) => causes.has(causeOf(selector)),
    owns: ({ workload }) => workload.id === id,
    parts: ['credential', 'task'],
  };
}

/**
 * Adds the causes that an entry of the task names: its credentials and their targets, the one by which it was handed on, its workload and
 * its principal.
 */
function learn(
  causes: Set<Cause>,
  { type, actor, credential, handedOn, target, workload, principal = workload }: AuditEntry,
): void {
  if (type !== 'credential.granted' && type !== 'task.opened') return;
  const sessions = target !== undefined && workload !== undefined ? sessionsOf(target, workload) : undefined;
  const named = [
    ['credential', credential],
    ['credential', handedOn],
    ['target', target],
    ['target', sessions],
    ['workload', workload],
    ['subject', actor?.subject],
    ['principal', principal],
  ] as const;
  for (const [kind, value] of named) if (value !== undefined) causes.add(cause(kind, value));
}
