/** Permission to open a task, for POST /tasks and for an exchange. It is no permission to act on one: the task is not there yet. */
import { defined } from '../domain/defined.js';
import type { Party } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import { wholeSeconds } from '../domain/time.js';
import type { TaskFacts } from '../policy/query.js';
import { delegationOf, draftFacts, factsOf, personOf, type Decision } from './decide.js';
import { decideOperation, refusalOf } from './decide-operation.js';
import type { Deps } from './deps.js';

/** A task as policy permits it to be opened, perhaps with an earlier deadline. */
export interface Opening {
  task: Task;
  /** With the policies of all questions. */
  decision: Decision;
  /** The lifetime that was asked for. */
  seconds: number;
}

export async function permitOpening(
  policy: Deps['policy'],
  party: Party,
  draft: Task,
  parent?: Task,
): Promise<Opening> {
  const opening = defined({
    lifetimeSeconds: Math.ceil((draft.deadline - draft.openedAt) / 1000),
    principalProven: draft.principalProven ?? false,
    onBehalfOf: personOf(draft),
    ...delegationOf(draft),
  });
  const ask = async (facts: TaskFacts) => {
    const decision = await decideOperation(policy, party, 'openTask', { type: 'task', task: facts }, { opening });
    const refusal = refusalOf(decision);
    if (refusal) throw refusal;
    return decision;
  };
  // A child inherits the parent's access and person. So its opener needs the permission to open tasks such as the parent, too.
  const above = parent && { facts: factsOf(parent), decision: await ask(factsOf(parent)) };
  const own = await ask(draftFacts(draft));
  const lifetimeSeconds = Math.min(own.lifetimeSeconds, above?.decision.lifetimeSeconds ?? Infinity);
  const policies = [...new Set([...(above?.decision.policies ?? []), ...own.policies])];
  return {
    task: endingWithin(draft, lifetimeSeconds),
    decision: defined({ ...own, policies, lifetimeSeconds, parent: above?.facts }),
    seconds: opening.lifetimeSeconds,
  };
}

/** The deadline is in whole seconds, like every deadline. */
function endingWithin(task: Task, seconds: number): Task {
  const latest = wholeSeconds(task.openedAt + seconds * 1000);
  return { ...task, deadline: Math.min(task.deadline, latest) };
}
