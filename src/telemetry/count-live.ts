/** Counts the credentials that have not expired. It keeps one number a second, so its size is bounded by the longest lifetime. */
import { toSeconds, type SystemClock } from '../domain/time.js';

export function countLive(clock: SystemClock): { add(expiresAt: number): void; count(): number } {
  const expiringIn = new Map<number, number>();
  return {
    add(expiresAt) {
      const second = toSeconds(expiresAt);
      const already = expiringIn.get(second);
      // Expired seconds are dropped here too: a broker whose metrics nobody reads would keep every second of its life.
      if (already === undefined) dropUntil(expiringIn, toSeconds(clock.reading()));
      expiringIn.set(second, (already ?? 0) + 1);
    },
    count() {
      dropUntil(expiringIn, toSeconds(clock.reading()));
      return [...expiringIn.values()].reduce((sum, count) => sum + count, 0);
    },
  };
}

function dropUntil(expiringIn: Map<number, number>, now: number): void {
  for (const second of expiringIn.keys()) if (second <= now) expiringIn.delete(second);
}
