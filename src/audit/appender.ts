/** Entries that wait for durability share a write: one is in flight, the next takes along all that came in the meantime. */
import PQueue from 'p-queue';
import type { EntryText } from './chain.js';
import type { Extend } from './extend.js';

/** What one record takes, and one write. */
const LINES_PER_BATCH = 500;
const BYTES_PER_BATCH = 256 * 1024;

interface Waiting {
  entry: EntryText;
  /** By the monotonic clock: how long somebody waits is no matter of the time of day. */
  since: number;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** Resolves as the task does. A task that fails does not hold up the next. */
type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

/** Runs one task after the other: what writes to the chain in this process queues here, instead of losing races against itself. */
export function takingTurns(): InTurn {
  const queue = new PQueue({ concurrency: 1 });
  // An idle p-queue runs a task inside `add`. Here it starts a microtask later: entries of one tick share a write, and
  // whoever asks for a turn has noted that before it begins.
  return (task) => Promise.resolve().then(() => queue.add(task));
}

export function appender(extend: Extend, inTurn: InTurn): (entry: EntryText) => Promise<void> {
  let waiting: Waiting[] = [];

  async function flush(): Promise<void> {
    const count = countFitting(waiting);
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    if (waiting.length > 0) void inTurn(flush);
    const entries = batch.map(({ entry }) => entry);
    await extend(() => ({ entries }), batch[0]?.since).then(
      () => batch.forEach(({ resolve }) => resolve()),
      (error: unknown) => batch.forEach(({ reject }) => reject(error)),
    );
  }

  return (entry) =>
    new Promise((resolve, reject) => {
      waiting.push({ entry, resolve, reject, since: performance.now() });
      if (waiting.length === 1) void inTurn(flush);
    });
}

/** At least one, whatever its size. */
function countFitting(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const over = waiting.slice(0, LINES_PER_BATCH).findIndex(({ entry }) => {
    bytes += Buffer.byteLength(entry);
    return bytes > BYTES_PER_BATCH;
  });
  return over < 0 ? LINES_PER_BATCH : Math.max(1, over);
}
