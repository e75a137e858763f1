/** Limits what a party asks for in a minute. A dear request counts as several. Each broker counts for itself. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { BrokerError } from '../domain/errors.js';
import type { PartyRef } from '../domain/party.js';
import { secondsToWait } from '../domain/time.js';
import { FEED_PER_MINUTE } from '../feed/feed.js';

interface Limit {
  perMinute: number;
  /** The refusal, as a sentence. */
  refusal: string;
}

export function assertWithin({ perMinute, refusal }: Limit): (key: string, points?: number) => Promise<void> {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return async (key, points = 1) => {
    try {
      await limiter.consume(key, points);
    } catch (cause) {
      if (!(cause instanceof RateLimiterRes)) throw cause;
      throw new BrokerError('slow_down', refusal, { retryAfterSeconds: secondsToWait(cause.msBeforeNext) });
    }
  };
}

/** The feed has limits of its own: hundreds of instances of one API follow it under one name. */
export const assertFeedWithin = () => ({
  streams: assertWithin({
    perMinute: FEED_PER_MINUTE.streams,
    refusal: `The verifiers of one workload may begin ${FEED_PER_MINUTE.streams} streams a minute.`,
  }),
  acknowledgements: assertWithin({
    perMinute: FEED_PER_MINUTE.acknowledgements,
    refusal: `The verifiers of one workload may acknowledge ${FEED_PER_MINUTE.acknowledgements} times a minute.`,
  }),
});

interface PartyLimits {
  perWorkloadPerMinute: number;
  perIssuerPerMinute: number;
}

/** A workload may have any number of names at its issuer, for example one for each branch. So the issuer has a limit too. */
export function assertPartyWithin({
  perWorkloadPerMinute,
  perIssuerPerMinute,
}: PartyLimits): (party: Pick<PartyRef, 'id' | 'issuer'>, points?: number) => Promise<void> {
  const assertWorkload = assertWithin({
    perMinute: perWorkloadPerMinute,
    refusal: `A workload may ask ${perWorkloadPerMinute} times a minute.`,
  });
  const assertIssuer = assertWithin({
    perMinute: perIssuerPerMinute,
    refusal: `The parties of one issuer may ask ${perIssuerPerMinute} times a minute.`,
  });
  return async ({ id, issuer }, points) => {
    // In this order: what is refused to one workload is not taken from the others of its issuer.
    await assertWorkload(id, points);
    await assertIssuer(issuer, points);
  };
}
