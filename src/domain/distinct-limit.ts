/**
 * At most so many different ones of each issuer in a stretch of time: whoever may invent names gets no more room in the store by
 * inventing more. In memory; each broker counts for itself. It goes by the broker's own clock, which the limiter of requests
 * (compose/rate.ts) does not, and the same one again takes nothing.
 */
interface DistinctLimit {
  /** Returns whether this one is among the first of the issuer in the stretch of time that `now`, in milliseconds, lies in. */
  admits(issuer: string, one: string, now: number): boolean;
}

export function createDistinctLimit({ most, everyMs }: { most: number; everyMs: number }): DistinctLimit {
  const admitted = new Map<string, Set<string>>();
  let stretch = NaN;
  return {
    admits(issuer, one, now) {
      const current = Math.floor(now / everyMs);
      if (current !== stretch) admitted.clear();
      stretch = current;
      const ofIssuer = admitted.get(issuer) ?? new Set<string>();
      admitted.set(issuer, ofIssuer);
      if (ofIssuer.size < most) ofIssuer.add(one);
      return ofIssuer.has(one);
    },
  };
}
