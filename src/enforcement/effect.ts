/** How far a death has come at a target that must be told of it (G8). Pure. */
import { PROPAGATION_MS, RESIDUAL_MS } from '../domain/timing.js';
import type { Enforcement } from '../ledger/enforcement.js';

export interface SessionEffect {
  effect: 'pending' | 'written' | 'effective' | 'expired';
  /** The deadline ends it whatever happens. Absent once it is over. */
  boundedBySeconds?: number;
  waitsFor?: Wait;
}

/** `target`: it does not take what it should be told, and is asked again until the deadline. */
type Wait = 'write' | 'target' | 'propagation' | 'deadline';

interface Death {
  generation: string;
  /** Its number in the log; undefined: not even published, e.g. by a crash between reserving and minting. */
  seq: number | undefined;
  /** When the last of what died expires. Milliseconds. */
  expiresAt: number;
}

export function effectAt(
  state: Enforcement | undefined,
  { generation, seq, expiresAt }: Death,
  now: number,
): SessionEffect {
  if (expiresAt <= now) return { effect: 'expired' };
  const boundedBySeconds = Math.ceil((expiresAt - now) / 1000);
  const marks = state?.generation === generation ? state.marks : [];
  const holding = marks.filter((mark) => seq !== undefined && mark.seq >= seq);
  if (holding.some(({ at }) => at + PROPAGATION_MS <= now)) return { effect: 'effective' };
  if (holding.length > 0) return { effect: 'written', boundedBySeconds, waitsFor: 'propagation' };
  return { effect: 'pending', boundedBySeconds, waitsFor: reason(state, expiresAt - now) };
}

function reason(state: Enforcement | undefined, leftMs: number): Wait {
  if (leftMs <= RESIDUAL_MS) return 'deadline';
  return state?.failingSince === undefined ? 'write' : 'target';
}

/** Marks that can still change an answer: the latest that has settled, and those after it. */
export function settledMarks(marks: Enforcement['marks'], now: number): Enforcement['marks'] {
  const settled = marks.findLastIndex(({ at }) => at + PROPAGATION_MS <= now);
  return marks.slice(Math.max(0, settled));
}
