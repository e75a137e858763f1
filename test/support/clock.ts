/** A clock that a test turns by hand. */
import { systemClock, type Clock } from '../../src/domain/time.js';

export interface HandClock extends Clock {
  set(ms: number): void;
  /** Somebody sets the clock: the time it shows changes, but none passes. */
  jump(ms: number): void;
  advance(ms: number): void;
}

/** The clock starts on 2030-01-01 by default: a moment that no test can mistake for the real one. */
export function handClock(startMs: number = Date.UTC(2030, 0, 1)): HandClock {
  let now = startMs;
  let jumped = 0;
  return {
    now: () => now,
    elapsed: () => now - jumped,
    pause: (ms) => systemClock.pause(ms),
    set: (ms) => void (now = ms),
    jump(ms) {
      now += ms;
      jumped += ms;
    },
    advance: (ms) => void (now += ms),
  };
}
