/**
 * Follows the revocation log for all subscribers of this process: one reader of the store, whatever their number. What it
 * knows counts only as far as a look at the log confirms it.
 */
import PQueue from 'p-queue';
import { createBell, type Bell } from '../domain/bell.js';
import { defined } from '../domain/defined.js';
import type { Clock } from '../domain/time.js';
import type { LogEntry } from '../domain/tombstone.js';
import type { RevocationLog } from '../ledger/revocation-log.js';
import { followLog } from '../store/follow-log.js';
import { LogGap } from '../store/store.js';
import { createLine, KEPT, type Line } from './line.js';

const PAGE = 1_000;
/** After a failure the store is asked again so much later. */
const AGAIN_MS = 200;

type FollowedLog = Pick<RevocationLog, 'look' | 'entries' | 'awaitEntry'>;

interface FollowDeps {
  log: FollowedLog;
  clock: Pick<Clock, 'elapsed' | 'pause'>;
}

/** Receives what was published since the last call, now in the line. It must not throw. */
type OnEntries = (line: Line, entries: readonly LogEntry[]) => void;

/** A look at the log that found everything up to `seq` in the line. `at` is when it was sent, by `Clock.elapsed`. */
export interface Beat {
  line: Line;
  seq: number;
  at: number;
}

/** The bell rings with each change of the line and of the beat. */
export interface Follower extends Bell {
  /** Undefined while the log is not followed: before the first look, and after one that failed to find the place. */
  line(): Line | undefined;
  /** The latest look. Undefined after one that failed: then nobody is told that there is nothing new. */
  beat(): Beat | undefined;
  /**
   * Looks at the log, and follows up to what it found. Begins to follow if nobody did before. Those who ask while no look has
   * begun share the next.
   */
  look(): Promise<void>;
  stop(): void;
}

export function createFollower({ log, clock }: FollowDeps, onEntries: OnEntries): Follower {
  const { bell, ring } = createBell();
  const tail = createTail(log, (line, entries) => {
    onEntries(line, entries);
    ring();
  });
  /** Two that read the same place would append it twice. */
  const turns = new PQueue({ concurrency: 1 });
  let beat: Beat | undefined;
  let running: symbol | undefined;

  let waiting: Promise<void> | undefined;

  async function confirm(): Promise<void> {
    waiting = undefined;
    const at = clock.elapsed();
    try {
      const { epoch } = await log.look([]);
      if (tail.line()?.generation !== epoch.generation) await tail.begin();
      else if (!tail.line()?.covers(epoch.seq)) await tail.read();
      const line = tail.line();
      const isThere = line?.generation === epoch.generation && line.head() >= epoch.seq;
      beat = isThere ? { line, seq: epoch.seq, at } : undefined;
    } catch (error) {
      beat = undefined;
      throw error;
    } finally {
      ring();
    }
    if (running !== undefined) return;
    const mine = (running = Symbol('run'));
    void keepReading({ log, clock }, { tail, turns }, () => running === mine);
  }

  return {
    bell,
    ring,
    line: tail.line,
    beat: () => beat,
    // A turn may begin at once, and would then be over before it is kept here for others.
    look: () => (waiting ??= Promise.resolve().then(() => turns.add(confirm))),
    stop() {
      running = beat = undefined;
      tail.leave();
      ring();
    },
  };
}

/** Reads what is published as soon as it is, until nobody wants it any more. */
async function keepReading(
  { log, clock }: FollowDeps,
  { tail, turns }: { tail: ReturnType<typeof createTail>; turns: PQueue },
  isWanted: () => boolean,
): Promise<void> {
  while (isWanted())
    try {
      const before = tail.line()?.head() ?? 0;
      const isThere = await log.awaitEntry(before);
      if (!isWanted()) return;
      await turns.add(() => (tail.line() ? tail.read() : tail.begin()));
      // What was seen there cannot be read here: the two connections may have found different servers.
      if (isThere && tail.line()?.head() === before) await clock.pause(AGAIN_MS);
    } catch {
      await clock.pause(AGAIN_MS);
    }
}

/** The end of the log as far as it was read. */
function createTail({ look, entries }: FollowedLog, onEntries: OnEntries) {
  let line: Line | undefined;
  let lastId: string | undefined;
  const latest = async () => (await look([])).epoch.seq;

  /** Begins a new line: where the log is read from now on, with as much before it as is kept. */
  async function begin(): Promise<void> {
    line = undefined;
    const { generation, seq } = (await look([])).epoch;
    const from = Math.max(0, seq - KEPT);
    const kept = await entries(from, seq - from).catch(noneIfGone);
    const isWhole = kept.length === seq - from;
    const begun = createLine(generation, isWhole ? from : seq);
    if (isWhole) begun.append(kept);
    lastId = kept.at(-1)?.id;
    line = begun;
    onEntries(line, []); // Whoever waits for the next entry must now hear of another line.
  }

  async function read(): Promise<void> {
    for (let more = true; more && line;) {
      const found = await followLog({ entries, latest }, defined({ seq: line.head(), id: lastId }), PAGE);
      if (found.is !== 'entries') return begin();
      line.append(found.entries);
      lastId = found.entries.at(-1)?.id ?? lastId;
      if (found.entries.length > 0) onEntries(line, found.entries);
      more = found.entries.length === PAGE;
    }
  }

  return { begin, read, line: () => line, leave: () => void (line = undefined) };
}

function noneIfGone(error: unknown): LogEntry[] {
  if (error instanceof LogGap) return [];
  throw error;
}
