/** What was noticed here and is not in the store yet. Bounded, whoever makes up subjects: the oldest go first. */
import type { Selector } from '../domain/selector.js';
import type { DetectorEvent } from '../domain/signal.js';
import type { Noted } from './rule.js';

export interface Tallies {
  /** What is noted of the subject, to be added to. `apart`: times that the detector keeps apart. */
  of(event: DetectorEvent, about: readonly Selector[], at: number, apart?: number): Noted;
  /** The same for a subject that only its detector knows. */
  ofSubject(event: DetectorEvent, subject: string, at: number): Noted;
  /** Takes out those that are due, the oldest first. */
  take(isDue: (noted: Noted) => boolean, most: number): Noted[];
  /** The store did not take it. */
  putBack(noted: Noted): void;
  readonly size: number;
}

/** @param onDropped One was forgotten before the store knew. */
export function createTallies(most: number, onDropped: () => void): Tallies {
  const kept = new Map<string, Noted>();
  // Goes on where it stopped: from the start it would step over every hole that those before it have left.
  let order = kept.keys();

  function dropOldest(): void {
    let { value: oldest } = order.next();
    if (oldest === undefined) ({ value: oldest } = (order = kept.keys()).next());
    if (oldest !== undefined && kept.delete(oldest)) onDropped();
  }

  function keep(noted: Noted): Noted {
    if (kept.size >= most) dropOldest();
    kept.set(noted.key, noted);
    return noted;
  }

  function of(event: DetectorEvent, about: readonly Selector[], subject: string, at: number, apart = 0): Noted {
    const key = `${event}\n${apart}\n${subject}`;
    const noted =
      kept.get(key) ?? keep({ key, event, subject, about, count: 0, at, restarted: false, places: new Set() });
    noted.at = at;
    return noted;
  }

  return {
    of: (event, about, at, apart) => of(event, about, subjectOf(about), at, apart),
    ofSubject: (event, subject, at) => of(event, [], subject, at),
    take(isDue, atMost) {
      const taken: Noted[] = [];
      for (const noted of kept.values()) {
        if (taken.length >= atMost) break;
        if (isDue(noted)) taken.push(noted);
      }
      for (const { key } of taken) kept.delete(key);
      return taken;
    },
    putBack(noted) {
      const since = kept.get(noted.key);
      if (!since) return void keep(noted);
      for (const place of noted.places) since.places.add(place);
      if (since.restarted) return;
      since.count += noted.count;
      since.restarted = noted.restarted;
    },
    get size() {
      return kept.size;
    },
  };
}

const subjectOf = (about: readonly Selector[]): string => about.map(({ kind, value }) => `${kind}:${value}`).join('\n');
