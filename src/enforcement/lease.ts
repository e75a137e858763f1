/** One broker at a time tells a target of deaths: a lease in the ledger, with a fence that rises with each new holder. */
import { ALL, cause } from '../domain/selector.js';
import { FENCE_MS, PUSH_MS, TARGET_LEASE_MS, TARGET_LEASE_RENEWED_BELOW_MS } from '../domain/timing.js';
import { readEnforcement, writeEnforcement, type Enforcement } from '../ledger/enforcement.js';
import type { Versioned, Ledger } from '../ledger/ledger.js';
import { latestCut } from '../ledger/revocation-log.js';

export interface HeldTarget {
  target: string;
  stored: Versioned<Enforcement>;
  /** How far the log had come before anything else was read. */
  seq: number;
  /** What was issued before is dead: as the target was told, or as it must be told now. */
  cutoff: NonNullable<Enforcement['cutoff']>;
  isCutoffNew: boolean;
  /** By the clock that nobody sets: later than this no write may begin, or it may end in another's time. Milliseconds. */
  writesUntil: number;
}

/** Those targets that this broker holds now. Others are held by another, who was first. */
export async function holdTargets(
  ledger: Ledger,
  targets: readonly string[],
  node: string,
): Promise<{ seq: number; held: HeldTarget[] }> {
  const seen = await ledger.log.look([...targets.map((target) => cause('target', target)), ALL]);
  const { generation, seq } = seen.epoch;
  const held = await Promise.all(
    targets.map(async (target): Promise<HeldTarget[]> => {
      const heldAt = ledger.clock.elapsed();
      const stored = await hold(ledger, { target, node, generation });
      if (!stored) return [];
      const writesUntil = heldAt + stored.value.heldUntil - ledger.clock.now() - PUSH_MS;
      const cutAt = latestCut(seen, [cause('target', target), ALL]);
      return [{ target, stored, seq, writesUntil, ...cutoffFor(stored.value, cutAt, ledger.clock.now()) }];
    }),
  );
  return { seq, held: held.flat() };
}

/** At the end of a process: the next one need not wait. */
export async function letGo(ledger: Ledger, target: string, node: string): Promise<void> {
  const stored = await readEnforcement(ledger, target);
  if (stored?.value.holder === node) await writeEnforcement(ledger, target, stored, { ...stored.value, heldUntil: 0 });
}

async function hold(
  ledger: Ledger,
  { target, node, generation }: { target: string; node: string; generation: string },
): Promise<Versioned<Enforcement> | undefined> {
  const stored = await readEnforcement(ledger, target);
  const now = ledger.clock.now();
  const before = stored?.value;
  const leftMs = before ? before.heldUntil - now : 0;
  const isMine = before?.holder === node;
  // A lease beyond its length was taken by a clock that has been set since.
  if (before && !isMine && leftMs > 0 && leftMs <= TARGET_LEASE_MS) return undefined;
  const isSameLog = before?.generation === generation;
  if (isMine && isSameLog && leftMs > TARGET_LEASE_RENEWED_BELOW_MS && leftMs <= TARGET_LEASE_MS) return stored;
  // Of another log nothing is known but the fence: what it had the target told may be lost with it.
  const known = before && isSameLog ? before : { marks: [], unspent: 0 };
  const fence = isMine && isSameLog ? before.fence : (before?.fence ?? 0) + 1;
  const next = { ...known, generation, fence, holder: node, heldUntil: now + TARGET_LEASE_MS };
  return writeEnforcement(ledger, target, stored, next);
}

/**
 * A cutoff or hold on the whole target, or a log that has lost its past: the target is told to believe nothing issued until
 * now. That is a moment ahead, for its clock may be; and nothing is minted until it has been told and the moment has passed.
 */
function cutoffFor({ cutoff }: Enforcement, cutAt: number, now: number): Pick<HeldTarget, 'cutoff' | 'isCutoffNew'> {
  if (cutoff && cutoff.seq >= cutAt) return { cutoff, isCutoffNew: false };
  return { cutoff: { seq: cutAt, at: Math.ceil((now + FENCE_MS) / 1000) * 1000 }, isCutoffNew: true };
}
