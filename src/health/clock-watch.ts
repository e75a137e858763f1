/**
 * Whether the clock was set. Beside the time of day there is a clock that nobody can set; as long as both go at the same pace
 * the time of day is believed. On LMDB the store's clock is this one too, so nothing else would notice.
 */
import type { Clock } from '../domain/time.js';

export interface ClockWatch {
  /** To be called often: notes at what distance the clocks go now. */
  look(): void;
  /** How far the clock is from where it was last believed to be. Milliseconds. */
  setByMs(): number;
  /** No later than the time can be, however the clock was set since this process began: what is forgotten by it is past. */
  surelyPast(): number;
}

/** A clock that was set and then kept its pace for so long is believed again: machines sleep, move and are corrected. */
const SETTLED_MS = 60_000;

export function watchClock(clock: Clock, skewMs: number): ClockWatch {
  const distance = (): number => clock.now() - clock.elapsed();
  const started = distance();
  let believed = started;
  let pace = { distance: started, since: clock.elapsed() };
  return {
    look() {
      const now = distance();
      if (Math.abs(now - pace.distance) > skewMs) pace = { distance: now, since: clock.elapsed() };
      else if (clock.elapsed() - pace.since >= SETTLED_MS) believed = now;
    },
    setByMs: () => Math.abs(Math.round(distance() - believed)),
    surelyPast: () => Math.min(clock.now(), clock.elapsed() + started),
  };
}
