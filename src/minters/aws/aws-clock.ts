/**
 * AWS's clock, as far as answers of STS show it. A deadline, and what counts as issued before a cutoff, are judged by it: where
 * it is not the broker's, sessions would live longer than they are said to.
 */
import type { Clock } from '../../domain/time.js';
import { AWS_CLOCK_ROUNDING_MS, AWS_CLOCK_TOLERANCE_MS } from '../../domain/timing.js';

export interface AwsClock {
  /** Until something else is seen. */
  agrees(): boolean;
  /** @param sentAt By the broker's clock, before the request was sent. Answers whether they agree. */
  compare(issuedAt: number | undefined, sentAt: number): boolean;
}

/** For the operator. */
export const CLOCKS_APART =
  "AWS's clock is more than three seconds from this host's: deadlines and revocations would be off by as much. Check NTP.";

export function watchAwsClock(clock: Clock): AwsClock {
  let agrees = true;
  return {
    agrees: () => agrees,
    compare(issuedAt, sentAt) {
      if (issuedAt === undefined) return agrees;
      const ahead = issuedAt - clock.now();
      const behind = sentAt - AWS_CLOCK_ROUNDING_MS - issuedAt;
      agrees = Math.max(ahead, behind) <= AWS_CLOCK_TOLERANCE_MS;
      return agrees;
    },
  };
}
