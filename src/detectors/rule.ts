/** The shape of a detector's rule, and what its rules share. */
import type { Charge, IssuerCharge } from '../domain/charge.js';
import { HARD_LIMITS } from '../domain/limits.js';
import type { Presentation } from './observer.js';
import type { DetectorEvent } from '../domain/signal.js';

/** What one broker has counted of one subject since it last wrote to the store. */
export interface Tally {
  /** The key under which this broker keeps it until then. */
  key: string;
  event: DetectorEvent;
  /** The subject: whom or what the events are counted for. */
  charge: Charge | IssuerCharge;
  count: number;
  /** When the last event was counted, in milliseconds. */
  at: number;
  /** The store's earlier count of this subject is void. */
  restarted: boolean;
  /** Different places, as short hashes. */
  places: Set<string>;
  /** Of a canary: how it was presented first. */
  first?: Presentation;
}

export interface Finding {
  /** The reason, as text for people. */
  why: string;
  /** The number of a stretch of time. In each of them a subject makes one finding, whichever brokers notice it. */
  window: number;
  /** What the store remembers instead of `keep`, if the finding is not told apart from others: the subject is to be found again. */
  keepUntold: string;
}

export interface RuleResult {
  /** What the store remembers of the subject from now on. */
  keep: string;
  /** When `keep` loses its meaning, in milliseconds. */
  until: number;
  finding?: Finding;
}

/** Returns the name under which the store remembers a subject; the same at every broker. */
export const subjectOf = (charge: Tally['charge']): string =>
  charge.kind === 'party' ? `${charge.of.kind}:${charge.of.id}` : `${charge.kind}:${charge.id}`;

/** A pure function. `stored` is the `keep` of its last result for this subject, until that expires. */
export type Rule = (stored: string | undefined, tally: Tally, now: number) => RuleResult;

const AHEAD_MS_MOST = HARD_LIMITS.clockSkewSeconds * 1000;

/**
 * Returns whether `at` lies within the time. A time in the future came from a clock that was ahead: it would count for
 * ever.
 */
export const isRecent = (at: number, now: number, withinMs: number): boolean =>
  at > now - withinMs && at <= now + AHEAD_MS_MOST;
