/** Clocks of tests: one that a test turns by hand, and the real one. Both are trusted, where nothing compares them. */
import { systemClock, type Clock, type SystemClock } from '../../src/domain/time.js';

export interface TestClock extends Clock, SystemClock {}

export interface HandClock extends TestClock {
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
    reading: () => now,
    now: () => now,
    unchecked: () => now,
    uncheckedEarliest: () => now,
    uncheckedMiddle: () => now,
    uncheckedTimes: () => [now],
    isTrusted: () => true,
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

export const realClock: TestClock = {
  ...systemClock,
  now: () => systemClock.reading(),
  unchecked: () => systemClock.reading(),
  uncheckedEarliest: () => systemClock.reading(),
  uncheckedMiddle: () => systemClock.reading(),
  uncheckedTimes: () => [systemClock.reading()],
  isTrusted: () => true,
};
