/**
 * Permission as a value: who is permitted which verb, on what. A use case behind an operator verb takes a `Permitted` of that
 * verb and reads its subject from nowhere else. Only the functions of this file make one: they look up whether the caller is
 * alive, and ask policy.
 */
import type { Approval, ApprovalState } from '../domain/approval.js';
import { BrokerError } from '../domain/errors.js';
import { partyCauses, taskCauses } from '../domain/hangs-on.js';
import { EVALUATIONS_PER_POINT } from '../domain/limits.js';
import { isSame, runOf, runValue, type Party, type PartyRef } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { approvalState } from '../ledger/approval-state.js';
import { readApproval } from '../ledger/approvals.js';
import { eachSettled } from '../ledger/each-settled.js';
import { stateNow, type TaskState } from '../ledger/task-state.js';
import { readFormer, readTask, readTasks } from '../ledger/tasks.js';
import type { OperateContext, OperatorVerb } from '../policy/query.js';
import { askWhatMayBeAnswered, type Answerable } from './ask-approval.js';
import { assertLiveCaller, refuseDeadCaller } from './caller.js';
import { decideOperation, denied, factsOf, type Decision } from './decide.js';
import type { Deps } from './deps.js';

/**
 * The class is not exported, so no other file can construct one. The private field makes it nominal: a spread loses the field,
 * so a permission with another caller or subject does not compile.
 */
class Permission<V extends OperatorVerb, Subject> {
  readonly #verb: V;
  readonly caller: AuthenticatedCaller;
  /** What policy was asked about, as it was read before the question. */
  readonly subject: Subject;

  constructor(caller: AuthenticatedCaller, verb: V, subject: Subject) {
    this.#verb = verb;
    this.caller = caller;
    this.subject = subject;
    Object.freeze(this);
  }

  get verb(): V {
    return this.#verb;
  }
}

/** A caller that policy permits this verb on this subject. Verbs on the broker as a whole have no subject. */
export type Permitted<V extends OperatorVerb, Subject = undefined> = Permission<V, Subject>;

/** Verbs on the broker as a whole: policy is asked by the verb alone. */
export type BrokerVerb = 'readRevocations' | 'readCredential' | 'readAudit' | 'sendSignal' | 'followFeed';

/** Verbs on a task that exists. */
export type TaskVerb = 'readTask' | 'completeTask' | 'suspendTask' | 'resumeTask' | 'heartbeat';

export type PermitDeps = Pick<Deps, 'ledger' | 'policy' | 'settings' | 'observer'>;

export const permitOnBroker = <V extends BrokerVerb>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: V,
): Promise<Permitted<V>> => ask(deps, caller, verb, undefined);

/**
 * Returns the permission, or undefined where policy refuses it: for a part that an answer may leave out. Policy that cannot be
 * evaluated is no refusal: whoever reads an answer with a part less would take that for a right that they lack.
 */
export async function permitPart<V extends BrokerVerb>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: V,
): Promise<Permitted<V> | undefined> {
  await assertLiveCaller(deps, caller);
  const { outcome, because } = await decideOperator(deps, caller, verb);
  if (because?.why === 'failed')
    throw new BrokerError('temporarily_unavailable', `Policy cannot be evaluated for "${verb}".`);
  return outcome === 'permit' ? new Permission(caller, verb, undefined) : undefined;
}

/**
 * Policy may permit one selector or effect and not another.
 * @param revocationOf Returns what would be revoked, or lifted. The question is derived from the subject, so permission for one
 * subject cannot be carried to another.
 */
export const permitRevocation = <Subject>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  subject: Subject,
  revocationOf: (subject: Subject) => NonNullable<OperateContext['revocation']>,
): Promise<Permitted<'revoke', Subject>> => ask(deps, caller, 'revoke', subject, { revocation: revocationOf(subject) });

/** A run that is to be completed, as `issuer` (a trust name) and the name that tokens of that issuer say. */
export type NamedRun = Readonly<Record<'issuer' | 'run', string>>;

/** Policy may permit one target and not another. @param target its `resource`, or what the caller took for one */
export const permitOnTarget = (
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: 'reportUsage',
  target: string,
): Promise<Permitted<'reportUsage', { target: string }>> =>
  ifPermitted(deps, new Permission(caller, verb, { target }), () =>
    decideOperation(deps.policy, caller.party, verb, { type: 'target', target }),
  );

/** Policy knows whether it is the caller's own run. */
export function permitOnRun(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  { issuer, run }: NamedRun,
): Promise<Permitted<'completeRun', NamedRun>> {
  const own = runOf(caller.party) === runValue(issuer, run);
  return ask(deps, caller, 'completeRun', { issuer, run }, { run: { issuer, run, own } });
}

/** A call about many subjects takes so many, so that it has an end; and so many of them are under way at once. */
export const MANY = { most: 500, concurrency: 16 } as const;

/**
 * Returns permission for each of the subjects of which policy gives it. The others are left out, and are no refusal of the request.
 * One look at the log says that the caller is alive: it is the same caller for all of them.
 */
export async function permittedAmong<Subject>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  of: {
    subjects: readonly Subject[];
    revocationOf: (subject: Subject) => NonNullable<OperateContext['revocation']>;
  },
): Promise<Permitted<'revoke', Subject>[]> {
  const permitted: Permitted<'revoke', Subject>[] = [];
  const { subjects, revocationOf } = of;
  await assertLiveCaller(deps, caller);
  await eachSettled(
    subjects,
    async (subject) => {
      const { outcome } = await decideOperator(deps, caller, 'revoke', { revocation: revocationOf(subject) });
      if (outcome === 'permit') permitted.push(new Permission(caller, 'revoke', subject));
    },
    MANY.concurrency,
  );
  return permitted;
}

/** Asks policy about a verb on the broker itself. Whether the caller is alive must be known. */
const decideOperator = (
  { policy }: Pick<PermitDeps, 'policy'>,
  { party }: AuthenticatedCaller,
  verb: OperatorVerb,
  context?: Omit<OperateContext, 'kind'>,
) => decideOperation(policy, party, verb, { type: 'broker' }, context);

const ask = <V extends OperatorVerb, Subject>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: V,
  subject: Subject,
  context?: Omit<OperateContext, 'kind'>,
): Promise<Permitted<V, Subject>> =>
  ifPermitted(deps, new Permission(caller, verb, subject), () => decideOperator(deps, caller, verb, context));

/** Returns the permission once the caller is known to be alive and policy has permitted it. */
async function ifPermitted<P extends Pick<Permitted<OperatorVerb>, 'caller'>>(
  deps: PermitDeps,
  permission: P,
  decide: () => Promise<Decision>,
): Promise<P> {
  await assertLiveCaller(deps, permission.caller);
  const decision = await decide();
  if (decision.outcome !== 'permit') throw denied(decision);
  return permission;
}

/** A verb permitted on a task, with the task as it was at the question. */
export type PermittedTask<V extends TaskVerb> = Permitted<V, { task: Task; state: TaskState }>;

/**
 * Reads the record, then takes one look at everything that the answer hangs on, then asks policy. A task that the caller may
 * not read, nor knows of, is refused like a task that does not exist.
 */
export async function permitOnTask<V extends TaskVerb>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: V,
  taskId: string,
): Promise<PermittedTask<V>> {
  const task = (await readTask(deps.ledger, taskId))?.value ?? (await formerFor(deps, verb, taskId));
  const seen = await deps.ledger.log.look([
    ...new Set([...(task ? taskCauses(task) : []), ...partyCauses(caller.party)]),
  ]);
  refuseDeadCaller(deps, caller, seen);
  if (!task) throw unknownTask();
  await assertPermittedOnTask(deps, caller, verb, task);
  return new Permission(caller, verb, { task, state: stateNow(deps.ledger, task, seen) });
}

/** What is left of an ended task of a tree can be read for longer than its record. Nothing else can be done to it. */
const formerFor = async ({ ledger }: PermitDeps, verb: TaskVerb, id: string): Promise<Task | undefined> =>
  verb === 'readTask' ? (await readFormer(ledger, [id]))[0] : undefined;

/**
 * Returns permission for each of the tasks that are in one of these states and that policy lets the caller read, in their
 * order. The others are left out: a list is no place to learn of them, and to find none is no refusal.
 */
export async function permitReading(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  tasks: readonly Task[],
  { states, most, beforeMore }: ReadingBy,
): Promise<PermittedTask<'readTask'>[]> {
  const seen = await deps.ledger.log.look([...new Set(tasks.flatMap(taskCauses)), ...partyCauses(caller.party)]);
  refuseDeadCaller(deps, caller, seen);
  const inState = tasks
    .map((task) => ({ task, state: stateNow(deps.ledger, task, seen) }))
    .filter(({ state }) => states.includes(state));
  const permitted: PermittedTask<'readTask'>[] = [];
  for (const [asked, { task, state }] of inState.entries()) {
    if (permitted.length === most) break;
    if (asked > 0 && asked % EVALUATIONS_PER_POINT === 0) await beforeMore();
    const { outcome } = await decideOnTask(deps, caller, 'readTask', task);
    if (outcome === 'permit') permitted.push(new Permission(caller, 'readTask', { task, state }));
  }
  return permitted;
}

interface ReadingBy {
  states: readonly TaskState[];
  /** So many are enough. */
  most: number;
  /** Is called before policy is asked so many further questions as cost a request. */
  beforeMore: () => Promise<void>;
}

/**
 * Returns permission to look at each of the workloads that the caller may know of: all of them with `readRevocations`, else those
 * of which policy lets it read tasks. It is asked about a task without a purpose that nobody else opened. The others are left out.
 * @param all what `permitPart` says of `readRevocations`
 */
export async function permitLookingAt<W extends { party: PartyRef }>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  workloads: readonly W[],
  all: Permitted<'readRevocations'> | undefined,
): Promise<Permitted<'readRevocations', W>[]> {
  const permitted: Permitted<'readRevocations', W>[] = [];
  for (const one of workloads) {
    const task = { workload: one.party, purpose: '' };
    const isPermitted =
      all !== undefined ||
      (await decideOperation(deps.policy, caller.party, 'readTask', { type: 'task', task })).outcome === 'permit';
    if (isPermitted) permitted.push(new Permission(caller, 'readRevocations', one));
  }
  return permitted;
}

const decideOnTask = (
  { policy }: Pick<PermitDeps, 'policy'>,
  { party }: AuthenticatedCaller,
  verb: TaskVerb,
  task: Task,
) => decideOperation(policy, party, verb, { type: 'task', task: factsOf(task) });

async function assertPermittedOnTask(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: TaskVerb,
  task: Task,
): Promise<void> {
  const decision = await decideOnTask(deps, caller, verb, task);
  if (decision.outcome === 'permit') return;
  if (knowsOf(caller.party, task)) throw denied(decision);
  const reading = verb === 'readTask' ? decision : await decideOnTask(deps, caller, 'readTask', task);
  throw reading.outcome === 'permit' ? denied(decision) : unknownTask();
}

/** Returns whether the party was told of the task, as its workload or as who opened it. A refusal need not hide it then. */
export const knowsOf = (party: Party, { workload, openedBy }: Task): boolean =>
  [workload, openedBy].some((one) => isSame(one, party));

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
  const permitted: Permitted<'approve', SeenApproval>[] = [];
  for (const approval of approvals) {
    const task = tasks.get(approval.task);
    const may = await askWhatMayBeAnswered(deps, caller, approval, task);
    const isSeen = may.groups.length > 0 || may.breaksGlass || hasAskedFor(caller.party, approval);
    if (!isSeen && !(byTask && task && (await mayRead(deps, caller, task)))) continue;
    const state = approvalState(deps.ledger, approval, task, seen);
    permitted.push(new Permission(caller, 'approve', { approval, task, state, ...may }));
  }
  return permitted;
}

const mayRead = async (deps: PermitDeps, caller: AuthenticatedCaller, task: Task): Promise<boolean> =>
  (await decideOnTask(deps, caller, 'readTask', task)).outcome === 'permit';

const hasAskedFor = (party: Party, { workload, openedBy, principal }: Approval): boolean =>
  [workload, openedBy, principal].some((one) => isSame(one, party));

const unknownApproval = () => new BrokerError('not_found', 'There is no approval with that id.');

const unknownTask = () => new BrokerError('not_found', 'There is no task with that id.');
