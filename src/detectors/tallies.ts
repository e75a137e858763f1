/** Tallies that are not in the store yet. Their number is bounded, since callers can invent subjects: the oldest is dropped. */
import type { DetectorEvent } from '../domain/signal.js';
import { subjectOf, type Tally } from './rule.js';

export interface Tallies {
  /** Returns the tally of a subject, for the caller to add to. `period`: tallies of different periods are kept apart. */
  of(event: DetectorEvent, charge: Tally['charge'], at: number, period?: number): Tally;
  /** Takes out the tallies that are due, the oldest first. */
  take(isDue: (tally: Tally) => boolean, most: number): Tally[];
  /** Adds a tally again that the store did not take. */
  putBack(tally: Tally): void;
  readonly size: number;
}

/** @param onDropped is called for each tally that is dropped before it was stored. */
export function createTallies(most: number, onDropped: () => void): Tallies {
  const kept = new Map<string, Tally>();
  // The iterator continues where it stopped. A new one would step over the holes of all deleted entries each time.
  let order = kept.keys();

  function dropOldest(): void {
    let { value: oldest } = order.next();
    if (oldest === undefined) ({ value: oldest } = (order = kept.keys()).next());
    if (oldest !== undefined && kept.delete(oldest)) onDropped();
  }

  function keep(tally: Tally): Tally {
    if (kept.size >= most) dropOldest();
    kept.set(tally.key, tally);
    return tally;
  }

  return {
    of(event, charge, at, period) {
      const fresh = newTally(event, charge, at, period);
      const tally = kept.get(fresh.key) ?? keep(fresh);
      tally.at = at;
      return tally;
    },
    take(isDue, atMost) {
      const taken: Tally[] = [];
      for (const tally of kept.values()) {
        if (taken.length >= atMost) break;
        if (isDue(tally)) taken.push(tally);
      }
      for (const { key } of taken) kept.delete(key);
      return taken;
    },
    putBack(tally) {
      const since = kept.get(tally.key);
      if (!since) return void keep(tally);
      for (const place of tally.places) since.places.add(place);
      if (tally.first) since.first = tally.first;
      if (since.restarted) return;
      since.count += tally.count;
      since.restarted = tally.restarted;
    },
    get size() {
      return kept.size;
    },
  };
}

export const newTally = (event: DetectorEvent, charge: Tally['charge'], at: number, period = 0): Tally => ({
  key: `${event}\n${period}\n${subjectOf(charge)}`,
  event,
  charge,
  count: 0,
  at,
  restarted: false,
  places: new Set(),
});
