/**
 * Following the revocation log from a cursor: the next page of entries, a gap where entries are no longer kept, or the news
 * that it is another log. The caller decides what each means, and where its cursor is kept.
 */
import type { LogEntry } from '../domain/tombstone.js';
import { LogGap, type Log } from './store.js';

interface LogCursor {
  /** The entry followed last; 0 before the first. */
  seq: number;
  /** Its id. With it, another log that has grown past this number is distinguished from the log that was followed. */
  id?: string;
}

export type Followed =
  | { is: 'entries'; entries: LogEntry[] }
  /** The entries from `from` to `to`, inclusive, are no longer kept. What comes after `to` is. */
  | { is: 'gap'; from: number; to: number }
  /** The entry followed last is not in this log. */
  | { is: 'replaced' };

export interface FollowableLog {
  entries: Log['entries'];
  /** Returns the number of the latest entry. */
  latest: () => Promise<number>;
}

/** @param page How many entries at most. Fewer than that are the last there are. */
export async function followLog(log: FollowableLog, { seq, id }: LogCursor, page: number): Promise<Followed> {
  // The entry followed last is read again, to compare its id.
  const again = id === undefined ? 0 : 1;
  try {
    const entries = await log.entries(seq - again, page + again);
    if (id !== undefined && entries[0]?.id !== id) return { is: 'replaced' };
    return { is: 'entries', entries: entries.slice(again) };
  } catch (error) {
    if (!(error instanceof LogGap)) throw error;
    return afterGap(log, seq, page);
  }
}

async function afterGap(log: FollowableLog, seq: number, page: number): Promise<Followed> {
  const latest = await log.latest();
  if (latest < seq) return { is: 'replaced' };
  const kept = await earliestKept(log, seq, latest);
  // The entry followed last was the only one that is gone.
  if (kept === seq) return { is: 'entries', entries: await log.entries(seq, page) };
  return { is: 'gap', from: seq + 1, to: kept };
}

/** Returns the lowest number in [from, latest] after which every entry is still kept, by bisection. */
async function earliestKept(log: FollowableLog, from: number, latest: number): Promise<number> {
  let [low, high] = [from, latest];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isKeptAfter(log, middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

const isKeptAfter = (log: FollowableLog, seq: number): Promise<boolean> =>
  log.entries(seq, 1).then(
    () => true,
    (error: unknown) => {
      if (error instanceof LogGap) return false;
      throw error;
    },
  );
