/** Entries that wait for durability share a write: one is in flight, the next takes along all that came in the meantime. */
import type { EntryText } from './chain.js';
import type { Extend } from './extend.js';
import type { InTurn } from './in-turn.js';

/** A record of a few hundred kilobytes at most. */
const LINES_PER_BATCH = 500;

interface Waiting {
  entry: EntryText;
  /** By the monotonic clock: how long somebody waits is no matter of the time of day. */
  since: number;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

export function appender(extend: Extend, inTurn: InTurn): (entry: EntryText) => Promise<void> {
  let waiting: Waiting[] = [];

  async function flush(): Promise<void> {
    const batch = waiting.slice(0, LINES_PER_BATCH);
    waiting = waiting.slice(LINES_PER_BATCH);
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
