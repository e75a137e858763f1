/**
 * At most so many different ones of each issuer in a stretch of time: whoever may invent names gets no more room in the store by
 * inventing more. In memory; each broker counts for itself. It goes by the broker's own clock, which the limiter of requests
 * (compose/rate.ts) does not, and the same one again takes nothing.
 */
interface DistinctLimit {
  /** Returns whether this one is among the first of the issuer in the stretch of time that `now`, in milliseconds, lies in. */
  admits(issuer: string, one: string | { id: string; of: string }, now: number): boolean;
}

interface Bounds {
  most: number;
  /** So many of them at most for one party, if it is said whose they are (`of`). */
  mostOfOne?: number;
  everyMs: number;
}

export function createDistinctLimit({ most, mostOfOne = most, everyMs }: Bounds): DistinctLimit {
  const admitted = new Map<string, Map<string, string>>();
  let stretch = NaN;
  return {
    admits(issuer, one, now) {
      const current = Math.floor(now / everyMs);
      if (current !== stretch) admitted.clear();
      stretch = current;
      const { id, of } = typeof one === 'string' ? { id: one, of: one } : one;
      const ofIssuer = admitted.get(issuer) ?? new Map<string, string>();
      admitted.set(issuer, ofIssuer);
      if (ofIssuer.has(id)) return true;
      if (ofIssuer.size >= most) return false;
      if ([...ofIssuer.values()].filter((other) => other === of).length >= mostOfOne) return false;
      ofIssuer.set(id, of);
      return true;
    },
  };
}
