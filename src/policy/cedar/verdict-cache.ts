/**
 * Caches verdicts, the least recently used go first. Sound because the engine is pure, the key stands for all that Cedar is asked,
 * and every policy set has a cache of its own.
 */
import { LRUCache } from 'lru-cache';
import type { Verdict } from '../policy-engine.js';

export interface VerdictCache {
  /** Returns the verdict cached under this key; otherwise what `decide` answers, which is cached. */
  remember(key: string, decide: () => Promise<Verdict>): Promise<Verdict>;
}

/** @param verdictsMax 0 caches nothing */
export function verdictCache(verdictsMax: number): VerdictCache {
  if (verdictsMax === 0) return { remember: (_, decide) => decide() };
  const verdicts = new LRUCache<string, Verdict>({ max: verdictsMax });
  return {
    async remember(key, decide) {
      const cached = verdicts.get(key);
      if (cached) return cached;
      const verdict = frozen(await decide());
      verdicts.set(key, verdict);
      return verdict;
    },
  };
}

/** Callers share the object. */
function frozen(verdict: Verdict): Verdict {
  Object.freeze(verdict.policies);
  for (const list of [verdict.needs, verdict.wantedBy]) if (list) Object.freeze(list);
  return Object.freeze(verdict);
}
