/** Limits the requests of one workload in a minute. Each broker counts for itself. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { BrokerError } from '../domain/errors.js';
import { secondsToWait } from '../domain/time.js';

export function assertWithin(perMinute: number): (workload: string) => Promise<void> {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return async (workload) => {
    try {
      await limiter.consume(workload);
    } catch (cause) {
      if (!(cause instanceof RateLimiterRes)) throw cause;
      throw new BrokerError('slow_down', `A workload may ask ${perMinute} times a minute.`, {
        retryAfterSeconds: secondsToWait(cause.msBeforeNext),
      });
    }
  };
}
