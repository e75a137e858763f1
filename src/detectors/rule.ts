/** A rule: what was remembered of a subject, and what was noticed since; out comes what to remember, and whether it is a finding. */
import type { Selector } from '../domain/selector.js';
import type { DetectorEvent } from '../domain/signal.js';

/** What one broker has noticed of one subject since it last told the store. */
export interface Noted {
  /** Where this broker keeps it until then. */
  key: string;
  event: DetectorEvent;
  /** Under which the store remembers it: the same at every broker. */
  subject: string;
  about: readonly Selector[];
  count: number;
  /** When it was noticed last, milliseconds. */
  at: number;
  /** What happened before does not count any more. */
  restarted: boolean;
  /** Different ones, as short hashes. */
  places: Set<string>;
}

export interface Finding {
  /** In words, for people. */
  why: string;
  /** Numbers the stretches of time: in one of them a subject makes one finding, whoever notices it. */
  window: number;
}

export interface Judgement {
  keep: string;
  /** When it has no meaning any more, milliseconds. */
  until: number;
  finding?: Finding;
}

/** Pure. `kept`: what it answered last for this subject, while that has a meaning. */
export type Rule = (kept: string | undefined, noted: Noted, now: number) => Judgement;
