/** Whether something happened lately. What a clock that was ahead has left behind did not happen: it would count for ever. */
import { HARD_LIMITS } from '../domain/limits.js';

const AHEAD_MS_MOST = HARD_LIMITS.clockSkewSeconds * 1000;

export const isRecent = (at: number, now: number, withinMs: number): boolean =>
  at > now - withinMs && at <= now + AHEAD_MS_MOST;
