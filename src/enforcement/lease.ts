/** One broker at a time pushes to a target: the one that has its lease in the ledger. Each new holder raises the fence. */
import { ALL, cause } from '../domain/selector.js';
import { FENCE_MS, PUSH_MS, TARGET_LEASE_MS, TARGET_LEASE_RENEWED_BELOW_MS } from '../domain/timing.js';
import { readEnforcement, writeEnforcement, type Enforcement } from '../ledger/enforcement.js';
import { released, standingOf } from '../ledger/lease.js';
import type { Versioned, Ledger } from '../ledger/ledger.js';
import { latestCut } from '../ledger/revocation-log.js';

/** A target whose lease this broker has. */
export interface LeasedTarget {
  target: string;
  stored: Versioned<Enforcement>;
  /** The number of the log's last entry, looked up before anything else was read. */
  seq: number;
  /** The time before which every issued session is denied: as it was pushed last, or as it must be pushed now. */
  cutoff: NonNullable<Enforcement['cutoff']>;
  isCutoffNew: boolean;
  /** No push may begin later than this, or another broker may have the lease when it ends. By the monotonic clock, in milliseconds. */
  pushBefore: number;
}

const LEASE = { lengthMs: TARGET_LEASE_MS, renewBelowMs: TARGET_LEASE_RENEWED_BELOW_MS };

/** Returns the targets whose lease this broker has now. Other brokers have the leases of the rest. */
export async function leaseTargets(
  ledger: Ledger,
  targets: readonly string[],
  node: string,
): Promise<{ seq: number; leased: LeasedTarget[] }> {
  const seen = await ledger.log.look([...targets.map((target) => cause('target', target)), ALL]);
  const { generation, seq } = seen.epoch;
  const leased = await Promise.all(
    targets.map(async (target): Promise<LeasedTarget[]> => {
      const askedAt = ledger.clock.elapsed();
      const stored = await takeLease(ledger, { target, node, generation });
      if (!stored) return [];
      const pushBefore = askedAt + stored.value.leasedUntil - ledger.clock.unchecked() - PUSH_MS;
      const cutAt = latestCut(seen, [cause('target', target), ALL]);
      return [{ target, stored, seq, pushBefore, ...cutoffFor(stored.value, cutAt, ledger.clock.unchecked()) }];
    }),
  );
  return { seq, leased: leased.flat() };
}

/** Ends the lease early when a process ends, so that the next broker need not wait for it to run out. */
export async function releaseLease(ledger: Ledger, target: string, node: string): Promise<void> {
  const stored = await readEnforcement(ledger, target);
  const next = released(stored?.value, node);
  if (next) await writeEnforcement(ledger, target, stored, next);
}

/** Returns the record with this broker as its holder; undefined while another broker has the lease. */
async function takeLease(
  ledger: Ledger,
  { target, node, generation }: { target: string; node: string; generation: string },
): Promise<Versioned<Enforcement> | undefined> {
  const stored = await readEnforcement(ledger, target);
  const now = ledger.clock.unchecked();
  const before = stored?.value;
  const standing = standingOf(before, node, now, LEASE);
  if (standing === 'theirs') return undefined;
  const isSameLog = before?.generation === generation;
  if (standing === 'mine' && isSameLog) return stored;
  // After the loss of a log only the fence is kept: the revocations that the target got from that log may be lost with it.
  const known = before && isSameLog ? before : { marks: [], liveCount: 0 };
  const fence = standing !== 'take' && isSameLog ? before.fence : (before?.fence ?? 0) + 1;
  const next = { ...known, generation, fence, holder: node, leasedUntil: now + TARGET_LEASE_MS };
  return writeEnforcement(ledger, target, stored, next);
}

/**
 * Returns the cutoff that the target must have: everything issued before it is denied. A new one is needed after a cutoff
 * or hold of the whole target, and after the loss of a log. It lies FENCE_MS ahead, because the target's clock may be ahead
 * of ours; nothing is minted until it has been pushed and has passed (assert-enforceable.ts).
 */
function cutoffFor({ cutoff }: Enforcement, cutAt: number, now: number): Pick<LeasedTarget, 'cutoff' | 'isCutoffNew'> {
  if (cutoff && cutoff.seq >= cutAt) return { cutoff, isCutoffNew: false };
  return { cutoff: { seq: cutAt, at: Math.ceil((now + FENCE_MS) / 1000) * 1000 }, isCutoffNew: true };
}
