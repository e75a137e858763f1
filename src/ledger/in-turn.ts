/**
 * Requests that change one record, and begin at once, wait for each other here instead of trying again and again in the store. It is
 * a courtesy and no guarantee: another broker takes no turn, and compare-and-set alone decides.
 */
import PQueue from 'p-queue';

/** Does the work after all work of the same key that came before. Without a key it does the work at once. */
export type InTurn = <T>(key: string | undefined, work: () => Promise<T>) => Promise<T>;

export function createInTurn(): InTurn {
  const queues = new Map<string, PQueue>();
  return async (key, work) => {
    if (key === undefined) return work();
    const queue = queues.get(key) ?? new PQueue({ concurrency: 1 });
    queues.set(key, queue);
    try {
      return await queue.add(work);
    } finally {
      if (queue.size + queue.pending === 0) queues.delete(key);
    }
  };
}
