/**
 * Turns new entries of the revocation log into audit events. A revocation does not wait for the audit log, and none is
 * missing in it. The cursor is part of the head and moves in the same commit as the lines, so each revocation is entered
 * exactly once, whichever broker enters it.
 */
import { defined } from '../domain/defined.js';
import type { LogEntry } from '../domain/tombstone.js';
import { followLog } from '../store/follow-log.js';
import type { Log } from '../store/store.js';
import type { AuditEvent } from './event.js';
import type { Head } from './head.js';

const ENTRIES_AT_ONCE = 256;

type Followed = Head['followed'];
type FollowedEvent = Omit<AuditEvent, 'at'>;

interface News {
  events: FollowedEvent[];
  followed: Followed;
}

/** Returns what was published since the cursor, a page of it at most, or undefined when nothing was. */
export async function newsSince(log: Log, { seq, id }: Followed): Promise<News | undefined> {
  const followable = {
    entries: (after: number, limit: number) => log.entries(after, limit),
    latest: async () => (await log.look([])).seq,
  };
  const found = await followLog(followable, defined({ seq, id: id === '' ? undefined : id }), ENTRIES_AT_ONCE);
  if (found.is === 'entries') return newsOf(found.entries);
  if (found.is === 'replaced') return replaced(seq);
  const { from, to } = found;
  return { events: [{ type: 'audit.gap', missing: { from, to } }], followed: { seq: to, id: '' } };
}

/** Starts over: some revocations may be entered twice, but those of the new log that reuse old numbers are not missed. */
const replaced = (seq: number): News => ({
  events: [
    { type: 'log.replaced', reason: `The revocation log no longer has the entry ${seq} that was followed last.` },
  ],
  followed: { seq: 0, id: '' },
});

function newsOf(entries: readonly LogEntry[]): News | undefined {
  const last = entries.at(-1);
  return last && { events: entries.map(published), followed: { seq: last.seq, id: last.id } };
}

const published = (entry: LogEntry): FollowedEvent =>
  defined({
    type: 'revocation.published',
    actor: { id: entry.actor },
    reason: entry.reason,
    outcome: entry.outcome,
    ticket: entry.ticket,
    requestId: entry.requestId,
    address: entry.address,
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
