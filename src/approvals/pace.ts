/** How often a broker answers the same question of the same agent. Whoever asks too soon must wait longer from then on (RFC 8628 §3.5). */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/time.js';

export interface Pace {
  /** To begin with. */
  readonly intervalSeconds: number;
  /** Returns the seconds that are to be waited between two requests from now on, if this one came too soon. */
  isTooFast(id: string): number | undefined;
}

const INTERVAL_SECONDS = 5;
const INTERVAL_SECONDS_MOST = 60;
/** What arrives a little early has waited: networks are not even. */
const EARLY_MS = 500;
const KEPT = 10_000;

interface Asked {
  at: number;
  intervalSeconds: number;
}

export function createPace({ elapsed }: Pick<Clock, 'elapsed'>): Pace {
  const asked = new LRUCache<string, Asked>({ max: KEPT });
  return {
    intervalSeconds: INTERVAL_SECONDS,
    isTooFast(id) {
      const now = elapsed();
      const last = asked.get(id);
      const interval = last?.intervalSeconds ?? INTERVAL_SECONDS;
      const isEarly = last !== undefined && now - last.at < interval * 1000 - EARLY_MS;
      const intervalSeconds = isEarly ? Math.min(interval + INTERVAL_SECONDS, INTERVAL_SECONDS_MOST) : interval;
      asked.set(id, { at: now, intervalSeconds });
      return isEarly ? intervalSeconds : undefined;
    },
  };
}
