/**
 * Notices that somebody set the clock. The monitor compares the time of day with the monotonic clock, which nobody can set: as
 * long as both advance together, the time of day is trusted. On LMDB the store's clock is this one too, so nothing else would
 * notice.
 */
import type { SystemClock } from '../domain/time.js';

export interface ClockMonitor {
  /** Records how far the two clocks are apart now. It must be called every second or so. */
  sample(): void;
  /** Returns how far the clock is from where it was last trusted to be, in milliseconds. */
  setByMs(): number;
  /**
   * Returns a time that has surely passed, in milliseconds, even if the clock was set since this process started. Whatever
   * expires before that time has really expired, and may be forgotten.
   */
  surelyPast(): number;
}

/** A clock that was set, and then advanced evenly for this long, is trusted again: virtual machines pause and move. */
const SETTLED_MS = 60_000;

export function monitorClock(clock: SystemClock, skewMs: number): ClockMonitor {
  const distance = (): number => clock.reading() - clock.elapsed();
  const atStart = distance();
  let believed = atStart;
  let steady = { distance: atStart, since: clock.elapsed() };
  return {
    sample() {
      const now = distance();
      if (Math.abs(now - steady.distance) > skewMs) steady = { distance: now, since: clock.elapsed() };
      else if (clock.elapsed() - steady.since >= SETTLED_MS) believed = now;
    },
    setByMs: () => Math.abs(Math.round(distance() - believed)),
    surelyPast: () => Math.min(clock.reading(), clock.elapsed() + atStart),
  };
}
