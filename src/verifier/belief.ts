/**
 * What a verifier believes to be dead: the log as it was heard, while it knew for sure not long ago that this is all. The reader
 * of docs/feed.md. It refuses whenever it may have missed something.
 */
import { createBell } from '../domain/bell.js';
import { formatEpoch } from '../domain/liveness.js';
import { FeedBroken, type Heard } from './feed-events.js';
import { createHeardLog, type HeardLog } from './heard-log.js';
import { ageOf, type Instant } from './instant.js';

interface BeliefClock {
  now: () => Instant;
  /** Milliseconds since some moment; goes on while the machine sleeps. */
  elapsed: () => number;
}

interface BeliefDeps {
  clock: BeliefClock;
  /** What was not known for sure for so long is not believed. Milliseconds. */
  staleMs: number;
}

export interface Belief extends Pick<HeardLog, 'place' | 'verdict' | 'forget' | 'size' | 'lose'> {
  /** A new stream begins, whose request was sent at `sent`, by `clock.elapsed`. */
  begin: (sent: number) => void;
  /** Applies an event. Throws FeedBroken where something is missing before it: then nothing is believed any more. */
  take: (heard: Heard) => void;
  isLive: () => boolean;
  /** The id of the last event that was applied; undefined: everything must come anew. */
  lastEventId: () => string | undefined;
  /** Resolves with the next change. */
  changed: () => Promise<void>;
}

/** Two clocks that run well differ by less in the ten minutes that a stream lasts, also where `elapsed` knows whole seconds only. */
const CLOCKS_DIFFER_MS = 2_000;

export function createBelief({ clock, staleMs }: BeliefDeps): Belief {
  const log = createHeardLog();
  /** `sent` by our clock and `at` by that of the broker are nearly the same moment. */
  let stream: { sent: number; at?: number } = { sent: 0 };
  /** What is kept was certainly right `ageMs` before `at`. */
  let sure: { ageMs: number; at: Instant } | undefined;
  const { bell, ring } = createBell();

  const age = (): number => (sure ? sure.ageMs + ageOf(sure.at, clock.now()) : Infinity);
  const isLive = (): boolean => age() <= staleMs;
  function lose(): void {
    log.lose();
    sure = undefined;
  }

  function take(heard: Heard): void {
    log.apply(heard);
    if (heard.event === 'hello') stream.at ??= heard.data.at;
    if (heard.event === 'snapshot') sure = undefined;
    if (heard.event !== 'heartbeat') return;
    if (stream.at === undefined) throw new FeedBroken('the feed has left its first event out');
    const heardAgeMs = clock.elapsed() - stream.sent - (heard.data.at - stream.at);
    // A machine that was paused: from now on, events that are late would pass for fresh ones.
    if (heardAgeMs < -CLOCKS_DIFFER_MS) throw new FeedBroken('the clock of this machine stood still');
    // Not below 0: a clock of the broker that runs ahead must not make us surer than we are.
    const ageMs = Math.max(0, heardAgeMs);
    if (ageMs <= age()) sure = { ageMs, at: clock.now() };
  }

  return {
    ...log,
    isLive,
    lose,
    begin: (sent) => void (stream = { sent }),
    take(heard) {
      try {
        take(heard);
      } catch (error) {
        lose();
        throw error;
      } finally {
        ring();
      }
    },
    verdict: (mortal) => (isLive() ? log.verdict(mortal) : 'unknown'),
    lastEventId: () => {
      const place = log.place();
      return place && formatEpoch(place);
    },
    changed: bell,
  };
}
