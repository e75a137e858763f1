/**
 * What may be born and what is dead: the rules of the revocation log, in one place, for broker and verifier alike.
 * No wall clock decides between a birth and a revocation; sequence numbers do.
 */
import { FORGET_MARGIN_MS, HARD_LIMITS } from './limits.js';
import type { SelectorKind } from './selector.js';
import type { Outcome } from './task.js';
import type { Tombstone } from './tombstone.js';

/** When something was born in the revocation log: `<generation>.<sequence>`. */
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

type Refusal = 'ended' | 'held';

/** Whether something that hangs on these causes may not be born now. */
export function refusesBirth(tombstones: readonly (Tombstone | undefined)[]): Refusal | undefined {
  if (tombstones.some((tombstone) => tombstone?.ended)) return 'ended';
  if (tombstones.some((tombstone) => tombstone && tombstone.holds.length > 0)) return 'held';
  return undefined;
}

/** How something born at `epoch` died, or undefined if it lives. Strictly greater: an equal number was seen at birth. */
export function death(
  kind: 'task' | 'credential',
  epoch: Epoch,
  generation: string,
  tombstones: readonly (Tombstone | undefined)[],
): Outcome | undefined {
  return epoch.generation === generation ? firstDeath(kind, epoch, tombstones)?.as : 'revoked';
}

/** The entry that ended it, of the log it was born in. */
export function firstDeath(
  kind: 'task' | 'credential',
  epoch: Epoch,
  tombstones: readonly (Tombstone | undefined)[],
): { seq: number; as: Outcome } | undefined {
  let first: { seq: number; as: Outcome } | undefined;
  for (const tombstone of tombstones) {
    for (const entry of deadly(kind, epoch, tombstone)) if (entry.seq < (first?.seq ?? Infinity)) first = entry;
  }
  return first;
}

/**
 * Whether a proof of identity has no verbs: its party is held, or was cut off after the proof was issued. A proof knows no
 * epoch, so here alone clocks are compared, and every doubt (skew, no `iat`) goes against the proof.
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

/** After this the tombstone cannot matter: everything it could still kill is past its own end, by the constants of the code. */
export function forgettableAt(kind: SelectorKind, at: number, knownEnd?: number): number {
  const seconds = kind === 'credential' ? HARD_LIMITS.credentialLifetimeSeconds : HARD_LIMITS.taskLifetimeSeconds;
  return (knownEnd ?? at + seconds * 1000) + FORGET_MARGIN_MS;
}

function deadly(
  kind: 'task' | 'credential',
  epoch: Epoch,
  tombstone: Tombstone | undefined,
): { seq: number; as: Outcome }[] {
  if (!tombstone) return [];
  const found: { seq: number; as: Outcome }[] = [];
  if (tombstone.ended) found.push(tombstone.ended);
  if (tombstone.cut && tombstone.cut.seq > epoch.seq) found.push({ seq: tombstone.cut.seq, as: 'revoked' });
  const paused = kind === 'credential' && tombstone.pause !== undefined && tombstone.pause > epoch.seq;
  if (paused) found.push({ seq: tombstone.pause ?? 0, as: 'revoked' });
  return found;
}
