/** How often one role is asked for, and when not at all: a role that is not set up must not be hammered. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { BrokerError } from '../../domain/errors.js';
import type { Clock } from '../../domain/time.js';

export interface Pace {
  /** Throws what STS was last refused for while it rests, and `slow_down` beyond the rate. */
  assertReady(): Promise<void>;
  rest(refusal: BrokerError, seconds: number): void;
}

export function createPace({ clock, mintsPerSecond }: { clock: Clock; mintsPerSecond: number }): Pace {
  const limiter = new RateLimiterMemory({ points: mintsPerSecond, duration: 1 });
  let resting: { refusal: BrokerError; until: number } | undefined;
  return {
    async assertReady() {
      const leftMs = resting ? resting.until - clock.elapsed() : 0;
      if (resting && leftMs > 0) throw again(resting.refusal, leftMs);
      await limiter.consume('role').catch((cause: unknown) => {
        throw cause instanceof RateLimiterRes ? tooMany(mintsPerSecond, cause) : cause;
      });
    },
    rest(refusal, seconds) {
      const until = clock.elapsed() + seconds * 1_000;
      if (!resting || until > resting.until) resting = { refusal, until };
    },
  };
}

/** A new error each time: one that is thrown twice tells where it was thrown first. */
const again = ({ code, message, details }: BrokerError, leftMs: number): BrokerError =>
  new BrokerError(code, message, {
    ...details,
    ...(details.retryAfterSeconds !== undefined && { retryAfterSeconds: inSeconds(leftMs) }),
  });

const tooMany = (mintsPerSecond: number, { msBeforeNext }: RateLimiterRes): BrokerError =>
  new BrokerError('slow_down', `At most ${mintsPerSecond} sessions of this role can be had in a second.`, {
    retryAfterSeconds: inSeconds(msBeforeNext),
  });

const inSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));
