/**
 * Does the work for every item, `concurrency` at a time. A failure, e.g. on a record that cannot be read, stops none of the
 * others; it throws when all are done.
 */
import PQueue from 'p-queue';

export async function eachSettled<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  concurrency = 1,
): Promise<void> {
  const queue = new PQueue({ concurrency });
  const outcomes = await Promise.allSettled(items.map((item) => queue.add(() => work(item))));
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  if (failed.length > 0) throw new Error(`${failed.length} of ${items.length} failed`, { cause: failed[0]?.reason });
}
