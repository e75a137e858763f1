/** Permission for verbs on tasks that exist: on one, or to read each of many. */
import { BrokerError } from '../domain/errors.js';
import { partyCauses, taskCauses } from '../domain/hangs-on.js';
import { EVALUATIONS_PER_POINT } from '../domain/limits.js';
import { isSame, type Party } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { stateNow, type TaskState } from '../ledger/task-state.js';
import { readFormer, readTask } from '../ledger/tasks.js';
import { answersAhead } from './answers-ahead.js';
import { refuseDeadCaller } from './caller.js';
import { factsOf, type Decision } from './decide.js';
import { decideOperation, refusalOf } from './decide-operation.js';
import { Permission, type Permitted } from './permission.js';
import type { PermitDeps } from './permit.js';
import { permitsOrUnavailable, permitsOrUnknown } from './permits-or-unavailable.js';

export type TaskVerb = 'readTask' | 'completeTask' | 'suspendTask' | 'resumeTask' | 'heartbeat';

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
  await assertPermittedOnTask(deps, caller, { verb, task, unknown: unknownTask });
  return new Permission(caller, verb, { task, state: stateNow(deps.ledger, task, seen) });
}

/** What is left of an ended task of a tree can be read for longer than its record. Nothing else can be done to it. */
const formerFor = async ({ ledger }: PermitDeps, verb: TaskVerb, id: string): Promise<Task | undefined> =>
  verb === 'readTask' ? (await readFormer(ledger, [id]))[0] : undefined;

interface VerbOnTask {
  verb: TaskVerb;
  task: Task;
  /** Makes the refusal of a task that does not exist. */
  unknown: () => BrokerError;
}

/** Throws where policy refuses the verb. One who may not read the task, nor knows of it, hears that there is none. */
export async function assertPermittedOnTask(
  deps: Pick<PermitDeps, 'policy'>,
  caller: AuthenticatedCaller,
  { verb, task, unknown }: VerbOnTask,
): Promise<void> {
  const decision = await decideOnTask(deps, caller, verb, task);
  const refusal = refusalOf(decision);
  if (!refusal) return;
  if (knowsOf(caller.party, task)) throw refusal;
  const reading = verb === 'readTask' ? decision : await decideOnTask(deps, caller, 'readTask', task);
  throw permitsOrUnavailable(reading) ? refusal : unknown();
}

/** Returns whether the party was told of the task, as its workload or as who opened it. A refusal need not hide it then. */
const knowsOf = (party: Party, { workload, openedBy }: Task): boolean =>
  [workload, openedBy].some((one) => isSame(one, party));

interface ReadingBy {
  states: readonly TaskState[];
  /** So many are enough. */
  most: number;
  /** Is called before policy is asked so many further questions as cost a request. */
  beforeMore: () => Promise<void>;
  /** Is told why it is not known of a task whether the caller may read it. */
  unknown: (why: BrokerError) => void;
}

/**
 * Returns permission for each of the tasks that are in one of these states and that policy lets the caller read, in their
 * order. The others are left out: a list is no place to learn of them, and to find none is no refusal.
 */
export async function permitReading(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  tasks: readonly Task[],
  { states, most, beforeMore, unknown }: ReadingBy,
): Promise<PermittedTask<'readTask'>[]> {
  const seen = await deps.ledger.log.look([...new Set(tasks.flatMap(taskCauses)), ...partyCauses(caller.party)]);
  refuseDeadCaller(deps, caller, seen);
  const inState = tasks
    .map((task) => ({ task, state: stateNow(deps.ledger, task, seen) }))
    .filter(({ state }) => states.includes(state));
  const permitted: PermittedTask<'readTask'>[] = [];
  const ask = ({ task }: { task: Task }) => permitsOrUnknown(deps.policy, decideOnTask(deps, caller, 'readTask', task));
  for (let start = 0; start < inState.length; start += EVALUATIONS_PER_POINT) {
    if (start > 0) await beforeMore();
    const some = inState.slice(start, start + EVALUATIONS_PER_POINT);
    for await (const [one, may] of answersAhead(some, deps.policy.atOnce, ask)) {
      if (typeof may !== 'boolean') unknown(may);
      else if (may) permitted.push(new Permission(caller, 'readTask', one));
      if (permitted.length === most) return permitted;
    }
  }
  return permitted;
}

export const decideOnTask = (
  { policy }: Pick<PermitDeps, 'policy'>,
  { party }: AuthenticatedCaller,
  verb: TaskVerb,
  task: Task,
): Promise<Decision> => decideOperation(policy, party, verb, { type: 'task', task: factsOf(task) });

const unknownTask = () => new BrokerError('not_found', 'There is no task with that id.');
