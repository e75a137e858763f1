/** How often a broker answers about the same approval. Whoever asks too soon must wait longer from then on (RFC 8628 §3.5). */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/time.js';

export interface Pace {
  /** To begin with. */
  readonly intervalSeconds: number;
  /** Notes a visit. Returns how long to wait between two from now on, if this one came too soon. */
  noteVisit(id: string): { waitSeconds: number } | undefined;
}

const INTERVAL_SECONDS = 5;
const INTERVAL_SECONDS_MOST = 60;
/** What arrives a little early has waited: networks are not even. */
const EARLY_MS = 500;
const KEPT = 10_000;

interface Visit {
  at: number;
  intervalSeconds: number;
}

export function createPace({ elapsed }: Pick<Clock, 'elapsed'>): Pace {
  const visits = new LRUCache<string, Visit>({ max: KEPT });
  return {
    intervalSeconds: INTERVAL_SECONDS,
    noteVisit(id) {
      const now = elapsed();
      const last = visits.get(id);
      const interval = last?.intervalSeconds ?? INTERVAL_SECONDS;
      const isEarly = last !== undefined && now - last.at < interval * 1000 - EARLY_MS;
      const intervalSeconds = isEarly ? Math.min(interval + INTERVAL_SECONDS, INTERVAL_SECONDS_MOST) : interval;
      visits.set(id, { at: now, intervalSeconds });
      return isEarly ? { waitSeconds: intervalSeconds } : undefined;
    },
  };
}
