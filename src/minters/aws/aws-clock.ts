/**
 * AWS's clock, as far as STS's answers show it. AWS judges deadlines and cutoffs by that clock. If it differs from the broker's
 * clock, sessions live longer than the broker says.
 */
import type { Clock } from '../../domain/time.js';
import { AWS_CLOCK_ROUNDING_MS, AWS_CLOCK_TOLERANCE_MS } from '../../domain/timing.js';

export interface AwsClock {
  /** Returns whether the two clocks agreed at the last comparison; true before the first. */
  agrees(): boolean;
  /**
   * Compares the clocks, and returns whether they agree.
   * @param issuedAt When AWS issued a session, by its own clock; undefined where it did not say.
   * @param sentAt When the request was sent, by the broker's clock.
   */
  compare(issuedAt: number | undefined, sentAt: number): boolean;
}

/** The advice for the operator. */
export const CLOCKS_APART =
  "AWS's clock is more than three seconds from this host's: deadlines and revocations would be off by as much. Check NTP.";

export function watchAwsClock(clock: Clock): AwsClock {
  let agrees = true;
  return {
    agrees: () => agrees,
    compare(issuedAt, sentAt) {
      if (issuedAt === undefined) return agrees;
      const ahead = issuedAt - clock.unchecked();
      const behind = sentAt - AWS_CLOCK_ROUNDING_MS - issuedAt;
      agrees = Math.max(ahead, behind) <= AWS_CLOCK_TOLERANCE_MS;
      return agrees;
    },
  };
}
