/** Appends entries in batches: while one write is in flight, the entries that come in wait for the next, and share it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { EntryText } from './chain.js';
import type { Extend } from './extend.js';

/** The bounds of one batch, which is one record and one write. */
const LINES_PER_BATCH = 500;
const BYTES_PER_BATCH = 256 * 1024;

interface Waiting {
  entry: EntryText;
  /** When the caller began to wait, by the monotonic clock. */
  since: number;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** Resolves as the task does. A task that fails does not hold up the next. */
type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * Runs one task after the other. Writers of one process queue here, so that they do not lose compare-and-set races among
 * themselves.
 */
export function takingTurns(): InTurn {
  const queue = new PQueue({ concurrency: 1 });
  // An idle p-queue starts a task inside `add`. Here a task starts after the present turn of the event loop, so the entries
  // of one turn share a write: a commit that many exchanges waited for releases all of them in one turn. Also, `catchUp` has
  // then stored its promise before the round begins that resets it.
  return (task) => queue.add(() => nextTurn().then(task));
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

/** Returns how many entries the next batch takes: at least one, whatever its size. */
function countFitting(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const over = waiting.slice(0, LINES_PER_BATCH).findIndex(({ entry }) => {
    bytes += Buffer.byteLength(entry);
    return bytes > BYTES_PER_BATCH;
  });
  return over < 0 ? LINES_PER_BATCH : Math.max(1, over);
}
