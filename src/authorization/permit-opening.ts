/** Whether a task may be opened, by POST /tasks or by an exchange; policy may let it live shorter. */
import { defined } from '../domain/defined.js';
import type { Party } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import { decideOperation, denied, factsOf, unbornFacts } from './decide.js';
import type { Deps } from './deps.js';

/** The task as policy permits it, and the policies that did. Throws the denial. */
export async function permitOpening(
  policy: Deps['policy'],
  party: Party,
  draft: Task,
  parent?: Task,
): Promise<{ task: Task; policies: string[] }> {
  const opening = defined({
    lifetimeSeconds: Math.ceil((draft.deadline - draft.openedAt) / 1000),
    principalProven: draft.principalProven ?? false,
    onBehalfOf: draft.principal,
  });
  const policies: string[] = [];
  let task = draft;
  // Reading a task is not enough to hang another on it, and on whom it serves: one must be let open tasks such as it.
  for (const facts of parent ? [factsOf(parent), unbornFacts(draft)] : [unbornFacts(draft)]) {
    const decision = await decideOperation(policy, party, 'openTask', { type: 'task', task: facts }, { opening });
    if (decision.outcome !== 'permit') throw denied(decision);
    policies.push(...decision.policies);
    task = endingWithin(task, decision.lifetimeSeconds);
  }
  return { task, policies };
}

/** Whole seconds, like every deadline. */
function endingWithin(task: Task, seconds: number): Task {
  const latest = Math.floor((task.openedAt + seconds * 1000) / 1000) * 1000;
  return { ...task, deadline: Math.min(task.deadline, latest) };
}
