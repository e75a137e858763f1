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

/** What can die, by the rules of the log: a hold suspends a task, and ends a credential. */
export type Mortal = 'task' | 'credential';

/** The entry that ended something: its number in the log, and how it ended. */
export interface Death {
  seq: number;
  as: Outcome;
}

type Refusal = 'ended' | 'held';

/** Whether something that hangs on these causes may not be born now. */
export function refusesBirth(tombstones: readonly (Tombstone | undefined)[]): Refusal | undefined {
  if (tombstones.some((tombstone) => tombstone?.ended)) return 'ended';
  if (tombstones.some((tombstone) => tombstone && tombstone.holds.length > 0)) return 'held';
  return undefined;
}

/**
 * The first entry that ended something born at `epoch`; undefined while it lives. Whatever an earlier log has seen born was
 * ended by the loss of that log: `revoked`, with the number 0, for numbers begin at 1.
 */
export function death(
  kind: Mortal,
  epoch: Epoch,
  generation: string,
  tombstones: readonly (Tombstone | undefined)[],
): Death | undefined {
  if (epoch.generation !== generation) return { seq: 0, as: 'revoked' };
  let first: Death | undefined;
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

/** The entries of a tombstone that end it. A number equal to that of its epoch ends nothing: it was seen at birth. */
function deadly(kind: Mortal, epoch: Epoch, tombstone: Tombstone | undefined): Death[] {
  if (!tombstone) return [];
  const found: Death[] = [];
  if (tombstone.ended) found.push(tombstone.ended);
  if (tombstone.cut && tombstone.cut.seq > epoch.seq) found.push({ seq: tombstone.cut.seq, as: 'revoked' });
  const paused = kind === 'credential' && tombstone.pause !== undefined && tombstone.pause > epoch.seq;
  if (paused) found.push({ seq: tombstone.pause ?? 0, as: 'revoked' });
  return found;
}
