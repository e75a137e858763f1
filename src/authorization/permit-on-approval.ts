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
import { askWhatMayBeAnswered, canAnswer, type Answerable } from './ask-approval.js';
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
): Promise<Permitted<'seeApproval', SeenApproval>> {
  const stored = await readApproval(deps.ledger, id);
  const { permitted, unknown } = await permitApprovals(deps, caller, stored ? [stored.value] : [], true);
  const [one] = permitted;
  if (!one) throw unknown[0] ?? unknownApproval();
  return one;
}

export interface PermittedApprovals {
  permitted: Permitted<'seeApproval', SeenApproval>[];
  /** Why it is not known of some whether the caller may see them: they are left out. One for each text. */
  unknown: BrokerError[];
}

/**
 * Returns permission to see each of the approvals that the caller may answer, or has asked for, in their order. The others are left
 * out: a list is no place to learn of them. Where policy cannot be evaluated for one, the others are there all the same: an agent could
 * else ask for something that hides all questions from all people.
 * @param byTask Also those whose task the caller may read.
 */
export async function permitApprovals(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  approvals: readonly Approval[],
  byTask = false,
): Promise<PermittedApprovals> {
  const ids = [...new Set(approvals.map(({ task }) => task))];
  const tasks = new Map((await readTasks(deps.ledger, ids)).map(({ value }) => [value.id, value]));
  const seen = await deps.ledger.log.look([...[...tasks.values()].flatMap(taskCauses), ...partyCauses(caller.party)]);
  refuseDeadCaller(deps, caller, seen);
  const ask = async (approval: Approval): Promise<SeenApproval | BrokerError | undefined> => {
    const task = tasks.get(approval.task);
    const may = await askWhatMayBeAnswered(deps, caller, approval, task);
    const isSeen = canAnswer(may) || hasAskedFor(caller.party, approval);
    if (!isSeen && !(byTask && task && (await mayRead(deps, caller, task))))
      return may.unknown.groups ?? may.unknown.breaksGlass;
    return { approval, task, state: approvalState(deps.ledger, approval, task, seen), ...may };
  };
  const permitted: PermittedApprovals['permitted'] = [];
  const unknown = new Map<string, BrokerError>();
  for await (const [, one] of answersAhead(approvals, deps.policy.atOnce, ask)) {
    if (one instanceof BrokerError) unknown.set(one.message, one);
    else if (one) permitted.push(new Permission(caller, 'seeApproval', one));
  }
  return { permitted, unknown: [...unknown.values()] };
}

const mayRead = async (deps: PermitDeps, caller: AuthenticatedCaller, task: Task): Promise<boolean> =>
  permitsOrUnavailable(await decideOnTask(deps, caller, 'readTask', task));

const hasAskedFor = (party: Party, { workload, openedBy, principal }: Approval): boolean =>
  [workload, openedBy, principal].some((one) => isSame(one, party));

const unknownApproval = () => new BrokerError('not_found', 'There is no approval with that id.');
