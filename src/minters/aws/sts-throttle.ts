/** How often STS is asked for one role, and when not at all: a role that is not set up must not be asked again at full rate. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { BrokerError } from '../../domain/errors.js';
import { secondsToWait, type Clock } from '../../domain/time.js';

export interface StsThrottle {
  /** Throws the refusal of the last failure while the throttle backs off, and `slow_down` beyond the rate. */
  assertReady(): Promise<void>;
  /** Until the time is over, `assertReady` answers with this refusal. A shorter time does not shorten a longer one. */
  backOff(refusal: BrokerError, ms: number): void;
}

export function createStsThrottle({ clock, mintsPerSecond }: { clock: Clock; mintsPerSecond: number }): StsThrottle {
  const limiter = new RateLimiterMemory({ points: mintsPerSecond, duration: 1 });
  let backingOff: { refusal: BrokerError; until: number } | undefined;
  return {
    async assertReady() {
      const leftMs = backingOff ? backingOff.until - clock.elapsed() : 0;
      if (backingOff && leftMs > 0) throw copyOf(backingOff.refusal, leftMs);
      await limiter.consume('role').catch((cause: unknown) => {
        throw cause instanceof RateLimiterRes ? tooMany(mintsPerSecond, cause) : cause;
      });
    },
    backOff(refusal, ms) {
      const until = clock.elapsed() + ms;
      if (!backingOff || until > backingOff.until) backingOff = { refusal, until };
    },
  };
}

/** Returns a new error for each caller: the stack of one that is thrown twice shows where it was thrown first. */
const copyOf = ({ code, message, details }: BrokerError, leftMs: number): BrokerError =>
  new BrokerError(code, message, {
    ...details,
    ...(details.retryAfterSeconds !== undefined && { retryAfterSeconds: secondsToWait(leftMs) }),
  });

const tooMany = (mintsPerSecond: number, { msBeforeNext }: RateLimiterRes): BrokerError =>
  new BrokerError('slow_down', `At most ${mintsPerSecond} sessions of this role can be had in a second.`, {
    retryAfterSeconds: secondsToWait(msBeforeNext),
  });
