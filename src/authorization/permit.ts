/**
 * Permission as a value. A use case behind an operator verb takes a `Permitted` of that verb, and only the functions of this
 * file make one: they look up whether the caller is alive, ask policy, and enter a refusal into the audit log.
 */
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import type { Party } from '../domain/party.js';
import { partyCauses, taskCauses } from '../domain/hangs-on.js';
import type { Task } from '../domain/task.js';
import { wholeSeconds } from '../domain/time.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { taskState, type TaskState } from '../ledger/task-state.js';
import { readTask } from '../ledger/tasks.js';
import type { OperateContext, OperatorVerb } from '../policy/query.js';
import { auditingRefusals } from './audit-refusal.js';
import { assertLiveCaller, refuseDeadCaller } from './caller.js';
import { decideOperation, denied, factsOf, draftFacts } from './decide.js';
import type { Deps } from './deps.js';

/** Not exported, so that no other file can make a `Permitted`. */
const permitted: unique symbol = Symbol('permitted');

/** A caller that policy permits this verb. */
export type Permitted<V extends OperatorVerb> = AuthenticatedCaller & { readonly [permitted]: V };

/** Verbs on the broker as a whole: policy is asked by the verb alone. */
export type BrokerVerb = 'readRevocations' | 'readCredential' | 'readAudit' | 'sendSignal';

/** Verbs on a task that exists. */
type TaskVerb = 'readTask' | 'completeTask' | 'suspendTask' | 'resumeTask' | 'heartbeat';

export type PermitDeps = Pick<Deps, 'ledger' | 'policy' | 'audit' | 'settings' | 'observer'>;

export const permitOnBroker = <V extends BrokerVerb>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: V,
  requestId: string,
): Promise<Permitted<V>> => ask(deps, caller, verb, requestId);

/** @param revocation What would be revoked, or lifted: policy may permit one selector or effect and not another. */
export const permitRevocation = (
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  revocation: NonNullable<OperateContext['revocation']>,
  requestId: string,
): Promise<Permitted<'revoke'>> => ask(deps, caller, 'revoke', requestId, { revocation });

function ask<V extends OperatorVerb>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: V,
  requestId: string,
  context?: Omit<OperateContext, 'kind'>,
): Promise<Permitted<V>> {
  return auditingRefusals(deps, caller, { type: 'operation.refused', verb, requestId }, async () => {
    await assertLiveCaller(deps, caller);
    const decision = await decideOperation(deps.policy, caller.party, verb, { type: 'broker' }, context);
    if (decision.outcome !== 'permit') throw denied(decision);
    return permit(caller, verb);
  });
}

export interface TaskRequest {
  taskId: string;
  requestId: string;
}

/** A task as it was when policy permitted the verb on it. */
export interface PermittedTask<V extends TaskVerb> {
  caller: Permitted<V>;
  task: Task;
  state: TaskState;
}

/**
 * Reads the record, then takes one look at everything that the answer hangs on, then asks policy. A task that the caller may
 * not read is refused like a task that does not exist.
 */
export function permitOnTask<V extends TaskVerb>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: V,
  { taskId, requestId }: TaskRequest,
): Promise<PermittedTask<V>> {
  return auditingRefusals(deps, caller, { type: 'operation.refused', verb, task: taskId, requestId }, async () => {
    const stored = await readTask(deps.ledger, taskId);
    const seen = await deps.ledger.log.look([
      ...new Set([...(stored ? taskCauses(stored.value) : []), ...partyCauses(caller.party)]),
    ]);
    refuseDeadCaller(deps, caller, seen);
    if (!stored) throw unknownTask();
    const task = stored.value;
    await assertPermittedOnTask(deps, caller, verb, task);
    return { caller: permit(caller, verb), task, state: taskState(task, seen, deps.ledger.clock.now()) };
  });
}

async function assertPermittedOnTask(
  { policy }: PermitDeps,
  { party }: AuthenticatedCaller,
  verb: TaskVerb,
  task: Task,
): Promise<void> {
  const resource = { type: 'task', task: factsOf(task) } as const;
  const decision = await decideOperation(policy, party, verb, resource);
  if (decision.outcome === 'permit') return;
  const reading = verb === 'readTask' ? decision : await decideOperation(policy, party, 'readTask', resource);
  throw reading.outcome === 'permit' ? denied(decision) : unknownTask();
}

/**
 * Returns the drafted task as policy permits it, perhaps with an earlier deadline, and the policies that permitted it. Both
 * POST /tasks and an exchange open tasks; each audits the refusal itself.
 */
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
  // A child inherits the parent's access and person. So its opener needs the permission to open tasks such as the parent, too.
  for (const facts of parent ? [factsOf(parent), draftFacts(draft)] : [draftFacts(draft)]) {
    const decision = await decideOperation(policy, party, 'openTask', { type: 'task', task: facts }, { opening });
    if (decision.outcome !== 'permit') throw denied(decision);
    policies.push(...decision.policies);
    task = endingWithin(task, decision.lifetimeSeconds);
  }
  return { task, policies };
}

/** The deadline is in whole seconds, like every deadline. */
function endingWithin(task: Task, seconds: number): Task {
  const latest = wholeSeconds(task.openedAt + seconds * 1000);
  return { ...task, deadline: Math.min(task.deadline, latest) };
}

const permit = <V extends OperatorVerb>(caller: AuthenticatedCaller, verb: V): Permitted<V> => ({
  ...caller,
  [permitted]: verb,
});

const unknownTask = () => new BrokerError('not_found', 'There is no task with that id.');
