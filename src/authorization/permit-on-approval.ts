/** Permission to see approvals, and what policy lets the caller do about each. */
import type { Approval, ApprovalState } from '../domain/approval.js';
import { BrokerError } from '../domain/errors.js';
import { partyCauses, taskCauses } from '../domain/hangs-on.js';
import { isSame, type Party } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { approvalState } from '../ledger/approval-state.js';
import { readApproval } from '../ledger/approvals.js';
import { readTasks } from '../ledger/tasks.js';
import { answersAhead } from './answers-ahead.js';
import { askWhatMayBeAnswered, type Answerable } from './ask-approval.js';
import { refuseDeadCaller } from './caller.js';
import { Permission, type Permitted } from './permission.js';
import { decideOnTask } from './permit-on-task.js';
import type { PermitDeps } from './permit.js';
import { permitsOrUnavailable } from './permits-or-unavailable.js';

/** An approval as the caller may see it, and what they may do about it. */
export interface SeenApproval extends Answerable {
  approval: Approval;
  /** Undefined: its record is gone. */
  task: Task | undefined;
  state: ApprovalState;
}

/** One that the caller may not see is refused like one that does not exist. */
export async function permitOnApproval(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  id: string,
): Promise<Permitted<'approve', SeenApproval>> {
  const stored = await readApproval(deps.ledger, id);
  const [permitted] = await permitApprovals(deps, caller, stored ? [stored.value] : [], true);
  if (!permitted) throw unknownApproval();
  return permitted;
}

/**
 * Returns permission to see each of the approvals that the caller may answer, or has asked for, in their order. The others are left
 * out: a list is no place to learn of them.
 * @param byTask Also those whose task the caller may read.
 */
export async function permitApprovals(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  approvals: readonly Approval[],
  byTask = false,
): Promise<Permitted<'approve', SeenApproval>[]> {
  const ids = [...new Set(approvals.map(({ task }) => task))];
  const tasks = new Map((await readTasks(deps.ledger, ids)).map(({ value }) => [value.id, value]));
  const seen = await deps.ledger.log.look([...[...tasks.values()].flatMap(taskCauses), ...partyCauses(caller.party)]);
  refuseDeadCaller(deps, caller, seen);
  const ask = async (approval: Approval): Promise<SeenApproval | undefined> => {
    const task = tasks.get(approval.task);
    const may = await askWhatMayBeAnswered(deps, caller, approval, task);
    const isSeen = may.groups.length > 0 || may.breaksGlass || hasAskedFor(caller.party, approval);
    if (!isSeen && !(byTask && task && (await mayRead(deps, caller, task)))) return undefined;
    return { approval, task, state: approvalState(deps.ledger, approval, task, seen), ...may };
  };
  const permitted: Permitted<'approve', SeenApproval>[] = [];
  for await (const [, one] of answersAhead(approvals, deps.policy.atOnce, ask))
    if (one) permitted.push(new Permission(caller, 'approve', one));
  return permitted;
}

const mayRead = async (deps: PermitDeps, caller: AuthenticatedCaller, task: Task): Promise<boolean> =>
  permitsOrUnavailable(await decideOnTask(deps, caller, 'readTask', task));

const hasAskedFor = (party: Party, { workload, openedBy, principal }: Approval): boolean =>
  [workload, openedBy, principal].some((one) => isSame(one, party));

const unknownApproval = () => new BrokerError('not_found', 'There is no approval with that id.');
