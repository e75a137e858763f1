/** Lists tasks: those that are open or suspended, and those of one tree. What the caller may not read is left out. */
import { assertLiveCaller } from '../authorization/caller.js';
import type { PermitDeps } from '../authorization/permit.js';
import { permitReading, type PermittedTask } from '../authorization/permit-on-task.js';
import { defined } from '../domain/defined.js';
import type { Task } from '../domain/task.js';
import { LIVE_STATES, type LiveState } from '../domain/task-outcome.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { openTasksAfter, type PageBy, type PlacedTask, type TaskPage, type TaskPlace } from '../ledger/open-tasks.js';
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

interface PermittedTasks {
  permitted: PermittedTask<'readTask'>[];
  /** The place to continue after; absent when all were looked at. A page may be empty and not be the last. */
  next?: TaskPlace;
}

export interface Wanted {
  after?: TaskPlace;
  limit: number;
}

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

export async function permitListed(
  deps: ListDeps,
  caller: AuthenticatedCaller,
  { state, ...filter }: TaskFilter,
  wanted: Wanted,
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
export const permitTree = (
  deps: ListDeps,
  { caller, subject: { task } }: PermittedTask<'readTask'>,
  wanted: Wanted,
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

/** Every page after the first that is looked at counts as one request more, and so do so many questions to policy. */
async function permitEach(
  deps: ListDeps,
  caller: AuthenticatedCaller,
  { states, pageAfter, fits }: Looked,
  { after, limit }: Wanted,
): Promise<PermittedTasks> {
  const permitted: PermittedTask<'readTask'>[] = [];
  const most = Math.min(Math.max(limit, PAGE_LEAST), PAGE_MOST);
  const beforeMore = () => deps.assertWithinRate(caller.party);
  let place = after;
  for (let looked = 0; looked + most <= LOOKED_AT_MOST; looked += most) {
    if (looked > 0) await beforeMore();
    const page = await pageAfter({ after: place, most });
    const wanted = page.tasks.filter(({ task }) => fits(task));
    const asked = wanted.map(({ task }) => task);
    const left = { states, most: limit - permitted.length, beforeMore };
    permitted.push(...(await permitReading(deps, caller, asked, left)));
    if (permitted.length === limit) return cutAfter(permitted, wanted);
    if (!page.next) return { permitted };
    place = page.next;
  }
  return defined({ permitted, next: place });
}

function cutAfter(permitted: PermittedTasks['permitted'], placed: readonly PlacedTask[]): PermittedTasks {
  const last = permitted.at(-1)?.subject.task.id;
  return defined({ permitted, next: placed.find(({ task }) => task.id === last)?.place });
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
