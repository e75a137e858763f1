/** All tombstones, as the text of events. However many subscribers want them at once, they are read once. */
import { formatEpoch } from '../domain/liveness.js';
import { parseTombstone } from '../domain/tombstone.js';
import type { RevocationLog } from '../ledger/revocation-log.js';
import { feedEvent } from '../protocol/feed.js';
import type { Follower } from './follow.js';
import { deadlyOf, type Line } from './line.js';

interface Snapshot {
  /** It has everything up to this number, and perhaps some of what came later, which is then said again. */
  seq: number;
  /** Rejects when the log could not be read, or was lost meanwhile. */
  texts: Promise<string[]>;
}

export interface Snapshots {
  of(line: Line): Snapshot;
  /** Frees the memory of the latest one, once it is read: whoever comes within the same second shares it. */
  forget(): void;
}

export function createSnapshots(
  log: Pick<RevocationLog, 'snapshot'>,
  follower: Pick<Follower, 'look' | 'line'>,
): Snapshots {
  let latest: (Snapshot & { line: Line; isRead: boolean }) | undefined;

  async function read(line: Line, seq: number): Promise<string[]> {
    const { generation } = line;
    const texts = [feedEvent('snapshot', { generation, seq })];
    let after: string | undefined;
    do {
      const { tombstones, next } = await log.snapshot(after);
      const page = tombstones.map(([cause, text]): [string, ReturnType<typeof deadlyOf>] => [
        cause,
        deadlyOf(parseTombstone(text)),
      ]);
      if (page.length > 0) texts.push(feedEvent('tombstones', page));
      after = next;
    } while (after !== undefined);
    // A log that was lost in between has no tombstones left: all that was dead would seem alive.
    await follower.look();
    if (follower.line() !== line) throw new Error('the log was lost while it was read');
    texts.push(feedEvent('complete', { generation, seq }, formatEpoch({ generation, seq })));
    return texts;
  }

  return {
    of(line) {
      if (latest?.line === line && line.covers(latest.seq)) return latest;
      const seq = line.head();
      const begun = { line, seq, texts: read(line, seq), isRead: false };
      begun.texts.then(
        () => (begun.isRead = true),
        () => (latest = undefined),
      );
      return (latest = begun);
    },
    forget() {
      if (latest?.isRead) latest = undefined;
    },
  };
}
