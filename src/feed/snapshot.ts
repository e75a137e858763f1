/** All tombstones, as the text of events. However many subscribers want them at once, they are read once. */
import { formatEpoch } from '../domain/liveness.js';
import { MINUTE_MS, type Clock } from '../domain/time.js';
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
  /** Frees the memory of the latest one, when it was shared for a minute. */
  forget(): void;
}

/**
 * All who come within a minute share one, and go on from its number. Otherwise one verifier that comes again each second without an
 * id would have all tombstones read each second; and one that reads slowly keeps its snapshot, so each stream would keep another.
 */
const SHARED_MS = MINUTE_MS;

export function createSnapshots(
  log: Pick<RevocationLog, 'snapshot'>,
  follower: Pick<Follower, 'look' | 'line'>,
  clock: Pick<Clock, 'elapsed'>,
): Snapshots {
  let latest: (Snapshot & { line: Line; readAt?: number }) | undefined;

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
      const begun: typeof latest = { line, seq, texts: read(line, seq) };
      begun.texts.then(
        () => (begun.readAt = clock.elapsed()),
        () => {
          if (latest === begun) latest = undefined;
        },
      );
      return (latest = begun);
    },
    forget() {
      if (clock.elapsed() - (latest?.readAt ?? Infinity) >= SHARED_MS) latest = undefined;
    },
  };
}
