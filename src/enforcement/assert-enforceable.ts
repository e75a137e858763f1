/**
 * Refuses to mint for a target where revocations cannot be enforced now: its cutoff of everything older is not in force yet, no
 * broker has its lease, or pushing to it has failed for FAILING_LIMIT_MS.
 */
import { BrokerError } from '../domain/errors.js';
import { ALL, cause } from '../domain/selector.js';
import { secondsToWait, toSeconds } from '../domain/time.js';
import { FAILING_LIMIT_MS, FENCE_MS, FULL_TARGET_RETRY_MS, UNENFORCEABLE_RETRY_MS } from '../domain/timing.js';
import { readEnforcement, type Enforcement } from '../ledger/enforcement.js';
import type { Ledger } from '../ledger/ledger.js';
import { latestCut, type Seen } from '../ledger/revocation-log.js';

/** Each full look reads all live sessions. With more of them, a workload that mints much would delay the revocations of others. */
const LIVE_SESSIONS_MAX = 10_000;

export async function assertEnforceable(
  ledger: Ledger,
  target: string,
  { seen, now }: { seen: Seen; now: number },
): Promise<void> {
  const stored = await readEnforcement(ledger, target);
  const cutAt = latestCut(seen, [cause('target', target), ALL]);
  if ((stored?.value.liveCount ?? 0) >= LIVE_SESSIONS_MAX)
    throw new BrokerError(
      'slow_down',
      `The target has ${LIVE_SESSIONS_MAX} live sessions, the most that can be revoked.`,
      {
        retryAfterSeconds: toSeconds(FULL_TARGET_RETRY_MS),
      },
    );
  const waitMs = waitBeforeMint(stored?.value, { generation: seen.epoch.generation, cutAt, now });
  if (waitMs === 0) return;
  throw new BrokerError(
    'temporarily_unavailable',
    'Revocations cannot be enforced at this target now. Try again later.',
    {
      retryAfterSeconds: secondsToWait(waitMs),
    },
  );
}

/** Returns whether nothing can be minted for the target now, for a reason that passes by itself: pushing to it does not fail. */
export async function isPassing(ledger: Ledger, target: string): Promise<boolean> {
  const causes = [cause('target', target), ALL];
  const [seen, stored] = await Promise.all([ledger.log.look(causes), readEnforcement(ledger, target)]);
  const state = stored?.value;
  const now = ledger.clock.now();
  const at = { generation: seen.epoch.generation, cutAt: latestCut(seen, causes), now };
  return state?.failingSince === undefined && waitBeforeMint(state, at) > 0;
}

/** Returns how long to wait before minting, in milliseconds, as far as can be guessed. 0: revocations can be enforced now. */
function waitBeforeMint(
  state: Enforcement | undefined,
  { generation, cutAt, now }: { generation: string; cutAt: number; now: number },
): number {
  if (state?.generation !== generation || !state.cutoff || state.cutoff.seq < cutAt) return 2 * FENCE_MS;
  if (state.leasedUntil <= now) return UNENFORCEABLE_RETRY_MS;
  if (state.failingSince !== undefined && now - state.failingSince >= FAILING_LIMIT_MS) return UNENFORCEABLE_RETRY_MS;
  // A session that is issued earlier, at a target whose clock is behind ours, would be denied by the cutoff from its start.
  return Math.max(0, state.cutoff.at + FENCE_MS - now);
}
