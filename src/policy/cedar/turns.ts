/**
 * Takes turns with the rest of the broker. Cedar runs on the thread that answers everybody, so evaluations that come in numbers
 * are done one query after the other, and everything else that is ready runs in between.
 */
import { setImmediate as others } from 'node:timers/promises';
import PQueue from 'p-queue';

/** About two milliseconds of work. */
const EVALUATIONS_AT_ONCE = 16;

export interface Turns {
  /**
   * Waits for a turn, then does the work. What takes the fewest evaluations comes first, so a simple request does not wait for
   * all the patterns of others.
   * @param work Calls `pause` before each evaluation.
   */
  run<T>(evaluations: number, work: (pause: () => Promise<void>) => Promise<T>): Promise<T>;
}

export function takeTurns(): Turns {
  const queue = new PQueue({ concurrency: 1 });
  let done = 0;
  const pause = async () => {
    done += 1;
    if (done % EVALUATIONS_AT_ONCE === 0) await others();
  };
  return { run: (evaluations, work) => queue.add(() => work(pause), { priority: -evaluations }) };
}
