/**
 * What may be born and what is dead: the rules of the revocation log, for the broker and for verifiers. Sequence numbers decide
 * whether a birth or a revocation came first, and never a wall clock: clocks differ, numbers of one log do not.
 */
import { FORGET_MARGIN_MS, HARD_LIMITS } from './limits.js';
import type { SelectorKind } from './selector.js';
import type { Outcome } from './task-outcome.js';
import type { Deadly, Tombstone } from './tombstone.js';

/** The place in the revocation log at which something was born. Its text is `<generation>.<sequence>`. */
export interface Epoch {
  generation: string;
  seq: number;
}

export const formatEpoch = ({ generation, seq }: Epoch): string => `${generation}.${seq}`;

export function parseEpoch(text: string): Epoch {
  const match = /^([\w-]+)\.(\d+)$/.exec(text);
  if (!match?.[1] || match[2] === undefined) throw new Error('malformed epoch');
  return { generation: match[1], seq: Number(match[2]) };
}

/** Returns the number of a generation, which grows with each new one; 0 for a text that is not numbered. */
export const orderOf = (generation: string): number => Number(/^(\d+)_/.exec(generation)?.[1] ?? 0);

/** The two kinds of record that a revocation can end. A hold ends credentials, and only suspends tasks. */
export type Revocable = 'task' | 'credential';

/** The entry of the log that ended something, by its number, and how it ended. */
export interface Death {
  seq: number;
  as: Outcome;
}

type Refusal = 'ended' | 'held';

/** Returns why nothing that hangs on these causes may be born now, or undefined if it may. */
export function refusesBirth(tombstones: readonly (Tombstone | undefined)[]): Refusal | undefined {
  if (tombstones.some((tombstone) => tombstone?.ended)) return 'ended';
  if (tombstones.some((tombstone) => tombstone && tombstone.holds.length > 0)) return 'held';
  return undefined;
}

/**
 * Returns the first entry that ended what was born at `epoch`, or undefined while it lives. The loss of an earlier log ended
 * everything born in it: it counts as `revoked` by the number 0. Real numbers begin at 1.
 */
export function death(
  kind: Revocable,
  epoch: Epoch,
  generation: string,
  tombstones: readonly (Deadly | undefined)[],
): Death | undefined {
  if (epoch.generation !== generation) return { seq: 0, as: 'revoked' };
  let first: Death | undefined;
  for (const tombstone of tombstones) {
    for (const entry of endings(kind, epoch, tombstone)) if (entry.seq < (first?.seq ?? Infinity)) first = entry;
  }
  return first;
}

/**
 * Returns why the holder of a proof of identity may call nothing: its party is held, or was cut off after the proof was issued.
 * Returns undefined if it may. A proof has no epoch, so clocks are compared here and nowhere else, and a doubtful proof is
 * refused: one within the skew, or one without `iat`.
 */
export function refusesProof(
  tombstones: readonly (Tombstone | undefined)[],
  issuedAt: number | undefined,
  skewMs: number,
): 'held' | 'cut' | undefined {
  if (refusesBirth(tombstones)) return 'held';
  const cutAt = Math.max(...tombstones.map((tombstone) => tombstone?.cut?.at ?? -Infinity));
  return cutAt + skewMs >= (issuedAt ?? -Infinity) && cutAt > -Infinity ? 'cut' : undefined;
}

/**
 * Returns the moment after which the tombstone may be forgotten: everything that it could end or refuse has then expired
 * (limits.ts). Milliseconds.
 */
export const forgettableAt = (kind: SelectorKind, at: number, knownEnd?: number): number =>
  (knownEnd ?? at + SECONDS_HIT[kind] * 1000) + FORGET_MARGIN_MS;

/**
 * A cutoff of a party refuses its proofs too (`partyCauses` in hangs-on.ts), and the end of a run what its proofs ask for. The oldest
 * of those is older than any task.
 */
const SECONDS_HIT: Record<SelectorKind, number> = {
  credential: HARD_LIMITS.credentialLifetimeSeconds,
  drill: HARD_LIMITS.drillSeconds,
  task: HARD_LIMITS.taskLifetimeSeconds,
  target: HARD_LIMITS.taskLifetimeSeconds,
  all: HARD_LIMITS.taskLifetimeSeconds,
  workload: HARD_LIMITS.proofAgeSeconds,
  subject: HARD_LIMITS.proofAgeSeconds,
  run: HARD_LIMITS.proofAgeSeconds,
  principal: HARD_LIMITS.proofAgeSeconds,
  session: HARD_LIMITS.proofAgeSeconds,
  issuer: HARD_LIMITS.proofAgeSeconds,
  owner: HARD_LIMITS.proofAgeSeconds,
};

/**
 * Returns the entries of a tombstone that end what was born at `epoch`. Birth has seen the entry of an equal number, so that
 * one ends nothing.
 */
function endings(kind: Revocable, epoch: Epoch, tombstone: Deadly | undefined): Death[] {
  if (!tombstone) return [];
  const found: Death[] = [];
  const { ended, cut, lastHold } = tombstone;
  if (ended) found.push(ended);
  if (cut && cut.seq > epoch.seq) found.push({ seq: cut.seq, as: 'revoked' });
  if (kind === 'credential' && lastHold !== undefined && lastHold > epoch.seq)
    found.push({ seq: lastHold, as: 'revoked' });
  return found;
}
