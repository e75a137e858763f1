/**
 * What one subscriber hears: where it was is gone on from, or all tombstones come first; then each entry of the log in its
 * order. Whoever reads slowly makes this wait and nobody else.
 */
import type { Epoch } from '../domain/liveness.js';
import type { Clock } from '../domain/time.js';
import { feedEvent, type FeedEnd } from '../protocol/feed.js';
import type { Beat, Follower } from './follow.js';
import type { Line } from './line.js';
import type { Snapshots } from './snapshot.js';

/** What a stream has come to, and what others want of it. */
export interface Progress {
  /** Everything up to here was handed to the connection. */
  place?: { line: Line; seq: number };
  /** Since when the connection takes nothing more: by `Clock.elapsed`. Undefined: it takes. */
  stuckSince?: number;
  /** Why it is to end. */
  end?: FeedEnd;
}

interface StreamDeps {
  follower: Follower;
  snapshots: Snapshots;
  clock: Pick<Clock, 'elapsed'>;
}

/** @param from The last event that the subscriber has: what comes after it is all that it wants, if that is still kept. */
export async function* streamTo(deps: StreamDeps, progress: Progress, from?: Epoch): AsyncGenerator<string> {
  const { clock } = deps;
  for await (const text of texts(deps, progress, from)) {
    progress.stuckSince = clock.elapsed();
    yield text;
    delete progress.stuckSince;
  }
}

async function* texts(deps: StreamDeps, progress: Progress, from?: Epoch): AsyncGenerator<string> {
  const { follower, clock } = deps;
  yield feedEvent('hello', { at: clock.elapsed() });
  resume(progress, follower.line(), from);
  let heard: Beat | undefined;
  while (progress.end === undefined) {
    const bell = follower.bell();
    const line = follower.line();
    const { place } = progress;
    if (line && place?.line !== line) yield* snapshotTexts(deps, progress, line);
    else if (line && place && !line.covers(place.seq)) progress.end = 'slow';
    else {
      const text = line && place && next(follower, progress, heard);
      if (text === undefined) await bell;
      else {
        heard = text.heard;
        yield text.text;
      }
    }
  }
  yield feedEvent('end', { reason: progress.end });
}

function resume(progress: Progress, line: Line | undefined, from: Epoch | undefined): void {
  if (line && from && from.generation === line.generation && line.covers(from.seq))
    progress.place = { line, seq: from.seq };
}

/** Yields a snapshot. Where it fails, the log is lost or away: it is tried again with the next change. */
async function* snapshotTexts(
  { follower, snapshots }: StreamDeps,
  progress: Progress,
  line: Line,
): AsyncGenerator<string> {
  const { seq, texts } = snapshots.of(line);
  // The bell after the failure, not one from before: that rang with it, and this would ask a store that is away all the time.
  const found = await texts.catch(() => follower.bell());
  if (!found) return;
  for (const text of found) {
    if (progress.end !== undefined || follower.line() !== line) return;
    yield text;
  }
  progress.place = { line, seq };
}

/**
 * Returns the entries that the subscriber does not have yet; where it has all, the latest look at the log, which it has not
 * heard of. Undefined: there is nothing new.
 */
function next({ beat }: Pick<Follower, 'beat'>, progress: Progress, heard: Beat | undefined) {
  const { place } = progress;
  if (!place) return undefined;
  const { line, seq } = place;
  const entries = line.after(seq);
  if (entries) {
    progress.place = { line, seq: entries.seq };
    return { text: entries.text, heard };
  }
  const latest = beat();
  if (latest?.line !== line || latest.seq > seq || latest === heard) return undefined;
  return { text: feedEvent('heartbeat', { generation: line.generation, seq, at: latest.at }), heard: latest };
}
