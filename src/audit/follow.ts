/**
 * The audit log follows the revocation log: no revocation waits for audit, and none is missing from it. How far it has
 * followed stands in the head and moves in the same commit as the lines, so each revocation is entered once, whoever does it.
 */
import { defined } from '../domain/defined.js';
import type { LogEntry } from '../domain/tombstone.js';
import { LogGap, type Log } from '../store/store.js';
import type { AuditEvent } from './event.js';
import type { Head } from './head.js';

const ENTRIES_AT_ONCE = 256;

type Followed = Head['followed'];
type Happening = Omit<AuditEvent, 'at'>;

interface News {
  events: Happening[];
  followed: Followed;
}

/** What happened in the revocation log since, at most a batch of it; undefined: nothing. */
export async function newsSince(log: Log, followed: Followed): Promise<News | undefined> {
  // The last one followed is read again: under another id, it is another log that has grown past where the old one stood.
  const known = followed.id === '' ? 0 : 1;
  try {
    const entries = await log.entries(followed.seq - known, ENTRIES_AT_ONCE + known);
    if (known === 1 && entries[0]?.id !== followed.id) return replaced(followed);
    return newsOf(entries.slice(known));
  } catch (error) {
    if (!(error instanceof LogGap)) throw error;
    return afterGap(log, followed);
  }
}

async function afterGap(log: Log, followed: Followed): Promise<News | undefined> {
  const { seq } = await log.look([]);
  if (seq < followed.seq) return replaced(followed);
  const kept = await earliestKept(log, followed.seq, seq);
  if (kept === followed.seq) return newsOf(await log.entries(kept, ENTRIES_AT_ONCE));
  return {
    events: [{ type: 'audit.gap', missing: { from: followed.seq + 1, to: kept } }],
    followed: { seq: kept, id: '' },
  };
}

/** The lowest number in [from, latest] after which every entry is still there. */
async function earliestKept(log: Log, from: number, latest: number): Promise<number> {
  let [low, high] = [from, latest];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isKeptAfter(log, middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

const isKeptAfter = (log: Log, seq: number): Promise<boolean> =>
  log.entries(seq, 1).then(
    () => true,
    (error: unknown) => {
      if (error instanceof LogGap) return false;
      throw error;
    },
  );

/** Starts over: entering some again is better than missing those that took the old numbers. */
const replaced = ({ seq }: Followed): News => ({
  events: [
    { type: 'log.replaced', reason: `The revocation log no longer has the entry ${seq} that was followed last.` },
  ],
  followed: { seq: 0, id: '' },
});

function newsOf(entries: readonly LogEntry[]): News | undefined {
  const last = entries.at(-1);
  return last && { events: entries.map(published), followed: { seq: last.seq, id: last.id } };
}

const published = (entry: LogEntry): Happening =>
  defined({
    type: 'revocation.published',
    actor: { id: entry.actor },
    reason: entry.reason,
    outcome: entry.outcome,
    ticket: entry.ticket,
    revocation: defined({
      id: entry.id,
      seq: entry.seq,
      effect: entry.effect,
      selector: entry.selector,
      at: entry.at,
      lifts: entry.lifts,
      liftAt: entry.liftAt,
    }),
  });
