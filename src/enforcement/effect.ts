/** How far a revocation has come at a target to which it must be pushed (G8). Pure. */
import { PROPAGATION_MS, RESIDUAL_MS } from '../domain/timing.js';
import type { Enforcement } from '../ledger/enforcement.js';

/** How far the end of one or more sessions has come at their target. */
export interface SessionEffect {
  effect: 'pending' | 'written' | 'effective' | 'expired';
  /** After this the last session has expired, even if nothing is ever pushed. Absent once nothing can be used any more. */
  boundedBySeconds?: number;
  waitsFor?: Wait;
}

/** What the end waits for. `target`: pushing to it fails, and is tried again until the sessions expire. */
type Wait = 'write' | 'target' | 'propagation' | 'deadline';

/** What ended the sessions. */
interface SessionEnd {
  generation: string;
  /** The number of the log entry; undefined if none is published yet, for example after a crash between reserving and minting. */
  seq: number | undefined;
  /** When the last of the dead sessions expires. Milliseconds. */
  expiresAt: number;
}

export function effectAt(
  state: Enforcement | undefined,
  { generation, seq, expiresAt }: SessionEnd,
  now: number,
): SessionEffect {
  if (expiresAt <= now) return { effect: 'expired' };
  const boundedBySeconds = Math.ceil((expiresAt - now) / 1000);
  const deniesFrom = deniedFrom(state, { generation, seq });
  if (deniesFrom !== undefined && deniesFrom <= now) return { effect: 'effective' };
  if (deniesFrom !== undefined) return { effect: 'written', boundedBySeconds, waitsFor: 'propagation' };
  return { effect: 'pending', boundedBySeconds, waitsFor: reason(state, expiresAt - now) };
}

/**
 * Returns from when on the target certainly denies what an entry of the log ended; undefined while that is not written there. Of
 * writes that are in force only the latest is remembered: long after the entry, this may be the moment of a later one.
 */
export function deniedFrom(
  state: Enforcement | undefined,
  { generation, seq }: Pick<SessionEnd, 'generation' | 'seq'>,
): number | undefined {
  const marks = state?.generation === generation ? state.marks : [];
  const first = marks.find((mark) => seq !== undefined && mark.seq >= seq);
  return first && first.at + PROPAGATION_MS;
}

function reason(state: Enforcement | undefined, leftMs: number): Wait {
  if (leftMs <= RESIDUAL_MS) return 'deadline';
  return state?.failingSince === undefined ? 'write' : 'target';
}

/**
 * Returns the marks, each a write to the target, that can still change an answer: the latest effective one, and those after
 * it.
 */
export function settledMarks(marks: Enforcement['marks'], now: number): Enforcement['marks'] {
  const settled = marks.findLastIndex(({ at }) => at + PROPAGATION_MS <= now);
  return marks.slice(Math.max(0, settled));
}
