/**
 * Nothing is minted for a target that cannot be told of deaths: not before it has heard that everything older is dead, not
 * while nobody tells it, not when it has not listened for long.
 */
import { BrokerError } from '../domain/errors.js';
import { ALL, cause } from '../domain/selector.js';
import type { Ledger } from '../ledger/ledger.js';
import { readEnforcement, type Enforcement } from '../ledger/enforcement.js';
import { latestCut, type Seen } from '../ledger/revocation-log.js';
import { FAILING_LIMIT_MS, FENCE_MS } from '../domain/timing.js';

/** All of them are looked at whenever something dies: with more, whoever mints much would delay what others revoke. */
const UNSPENT_MOST = 10_000;

export async function assertEnforceable(
  ledger: Ledger,
  target: string,
  { seen, now }: { seen: Seen; now: number },
): Promise<void> {
  const stored = await readEnforcement(ledger, target);
  const cutAt = latestCut(seen, [cause('target', target), ALL]);
  if ((stored?.value.unspent ?? 0) >= UNSPENT_MOST)
    throw new BrokerError('slow_down', 'The target has as many sessions as can be looked after.', {
      retryAfterSeconds: 60,
    });
  const waitMs = waitBeforeMint(stored?.value, { generation: seen.epoch.generation, cutAt, now });
  if (waitMs === 0) return;
  throw new BrokerError('temporarily_unavailable', 'The target cannot be told of revocations yet, or not now.', {
    retryAfterSeconds: Math.ceil(waitMs / 1000),
  });
}

/** A guess at how long, in milliseconds; 0: it has heard of everything that matters. */
function waitBeforeMint(
  state: Enforcement | undefined,
  { generation, cutAt, now }: { generation: string; cutAt: number; now: number },
): number {
  if (state?.generation !== generation || !state.cutoff || state.cutoff.seq < cutAt) return 2 * FENCE_MS;
  if (state.heldUntil <= now) return 1_000;
  if (state.failingSince !== undefined && now - state.failingSince >= FAILING_LIMIT_MS) return 1_000;
  // Issued earlier, by a clock that is behind ours, it would be born dead.
  return Math.max(0, state.cutoff.at + FENCE_MS - now);
}
