/**
 * Runs work on ids in the order they came. How many run at once and how many wait is bounded; an id that finds no place is
 * dropped.
 */
import PQueue from 'p-queue';

export interface BoundedQueue {
  push(id: string): void;
  /** Returns whether the id waits here, or work on it runs. */
  has(id: string): boolean;
  /** Starts nothing more, and waits for the work that runs. */
  close(): Promise<void>;
}

/** @param work must not reject */
export function boundedQueue(
  work: (id: string) => Promise<void>,
  { concurrency, waitingMost }: { concurrency: number; waitingMost: number },
): BoundedQueue {
  const queue = new PQueue({ concurrency });
  const ids = new Set<string>();
  return {
    push(id) {
      if (queue.isPaused || ids.has(id) || queue.size >= waitingMost) return;
      ids.add(id);
      void queue.add(() => work(id).finally(() => ids.delete(id)));
    },
    has: (id) => ids.has(id),
    async close() {
      queue.pause();
      await queue.onPendingZero();
    },
  };
}
