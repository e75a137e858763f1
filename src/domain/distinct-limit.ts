/**
 * Lets through, of each group, only so many different names in a stretch of time. A name that was let through is let through again.
 * So whoever may invent names gets no more room in the store by inventing more. It is kept in memory: each broker counts for itself.
 * It goes by the broker's own clock, which the limiter of requests (compose/rate.ts) does not.
 */
interface DistinctLimit {
  /** Returns whether this one is among the first of its group in the stretch of time that `now`, in milliseconds, lies in. */
  admits(group: string, one: string | { id: string; of: string }, now: number): boolean;
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
    admits(group, one, now) {
      const current = Math.floor(now / everyMs);
      if (current !== stretch) admitted.clear();
      stretch = current;
      const { id, of } = typeof one === 'string' ? { id: one, of: one } : one;
      const inGroup = admitted.get(group) ?? new Map<string, string>();
      admitted.set(group, inGroup);
      if (inGroup.has(id)) return true;
      if (inGroup.size >= most) return false;
      if ([...inGroup.values()].filter((other) => other === of).length >= mostOfOne) return false;
      inGroup.set(id, of);
      return true;
    },
  };
}
