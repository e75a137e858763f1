/** When one that failed is tried again, and when no more. Pure but for the dice. */
import { randomInt } from 'node:crypto';
import type { Failure } from './post.js';

const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;
/** A receiver that refuses may be in the middle of a deployment; after so many refusals it means it. */
const REFUSALS_BELIEVED = 3;

/** Doubles with each try, and is spread, so that receivers that fail together are not tried together. */
export function pauseMs(tries: number): number {
  const most = Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS);
  return randomInt(most / 2, most + 1);
}

/** @param ageMs Of the entry: one that has waited as long behind others has no more time than they. */
export const isHopeless = ({ isRefusal }: Failure, tries: number, ageMs: number, giveUpSeconds: number): boolean =>
  (isRefusal && tries >= REFUSALS_BELIEVED) || ageMs >= giveUpSeconds * 1000;

/** A moment further ahead than any pause was set by a clock that has been set since. */
export const isTooSoon = (retryAt: number, now: number): boolean => retryAt > now && retryAt - now <= LONGEST_MS;
