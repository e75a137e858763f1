/**
 * Waits a little for a target that cannot be minted for yet: after the first start, or a cutoff of all of it, that takes ten
 * seconds. Some SDKs ask three times within three seconds and then give up for good, so they are kept waiting instead.
 */
import type { Clock } from '../domain/time.js';
import { ENFORCEABLE_PATIENCE_MS, ENFORCEABLE_POLL_MS } from '../domain/timing.js';

/** Further callers are refused at once, as all would be without this: waiting must not cost the broker its connections. */
const WAITING_MOST = 64;

/** Waits until the target can be minted for, or for as long as is worth it. Whether it can is for `assertEnforceable` to say. */
export type UntilEnforceable = (target: string) => Promise<void>;

/** @param isPassing Returns whether the target cannot be minted for, for a reason that passes by itself. */
export function untilEnforceable(
  clock: Pick<Clock, 'pause'>,
  isPassing: (target: string) => Promise<boolean>,
): UntilEnforceable {
  let waiting = 0;
  return async (target) => {
    if (waiting >= WAITING_MOST) return;
    waiting += 1;
    try {
      for (let waited = 0; waited < ENFORCEABLE_PATIENCE_MS; waited += ENFORCEABLE_POLL_MS) {
        if (!(await isPassing(target))) return;
        await clock.pause(ENFORCEABLE_POLL_MS);
      }
    } finally {
      waiting -= 1;
    }
  };
}
