/** Lists tasks: those that are open or suspended, and those of one tree. What the caller may not read is left out. */
import { assertLiveCaller } from '../authorization/caller.js';
import { fillPage, type FilledPage, type Paging } from '../authorization/fill-page.js';
import type { PermitDeps } from '../authorization/permit.js';
import { permitReading, type PermittedTask } from '../authorization/permit-on-task.js';
import type { BrokerError } from '../domain/errors.js';
import type { Task } from '../domain/task.js';
import { LIVE_STATES, type LiveState } from '../domain/task-outcome.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { openTasksAfter, type PageBy, type TaskPage, type TaskPlace } from '../ledger/open-tasks.js';
import { TASK_STATES, type TaskState } from '../ledger/task-state.js';
import { treeAfter } from '../ledger/trees.js';

interface TaskFilter {
  state?: LiveState;
  /** The ids of the workload that works on it, and of the person whom it serves. */
  workload?: string;
  principal?: string;
  purpose?: string;
  /** The run that opened it. */
  run?: string;
}

type PermittedTasks = FilledPage<PermittedTask<'readTask'>, TaskPlace>;

export interface ListDeps extends PermitDeps {
  /** Takes a further request from the rate of the caller, or throws `slow_down`. */
  assertWithinRate: (party: AuthenticatedCaller['party']) => Promise<void>;
}

/**
 * How many records one answer reads at most, whatever the filter; and how many at once, as far as so many are asked for: to parse
 * them blocks the event loop.
 */
const LOOKED_AT_MOST = 1_024;
const [PAGE_LEAST, PAGE_MOST] = [64, 128];

export async function listTasks(
  deps: ListDeps,
  caller: AuthenticatedCaller,
  { state, ...filter }: TaskFilter,
  wanted: Paging<TaskPlace>,
): Promise<PermittedTasks> {
  // Also where nothing fits the filter: a refusal must not say that something does.
  await assertLiveCaller(deps, caller);
  return permitEach(
    deps,
    caller,
    {
      states: state ? [state] : LIVE_STATES,
      pageAfter: (by) => openTasksAfter(deps.ledger, indexedBy(filter), by),
      fits: (task) => matches(task, filter),
    },
    wanted,
  );
}

/**
 * Returns the tasks of the tree that a task belongs to, in whatever state, as far as the caller may read them: the root first, then
 * the others as they were opened.
 */
export const listTree = (
  deps: ListDeps,
  { caller, subject: { task } }: PermittedTask<'readTask'>,
  wanted: Paging<TaskPlace>,
): Promise<PermittedTasks> =>
  permitEach(
    deps,
    caller,
    {
      states: TASK_STATES,
      pageAfter: (by) => treeAfter(deps.ledger, task.lineage[0] ?? task.id, by),
      fits: () => true,
    },
    wanted,
  );

interface Looked {
  states: readonly TaskState[];
  pageAfter: (by: PageBy) => Promise<TaskPage>;
  fits: (task: Task) => boolean;
}

/** So many questions to policy count as one request more, and so does every page after the first that is looked at. */
function permitEach(
  deps: ListDeps,
  caller: AuthenticatedCaller,
  { states, pageAfter, fits }: Looked,
  paging: Paging<TaskPlace>,
): Promise<PermittedTasks> {
  const pageSize = Math.min(Math.max(paging.limit, PAGE_LEAST), PAGE_MOST);
  const beforeMore = () => deps.assertWithinRate(caller.party);
  return fillPage(paging, { pageSize, lookedMost: LOOKED_AT_MOST, beforeMore }, async (by, most) => {
    const { tasks, next } = await pageAfter(by);
    const placed = new Map(tasks.filter(({ task }) => fits(task)).map(({ task, place }) => [task, place]));
    const unknown: BrokerError[] = [];
    const reading = { states, most, beforeMore, unknown: (why: BrokerError) => void unknown.push(why) };
    const permitted = await permitReading(deps, caller, [...placed.keys()], reading);
    const found = permitted.flatMap((one) => {
      const place = placed.get(one.subject.task);
      return place ? [{ one, place }] : [];
    });
    return { found, next, unknown };
  });
}

const indexedBy = ({ run, workload }: TaskFilter) => {
  if (run !== undefined) return { kind: 'run', value: run } as const;
  return workload === undefined ? undefined : ({ kind: 'workload', value: workload } as const);
};

const matches = ({ workload, principal, purpose, run }: Task, filter: TaskFilter): boolean =>
  (filter.run === undefined || filter.run === run) &&
  (filter.workload === undefined || filter.workload === workload.id) &&
  (filter.principal === undefined || filter.principal === principal?.id) &&
  (filter.purpose === undefined || filter.purpose === purpose);
