/** The open tasks in one order, in pages: by shard, then by score and id. An index has the order, so no page costs more than another. */
import { SHARDS, shardOf } from '../domain/id.js';
import type { Task } from '../domain/task.js';
import type { Key } from '../store/store.js';
import { acrossShards } from './across-shards.js';
import { dueIndex, indexesOf, type Indexed } from './keys.js';
import type { Ledger } from './ledger.js';
import { readReadableTasks } from './tasks.js';

/** Where a page ended: the score of its last task, and that task's id, which names the shard. */
export type TaskPlace = [score: number, id: string];

interface PlacedTask {
  task: Task;
  place: TaskPlace;
}

export interface TaskPage {
  /** Without those whose record is gone or cannot be read. */
  tasks: PlacedTask[];
  /** The last place that was looked at; absent on the last page. */
  next?: TaskPlace;
}

/** How a page is asked for: the place that it begins after, and how many tasks it has at most. */
export interface PageBy {
  after?: TaskPlace | undefined;
  most: number;
}

/**
 * Returns the next open tasks, `most` at most, without those that have ended since they were indexed. A task that is renewed between two pages may be on both.
 * @param by Whose tasks are looked at; undefined: all of them.
 */
export async function openTasksAfter(
  ledger: Ledger,
  by: Indexed | undefined,
  { after, most }: PageBy,
): Promise<TaskPage> {
  const begun = after && shardOf(after[1]);
  const shards = begun === undefined ? SHARDS : SHARDS.slice(SHARDS.indexOf(begun));
  const places = await acrossShards(shards, most, (shard) =>
    openInShard(ledger, by ? indexesOf(shard, by) : [dueIndex(shard)], {
      limit: most,
      ...(shard === begun && after && { after }),
    }),
  );
  const { tasks, next } = await readPage(ledger, places, { most, read: readReadableTasks });
  return { tasks: tasks.filter(({ task }) => !task.ended), ...(next && { next }) };
}

/** Returns the places of a shard in their order. Each index says its own first ones, so the first `limit` of all are among them. */
async function openInShard(
  { records }: Ledger,
  indexes: readonly Key[],
  by: { after?: TaskPlace; limit: number },
): Promise<TaskPlace[]> {
  const ranges = await Promise.all(indexes.map((index) => records.range(index, by)));
  return ranges
    .flat()
    .map(([id, score]): TaskPlace => [score, id])
    .toSorted(([score, id], [otherScore, otherId]) => score - otherScore || (id < otherId ? -1 : 1))
    .slice(0, by.limit);
}

/** Returns the tasks at these places. Where there are as many as were asked for, more may follow. */
export async function readPage(
  ledger: Ledger,
  places: readonly TaskPlace[],
  { most, read }: { most: number; read: typeof readReadableTasks },
): Promise<TaskPage> {
  const tasks = await read(
    ledger,
    places.map(([, id]) => id),
  );
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const placed = places.flatMap((place) => {
    const task = byId.get(place[1]);
    return task ? [{ task, place }] : [];
  });
  const last = places.at(-1);
  return { tasks: placed, ...(last && places.length === most && { next: last }) };
}
